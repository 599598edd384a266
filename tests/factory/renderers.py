"""A renderer without a browser: it draws a page after its name, and misbehaves where the name says so.

Workers are processes of their own, so what they are to do has to be told by names; `flag` files count the attempts.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixread.factory.sources import Source
from pixread.factory.worker import RenderOne
from pixread.records import Node, Screenshot
from pixread.render.page import RenderError, RenderSettings
from tests.targets.pages import screenshot, text_leaf


def render_by_name(page: Source, vary_seed: int | None) -> Screenshot:
    source = page.address
    name = Path(source).name
    if name.startswith("sick"):
        raise RenderError("timeout", f"{name} took\ttoo long")
    if name.startswith("bug"):
        raise TypeError("nobody expected this")
    if name.startswith("crash") or (name.startswith("flaky") and is_first_time(source)):
        os._exit(7)
    if name.startswith("hang"):
        time.sleep(1000)
    if name.startswith("wait"):
        time.sleep(0.3)
    if name.startswith("deadly"):
        deadly: Any = Deadly()
        return replace(screenshot(Node()), source=source, root=deadly)
    words = f"The page called {name} varied by {vary_seed}"
    root = Node(children=(text_leaf(words, width=300), text_leaf("A second paragraph", y=200, line=7)))
    return replace(screenshot(root), source=source, lost_parts=2 if name.startswith("part") else 0)


class Deadly:
    """Ends the process when anything is asked of it."""

    def __getattr__(self, name: str) -> None:
        os._exit(7)


def is_first_time(source: str) -> bool:
    flag = Path(source + ".seen")
    if flag.exists():
        return False
    flag.touch()
    return True


@contextmanager
def drawn(_: RenderSettings) -> Iterator[RenderOne]:
    yield render_by_name


@contextmanager
def broken(_: RenderSettings) -> Iterator[RenderOne]:
    raise OSError("there is no browser here")
    yield render_by_name


@contextmanager
def stillborn(_: RenderSettings) -> Iterator[RenderOne]:
    os._exit(3)
    yield render_by_name
