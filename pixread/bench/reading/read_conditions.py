"""Reading the same pages in many conditions: compressed, turned, photographed, on a phone ..., beside the same readers.

Of each page every reader gets the picture in one condition before any gets it in the next. What is compared are words,
wherever they stand: in most conditions the truth's boxes are off. Only the parts that are not scored are carried along.
Pages that are rendered anew have a truth of their own: a phone shows other words of a page than a desk does.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mode
from typing import Any

from PIL import Image

from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Report
from pixread.bench.reading.condition_figures import matrix_figures, matrix_notes
from pixread.bench.reading.conditions import PIXEL_CONDITIONS, Condition
from pixread.bench.reading.gallery import left_out_of, write_page
from pixread.bench.reading.read import (
    Progress,
    ReadConfig,
    ReadingPlan,
    make_plan,
    mean_f1_so_far,
    open_readers,
    read_picture,
    warm_up_readers,
)
from pixread.bench.reading.read_figures import PIXREAD, metrics_of, predictions_of
from pixread.bench.reading.rendered_conditions import (
    RENDERED_CONDITIONS,
    RenderedCondition,
    render_condition,
    settings_of,
    sources_of,
)
from pixread.bench.reading.results import PAGES, Journal, PageResult, page_result
from pixread.bench.reading.word_confidences import (
    reliability_html,
    reliability_json,
    reliability_of,
    reliability_tables,
)
from pixread.evaluate.report.cases import CaseRenderer
from pixread.factory.local import RenderProgress
from pixread.files import claimed
from pixread.images.open import open_picture
from pixread.records import Example

CONDITIONS_FILE = "conditions.jsonl"
CONDITIONS_GALLERY = "conditions.html"
RENDERINGS = "rendered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionsConfig:
    """read: which pages, by whom. only: names of conditions; None is all.

    pages: the HTML of the pages, as `pixread render` takes it; without it they are not rendered anew.
    """

    read: ReadConfig
    only: tuple[str, ...] | None = None
    pages: Path | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    """A page in one condition. index: of the page in its shard set."""

    index: int
    condition: Condition
    example: Example

    @property
    def key(self) -> tuple[int, str]:
        return self.index, self.condition.name

    @property
    def seed(self) -> int:
        return zlib.crc32(self.example.source.encode())

    @property
    def clean(self) -> Image.Image:
        return PAGES.prepare(self.example, open_picture(self.example.image, name=self.example.id)).image

    @property
    def picture(self) -> Image.Image:
        """As readers get it."""
        return self.condition.picture(self.clean, seed=self.seed)


def bench_conditions(config: ConditionsConfig, *, progress: Progress | None = None) -> Report:
    """Read every page in every condition by every reader. progress: called with (pictures done, all, scores so far).

    ValueError, in one sentence, for what `bench_read` refuses, for an unknown condition and one that needs `pages`.
    """
    conditions = chosen_conditions(config.only, with_pages=config.pages is not None)
    with ExitStack() as stack:
        out = config.read.out
        if out is not None:
            stack.enter_context(claimed(out))
        plan = make_plan(config.read)
        examples = {index: plan.pages[index] for index in plan.indices}
        folder = out / RENDERINGS if out else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rendered = _rendered(config, conditions, list(examples.values()), folder, plan, progress)
        cells = {
            cell.key: cell
            for index, example in examples.items()
            for condition in conditions
            if (condition_example := rendered.get(condition.name, {example.source: example}).get(example.source))
            for cell in (_Cell(index, condition, condition_example),)
        }
        return _read(plan, conditions, cells, progress)


def chosen_conditions(names: Sequence[str] | None, *, with_pages: bool) -> list[Condition]:
    """The named ones in the order of the table, or all. ValueError for a name that is unknown or needs the pages."""
    rendered_again = [one.condition for one in RENDERED_CONDITIONS]
    known = [condition.name for condition in (*PIXEL_CONDITIONS, *rendered_again)]
    if unknown := [name for name in names or () if name not in known]:
        raise ValueError(f"there is no condition {unknown[0]!r}, choose from {', '.join(known)}")
    needing_pages = [condition.name for condition in rendered_again if names is not None and condition.name in names]
    if needing_pages and not with_pages:
        raise ValueError(f"{needing_pages[0]} renders the pages anew: name their HTML with --pages")
    available = (*PIXEL_CONDITIONS, *rendered_again) if with_pages else PIXEL_CONDITIONS
    return [condition for condition in available if names is None or condition.name in names]


def _rendered(
    config: ConditionsConfig,
    conditions: Sequence[Condition],
    examples: Sequence[Example],
    folder: Path,
    plan: ReadingPlan,
    progress: Progress | None,
) -> dict[str, dict[str, Example]]:
    """The pages of each condition that renders them anew, by their sources. folder: for their shards."""
    chosen = [rendered for rendered in RENDERED_CONDITIONS if rendered.condition in conditions]
    if not chosen:
        return {}
    assert config.pages is not None, "without pages no such condition can be chosen"
    sources = sources_of(examples, config.pages)
    settings = settings_of(plan.pages.manifests)

    def render_progress(rendered: RenderedCondition) -> Callable[[RenderProgress], None] | None:
        if progress is None:
            return None
        return lambda state: progress(state.done, state.total, f"rendered: {rendered.condition.title}")

    return {
        rendered.condition.name: render_condition(
            rendered, sources, folder / rendered.condition.name, settings=settings, progress=render_progress(rendered)
        )
        for rendered in chosen
    }


def _read(
    plan: ReadingPlan,
    conditions: Sequence[Condition],
    cells: Mapping[tuple[int, str], _Cell],
    progress: Progress | None,
) -> Report:
    out = plan.config.out
    journal = Journal(out, plan.settings, resume=plan.config.resume, file=CONDITIONS_FILE)
    done = {(result.index, result.condition): result for result in journal.results}
    for result in _results(plan, [cell for key, cell in cells.items() if key not in done]):
        journal.add(result)
        done[result.index, result.condition] = result
        if progress is not None:
            progress(len(done.keys() & cells.keys()), len(cells), mean_f1_so_far(journal.results))
    by_title = {condition.title: [done[key] for key in cells if key[1] == condition.name] for condition in conditions}
    by_condition = {title: results for title, results in by_title.items() if results}
    report = _report(plan, by_condition)
    if out is not None:
        _write_gallery(out / CONDITIONS_GALLERY, report, by_condition, cells)
    journal.finish()
    return report


def _results(plan: ReadingPlan, cells: Sequence[_Cell]) -> Iterator[PageResult]:
    """The scored pages, one after the other."""
    if not cells:
        return
    with tempfile.TemporaryDirectory() as folder, open_readers(plan) as readers:
        path = Path(folder) / "page.png"
        _write(cells[0].picture, path)
        warm_up_readers(readers, path)
        for cell in cells:
            picture = cell.picture
            _write(picture, path)
            outputs = {name: read_picture(process, path) for name, process in readers.items()}
            map_boxes = partial(cell.condition.quads, before=cell.clean.size, after=picture.size, seed=cell.seed)
            yield page_result(cell.index, cell.example, outputs, condition=cell.condition.name, map_boxes=map_boxes)


def _write(picture: Image.Image, path: Path) -> None:
    picture.save(path, "PNG", compress_level=1)


def _report(plan: ReadingPlan, by_condition: Mapping[str, Sequence[PageResult]]) -> Report:
    what = f"Reading {len(plan.indices)} screenshots in {len(by_condition)} conditions"
    missing = [
        f"{title}: {len(plan.indices) - len(results)} of {len(plan.indices)} pages were not named or not rendered"
        for title, results in by_condition.items()
        if len(results) < len(plan.indices)
    ]
    notes = (plan.description, *matrix_notes(by_condition), *missing, *plan.peers.notes)
    reliability = {title: reliability_json(reliability_of(results)) for title, results in by_condition.items()}
    about: dict[str, Any] = {"settings": plan.settings, "versions": plan.versions, "reliability": reliability}
    return Report(
        "conditions",
        what,
        tuple(matrix_figures(by_condition)),
        this_machine(),
        notes=notes,
        about=about,
        breakdowns=reliability_tables(reliability_of(_together(by_condition))),
    )


def _together(by_condition: Mapping[str, Sequence[PageResult]]) -> list[PageResult]:
    return [result for results in by_condition.values() for result in results]


def _write_gallery(
    path: Path,
    report: Report,
    by_condition: Mapping[str, Sequence[PageResult]],
    cells: Mapping[tuple[int, str], _Cell],
) -> None:
    """The matrix, and of every condition the page that pixread read worst, as readers got it.

    It is of the most frequent script, where a condition has such a page.
    """
    script = mode(result.script for results in by_condition.values() for result in results)
    worst = [
        min(results, key=lambda result: (result.script != script, result.readings[PIXREAD].scores["f1"], result.index))
        for results in by_condition.values()
    ]
    selected = [replace(result, index=number) for number, result in enumerate(worst)]
    examples = [_as_read(cells[result.index, result.condition]) for result in worst]
    predictions = predictions_of(PIXREAD, selected, examples)
    cases = CaseRenderer.of(
        metrics_of(selected, examples)[PIXREAD], examples, predictions, unsure=left_out_of(selected)
    )
    heads = [f"<h3>{condition}</h3>" for condition in by_condition]
    articles = [head + cases.html(prediction) for head, prediction in zip(heads, predictions, strict=True)]
    heading = "The page that is read worst in each condition"
    write_page(path, report, heading, articles, charts=reliability_html(reliability_of(_together(by_condition))))


def _as_read(cell: _Cell) -> Example:
    """The page with the picture that readers got; nothing is to be drawn on it any more."""
    stream = io.BytesIO()
    cell.picture.save(stream, "PNG", compress_level=1)
    return replace(cell.example, image=stream.getvalue(), boxes=())
