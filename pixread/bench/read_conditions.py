"""Reading the same pages in many conditions: compressed, blurred, turned, photographed ..., beside the same readers.

Of each page every reader gets the picture in one condition before any gets it in the next. What is compared are words,
wherever they stand: in most conditions the truth's boxes are off.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from pixread.bench.condition_figures import matrix_figures, matrix_notes
from pixread.bench.conditions import ALTERED, Condition
from pixread.bench.machine import this_machine
from pixread.bench.read import (
    Ground,
    Progress,
    ReadSetting,
    asked,
    ground_of,
    open_readers,
    so_far,
    warm_up,
)
from pixread.bench.read_figures import OURS, metrics_of, predictions_of
from pixread.bench.read_gallery import write_page
from pixread.bench.read_results import PAGES, Journal, PageResult, page_result
from pixread.bench.report import Report
from pixread.evaluate.cases import Cases
from pixread.files import claimed
from pixread.inputs.picture import open_picture
from pixread.records import Example

FILE = "conditions.jsonl"
GALLERY = "conditions.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsSetting:
    """read: which pages, by whom. only: names of conditions; None is all."""

    read: ReadSetting
    only: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    """A page in one condition. place: of the page in its shard set."""

    place: int
    condition: Condition
    example: Example

    @property
    def key(self) -> tuple[int, str]:
        return self.place, self.condition.name

    @property
    def picture(self) -> Image.Image:
        """As readers get it."""
        shown = PAGES.question(self.example, open_picture(self.example.image, name=self.example.id)).image
        return self.condition.picture(shown, seed=zlib.crc32(self.example.source.encode()))


def bench_conditions(setting: ConditionsSetting, *, progress: Progress | None = None) -> Report:
    """Read every page in every condition by every reader. progress: called with (pictures done, all, scores so far).

    ValueError, in one sentence, for what `bench_read` refuses and for a condition that does not exist.
    """
    chosen = chosen_conditions(setting.only)
    with nullcontext() if setting.read.out is None else claimed(setting.read.out):
        return _bench(setting.read, chosen, progress)


def chosen_conditions(names: Sequence[str] | None) -> list[Condition]:
    """The named ones in the order of the table, or all. ValueError for a name that is unknown."""
    known = [condition.name for condition in ALTERED]
    if wrong := [name for name in names or () if name not in known]:
        raise ValueError(f"there is no condition {wrong[0]!r}, choose from {', '.join(known)}")
    return [condition for condition in ALTERED if names is None or condition.name in names]


def _bench(setting: ReadSetting, conditions: Sequence[Condition], progress: Progress | None) -> Report:
    ground = ground_of(setting)
    cells = {
        cell.key: cell
        for place in ground.places
        for cell in (_Cell(place, condition, ground.pages[place]) for condition in conditions)
    }
    journal = Journal(setting.out, ground.settings, resume=setting.resume, file=FILE)
    done = {(result.index, result.condition): result for result in journal.results}
    for result in _results(ground, [cell for key, cell in cells.items() if key not in done]):
        journal.add(result)
        done[result.index, result.condition] = result
        if progress is not None:
            progress(len(done.keys() & cells.keys()), len(cells), so_far(journal.results))
    by_condition = {
        condition.title: [done[key] for key in cells if key[1] == condition.name] for condition in conditions
    }
    report = _report(ground, by_condition)
    if setting.out is not None:
        _write_gallery(setting.out / GALLERY, report, by_condition, cells)
    journal.finish()
    return report


def _results(ground: Ground, cells: Sequence[_Cell]) -> Iterator[PageResult]:
    """The scored pages, one after the other."""
    if not cells:
        return
    with tempfile.TemporaryDirectory() as folder, open_readers(ground) as readers:
        path = Path(folder) / "page.png"
        _write(cells[0].picture, path)
        warm_up(readers, path)
        for cell in cells:
            _write(cell.picture, path)
            said = {name: asked(process, path) for name, process in readers.items()}
            yield page_result(cell.place, cell.example, said, condition=cell.condition.name)


def _write(picture: Image.Image, path: Path) -> None:
    picture.save(path, "PNG", compress_level=1)


def _report(ground: Ground, by_condition: Mapping[str, Sequence[PageResult]]) -> Report:
    what = f"Reading {len(ground.places)} screenshots in {len(by_condition)} conditions"
    notes = (ground.said, *matrix_notes(by_condition), *ground.peers.notes)
    about: dict[str, Any] = {"settings": ground.settings, "versions": ground.versions}
    return Report("conditions", what, tuple(matrix_figures(by_condition)), this_machine(), notes=notes, about=about)


def _write_gallery(
    path: Path,
    report: Report,
    by_condition: Mapping[str, Sequence[PageResult]],
    cells: Mapping[tuple[int, str], _Cell],
) -> None:
    """The matrix, and of every condition the page that we read worst, as readers got it."""
    worst = [
        min(results, key=lambda result: (result.readings[OURS].scores["f1"], result.index))
        for results in by_condition.values()
    ]
    shown = [replace(result, index=number) for number, result in enumerate(worst)]
    examples = [_shown(cells[result.index, result.condition]) for result in worst]
    predictions = predictions_of(OURS, shown, examples)
    cases = Cases.of(metrics_of(shown, examples)[OURS], examples, predictions)
    heads = [f"<h3>{condition}</h3>" for condition in by_condition]
    articles = [head + cases.html(one) for head, one in zip(heads, predictions, strict=True)]
    write_page(path, report, "The page that is read worst in each condition", articles)


def _shown(cell: _Cell) -> Example:
    """The page with the picture that readers got; nothing is to be drawn on it any more."""
    stream = io.BytesIO()
    cell.picture.save(stream, "PNG", compress_level=1)
    return replace(cell.example, image=stream.getvalue(), boxes=())
