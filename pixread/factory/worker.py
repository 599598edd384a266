"""One worker process of a run: renders pages with a browser of its own and writes their examples, chunk by chunk.

A chunk is a few pages in a row. Its examples lie in `NUMBER.TARGET.parquet`, one file a target; `NUMBER.json`, renamed
into place last, tells that they are complete, and what became of each page.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from pixread.factory.sources import Source
from pixread.files import write_text
from pixread.records import Example, Screenshot
from pixread.render.browser import Browser
from pixread.render.page import RenderError, RenderSettings, render_page
from pixread.shards import write_file
from pixread.targets import crops, layout, lines, parse

RenderOne = Callable[[Source, "int | None"], Screenshot]
"""(page, seed of the variation or None) -> what it looks like. Raises RenderError for a page that cannot be had."""

OpenRenderer = Callable[[RenderSettings], contextlib.AbstractContextManager[RenderOne]]


class MakeExamples(Protocol):
    """What every target file offers."""

    def __call__(self, screenshot: Screenshot, *, settings: Any, seed: int) -> list[Example]: ...


@dataclass(frozen=True, slots=True)
class Target:
    """A target by name: how its examples are made, and with which settings unless others are given."""

    make: MakeExamples
    defaults: Any


TARGETS: dict[str, Target] = {
    "parse": Target(parse.examples, parse.ParseSettings()),
    "lines": Target(lines.examples, lines.LinesSettings()),
    "crops": Target(crops.examples, crops.CropSettings()),
    "layout": Target(layout.examples, layout.LayoutSettings()),
}


@dataclass(frozen=True, slots=True)
class PageJob:
    """One rendering to be done. `number` counts over all sources and their varied copies."""

    number: int
    source: Source
    seed: int
    vary_seed: int | None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Pages whose examples are written together; `given_up` has the pages (by number) that brought a worker down.

    `in_turn`: each page is finished before the next is begun, which tells which of them brings workers down.
    """

    number: int
    pages: tuple[PageJob, ...]
    given_up: Mapping[int, str]
    in_turn: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What is the same for all chunks of a run."""

    folder: Path
    settings: Mapping[str, Any]
    render: RenderSettings
    open_renderer: OpenRenderer


@dataclass(frozen=True, slots=True)
class PageStarted:
    """Message: the worker is at this page now."""

    page: int


@dataclass(frozen=True, slots=True)
class PageFinished:
    """Message: a page is done, with a reason if it was skipped."""

    page: int
    skipped: str | None
    num_examples: int


@dataclass(frozen=True, slots=True)
class ChunkWritten:
    """Message: the chunk is on disk, and the worker is free."""


@dataclass(frozen=True, slots=True)
class WorkerFailed:
    """Message: the worker cannot go on, and no other could (no browser, disk full)."""

    sentence: str


@contextlib.contextmanager
def chromium(settings: RenderSettings) -> Iterator[RenderOne]:
    """Renders with the real browser, which is open as long as the context."""
    with Browser(allow_network=settings.allow_network, antialias=settings.antialias) as browser:

        def render(source: Source, vary_seed: int | None) -> Screenshot:
            page_settings = replace(settings, vary_seed=vary_seed)
            return render_page(browser, source.address, settings=page_settings, root=source.root)

        yield render


def run_worker(connection: Connection, plan: RunPlan) -> None:
    """The life of a worker: chunks come in by the connection, messages go out; ends on None or when nobody listens."""
    # Ctrl-C, and the end of a terminal, reach the whole process group: the main process
    # alone decides what it means, and terminates the workers.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with plan.open_renderer(plan.render) as render:
            while (chunk := connection.recv()) is not None:
                do_chunk(chunk, plan=plan, render=render, send=connection.send)
                connection.send(ChunkWritten())
                _trim_memory()
    except (EOFError, BrokenPipeError):
        return
    except (ValueError, OSError) as error:  # no browser, no disk space
        connection.send(WorkerFailed(str(error)))


def _trim_memory() -> None:
    """Have the C library return what it holds free: between pictures of many sizes it keeps more with every page."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # only glibc has the function
        ctypes.CDLL(None).malloc_trim(0)


def do_chunk(chunk: Chunk, *, plan: RunPlan, render: RenderOne, send: Callable[[Any], None]) -> None:
    """Renders the pages of a chunk and writes its files.

    The examples of a page are made in a second thread while the browser, another process, is busy with the next page.
    """
    done: list[_FinishedPage] = []

    def finish(future: Future[_FinishedPage]) -> None:
        done.append(future.result())
        send(PageFinished(done[-1].page.number, done[-1].reason, sum(map(len, done[-1].examples.values()))))

    before: Future[_FinishedPage] | None = None
    with ThreadPoolExecutor(max_workers=1) as maker:
        for page in chunk.pages:
            send(PageStarted(page.number))
            rendered_page = _render(page, given_up=chunk.given_up.get(page.number), render=render)
            if before is not None:
                finish(before)  # here, so that never more than two pages are in memory
            before = maker.submit(_make_examples, rendered_page, settings=plan.settings)
            if chunk.in_turn:
                finish(before)
                before = None
        if before is not None:
            finish(before)
    _write(chunk, done, plan=plan)


def part_path(folder: Path, number: int, target: str) -> Path:
    return folder / f"{number:06d}.{target}.parquet"


def record_path(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.json"


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A rendered page: its screenshot, or the reason why there is none and a sentence about it."""

    page: PageJob
    screenshot: Screenshot | None
    reason: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class _FinishedPage:
    """A finished page: its examples by target, or the reason why it was skipped and a sentence about it."""

    page: PageJob
    examples: Mapping[str, list[Example]]
    reason: str | None = None
    message: str = ""
    lost_parts: int = 0


def _render(page: PageJob, *, given_up: str | None, render: RenderOne) -> _Rendered:
    if given_up is not None:
        return _Rendered(page, None, given_up, "a worker died over it twice")
    try:
        return _Rendered(page, replace(render(page.source, page.vary_seed), source=page.source.name))
    except RenderError as error:
        return _Rendered(page, None, error.reason, str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a page, the other thousands must come out
        return _Rendered(page, None, "failed", f"{type(error).__name__}: {error}")


def _make_examples(rendered_page: _Rendered, *, settings: Mapping[str, Any]) -> _FinishedPage:
    if rendered_page.screenshot is None:
        return _FinishedPage(rendered_page.page, {}, rendered_page.reason, rendered_page.message)
    try:
        made = {
            name: TARGETS[name].make(rendered_page.screenshot, settings=own, seed=rendered_page.page.seed)
            for name, own in settings.items()
        }
    except Exception as error:  # noqa: BLE001 - as above
        return _FinishedPage(rendered_page.page, {}, "failed", f"{type(error).__name__}: {error}")
    return _FinishedPage(rendered_page.page, made, lost_parts=rendered_page.screenshot.lost_parts)


def _write(chunk: Chunk, done: Sequence[_FinishedPage], *, plan: RunPlan) -> None:
    for name in plan.settings:
        examples = [example for page in done for example in page.examples.get(name, ())]
        write_file(examples, part_path(plan.folder, chunk.number, name))
    skipped = [
        {"source": page.page.source.name, "reason": page.reason, "message": page.message}
        for page in done
        if page.reason is not None
    ]
    lost = sum(page.lost_parts for page in done)
    record = {"rendered": len(done) - len(skipped), "skipped": skipped, "lost_parts": lost}
    write_text(record_path(plan.folder, chunk.number), json.dumps(record))
