"""What snapshot.js says about a page, checked and turned into a Node tree."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pixread.records import Box, Lettering, Mark, MarkKind, Node, Word
from pixread.render.errors import RenderError
from pixread.render.simplify import union

SNAPSHOT_JS = Path(__file__).with_name("snapshot.js").read_text(encoding="utf-8")
BOLD, ITALIC, MONO, LINK = 1, 2, 4, 8  # flags of letters.js
# Visible content nests up to a few dozen levels; Python's own recursion limit lies not far above this one.
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A page: its title, how many nodes were visited, its visible tree (None: nothing shows), and what is
    drawn beside the words."""

    title: str
    num_nodes: int
    tree: Node | None
    marks: tuple[Mark, ...]


def read_snapshot(text: str) -> Snapshot:
    """Read the JSON of snapshot.js. Raises RenderError: too_large over the node budget, crash for malformed JSON."""
    try:
        data = json.loads(text)
        if "tooLarge" in data:
            raise RenderError("too_large", f"the page has {data['tooLarge']} nodes or more, which is over the budget")
        tree = data["tree"]
        return Snapshot(
            title=_clean(data["title"]),
            num_nodes=int(data["nodes"]),
            tree=None if tree is None else _node(tree, depth=0),
            marks=tuple(_mark(mark) for mark in data["marks"]),
        )
    except RenderError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise RenderError("crash", f"the page's snapshot is malformed: {error}") from error


def _node(data: dict[str, Any], *, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise RenderError("too_large", f"the page nests visible content more than {MAX_DEPTH} levels deep")
    if "c" in data:
        return Node(children=tuple(_node(child, depth=depth + 1) for child in data["c"]))
    if "t" in data:
        words = tuple(_word(word, data["l"]) for word in data["w"])
        return Node(text=_clean(data["t"]), words=words, box=union([word.box for word in words]))
    name, alt = data["i"], data["a"]
    if name is None and alt is None:
        raise ValueError("an image without name and alt text")
    return Node(
        image=None if name is None else _clean(name),
        alt=None if alt is None else _clean(alt),
        box=_box(data["b"]),
    )


def _word(data: list[Any], letters: list[Any]) -> Word:
    text, x, y, width, height, line, baseline = data
    if not isinstance(text, str) or not isinstance(line, int):
        raise TypeError(f"a word must be a string with a line number, got {data!r}")
    return Word(text=_clean(text), box=_box([x, y, width, height]), line=line, lettering=_lettering(letters, baseline))


def _lettering(data: list[Any], baseline: float | None) -> Lettering:
    size, angle, flags = data
    return Lettering(
        size=float(size),
        baseline=None if baseline is None else float(baseline),
        angle=float(angle),
        bold=bool(flags & BOLD),
        italic=bool(flags & ITALIC),
        mono=bool(flags & MONO),
        link=bool(flags & LINK),
    )


def _mark(data: list[Any]) -> Mark:
    kind, *sides = data
    if kind not in get_args(MarkKind):
        raise ValueError(f"a mark must be one of {get_args(MarkKind)}, got {kind!r}")
    return Mark(kind, _box(sides))


def _box(data: list[Any]) -> Box:
    x, y, width, height = (float(value) for value in data)
    if not all(map(math.isfinite, (x, y, width, height))):
        raise ValueError(f"a box must have finite numbers, got {data!r}")
    return Box(x, y, width, height)


def _clean(text: Any) -> str:
    """The text without lone surrogates, which a page may hold and UTF-8 may not."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
