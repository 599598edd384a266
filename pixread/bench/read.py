"""Reading screenshots: words, time and structure, beside Tesseract and RapidOCR, on the pages of a shard set.

All readers get the same picture of a page before any gets the next one, each in a process of its own with its models
loaded and one page read before; ours is asked for the regions of the page as well.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.bench.live import LiveProcess, all_closed
from pixread.bench.machine import num_cores, this_machine
from pixread.bench.read_figures import OURS, figures_of, metrics_of, notes_of
from pixread.bench.read_peers import Chosen, chosen_peers
from pixread.bench.read_results import PAGES, REGIONS, SCORING, Journal, PageResult, page_result, region_scores
from pixread.bench.report import Report
from pixread.files import claimed

if TYPE_CHECKING:
    from pixread.evaluate.tasks.task import EvaluationTask, ReaderInput
    from pixread.records import Example
    from pixread.shards import ShardSet

MAKE_OURS = "pixread.bench.read_readers:Pixread"
GALLERY = "pages.html"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSetting:
    """data: a folder with a shard set of whole pages, and one of regions where structure is asked for.

    model: what `pixread.load` takes; None is the shipped page reader. against: names of peers; None is all there are.
    limit: that many pages, spread evenly. threads: of each reader; 0 is as many as there are cores. out: a folder in
    which the pages are kept, one by one; resume: whether to go on with those that an interrupted run has left there.
    """

    data: Path
    model: str | None = None
    against: tuple[str, ...] | None = None
    limit: int | None = None
    threads: int = 0
    out: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What is read by whom. regions: the places of each page's regions in their set, by the page's group."""

    setting: ReadSetting
    pages: ShardSet
    places: Sequence[int]
    regions: Mapping[str, Sequence[int]]
    region_set: Sequence[Example]
    peers: Chosen
    threads: int

    @property
    def settings(self) -> dict[str, Any]:
        """What two runs must have in common for one to go on with the pages of the other."""
        from pixread.checkpoints.runs import run_step
        from pixread.evaluate.shard_sets import fingerprint

        return {
            "data": str(self.setting.data),
            "fingerprint": fingerprint(self.pages),
            "model": str(run_step(self.setting.model or "the shipped model")),
            "limit": self.setting.limit,
            "threads": self.threads,
            "readers": {OURS: None} | self.versions,
            "scoring": SCORING,
        }

    @property
    def versions(self) -> dict[str, str]:
        """Those of the peers."""
        return {peer.title: version for peer, version in self.peers.versions}

    @property
    def said(self) -> str:
        """Who read, in words."""
        readers = [f"{OURS} with {self.settings['model']}", *(f"{name} {it}" for name, it in self.versions.items())]
        return f"{', '.join(readers)}; {self.threads} thread{'s' if self.threads > 1 else ''} each"


def bench_read(setting: ReadSetting, *, progress: Progress | None = None) -> Report:
    """Read every page by every reader and score it. progress: called with (pages done, pages in all, scores so far).

    ValueError, in one sentence, for shards that hold no pages and for peers that are unknown or not installed;
    RuntimeError when a reader fails.
    """
    if setting.out is None:
        return _read(setting, progress)
    with claimed(setting.out):
        return _read(setting, progress)


def _read(setting: ReadSetting, progress: Progress | None) -> Report:
    ground = ground_of(setting)
    journal = Journal(setting.out, ground.settings, resume=setting.resume)
    done = {result.index for result in journal.results}
    left = [place for place in ground.places if place not in done]
    for result in _results(ground, left):
        journal.add(result)
        if progress is not None:
            progress(len(journal.results), len(ground.places), so_far(journal.results))
    results = sorted(journal.results, key=lambda result: result.index)
    report, metrics = _report(ground, results)
    if setting.out is not None:
        from pixread.bench.read_gallery import write_gallery

        write_gallery(setting.out / GALLERY, report, results, ground.pages, metrics[OURS])
    journal.finish()
    return report


def ground_of(setting: ReadSetting) -> Ground:
    from pixread.evaluate.shard_sets import evenly_spaced, find_shard_sets, sibling_sets, task_of
    from pixread.shards import ShardSet

    peers = chosen_peers(setting.against)
    sets = find_shard_sets(setting.data, task=PAGES.name)
    pages = ShardSet(sets)
    if task_of(pages) != PAGES.name:
        raise ValueError(f"{setting.data} holds no whole pages; pixread render --targets lines,parse makes them")
    places = evenly_spaced(pages, setting.limit)
    if not places:
        raise ValueError(f"there is nothing to read: {setting.data} holds no pages")
    beside = sibling_sets(sets, REGIONS.name)
    region_set = ShardSet(beside) if beside else []
    regions: dict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(region_set.groups() if isinstance(region_set, ShardSet) else ()):
        if group:  # without one nobody knows whose region it is
            regions[group].append(place)
    threads = setting.threads or num_cores()
    return Ground(setting, pages, places, regions, region_set, peers, threads)


def _results(ground: Ground, places: Sequence[int]) -> Iterator[PageResult]:
    """The scored pages at these places, one after the other."""
    if not places:
        return
    with tempfile.TemporaryDirectory() as folder, open_readers(ground) as readers:
        picture = Path(folder) / "page.png"
        draw(ground.pages[places[0]], PAGES, picture)
        warm_up(readers, picture)
        for place in places:
            example = ground.pages[place]
            draw(example, PAGES, picture)
            said = {name: asked(process, picture) for name, process in readers.items()}
            at_places = ground.regions.get(example.group_id, ())
            regions = [_region(readers[OURS], ground.region_set[at], picture) for at in at_places]
            yield page_result(place, example, said, regions)


@contextlib.contextmanager
def open_readers(ground: Ground) -> Iterator[Mapping[str, LiveProcess]]:
    """Every reader by name, in a process of its own, with its models loaded."""
    processes: dict[str, LiveProcess] = {}
    threads = ground.threads
    with all_closed(processes):
        processes[OURS] = LiveProcess(MAKE_OURS, threads=threads, model=ground.setting.model)
        for peer, _ in ground.peers.versions:
            processes[peer.title] = LiveProcess(peer.make, threads=threads, num_threads=threads)
        yield processes


def draw(example: Example, evaluation_task: EvaluationTask, picture: Path) -> ReaderInput:
    """Writes the picture as evaluation shows it to readers."""
    from pixread.inputs.picture import open_picture

    reader_input = evaluation_task.prepare(example, open_picture(example.image, name=example.id))
    reader_input.image.save(picture, "PNG", compress_level=1)
    return reader_input


def warm_up(readers: Mapping[str, LiveProcess], picture: Path) -> None:
    """Every reader reads a picture that does not count."""
    for process in readers.values():
        process.do("read", picture=str(picture))


def asked(process: LiveProcess, picture: Path) -> dict[str, Any]:
    """What a reader says of a picture, and the memory that took: its own, unless it tells that of a program it ran."""
    answer = process.do("read", picture=str(picture))
    return {"memory_mib": answer.peak_mib.get("memory"), **answer.found}


def _region(process: LiveProcess, example: Example, picture: Path) -> Mapping[str, float]:
    """Our scores of a region of a page."""
    reader_input = draw(example, REGIONS, picture)
    assert reader_input.region is not None, "every example of this task has a region"
    return region_scores(example, process.do("read", picture=str(picture), region=reader_input.region.as_list()).found)


def so_far(results: Sequence[PageResult]) -> str:
    """The mean F1 of every reader."""
    means = {
        name: sum(result.readings[name].scores["f1"] for result in results) / len(results)
        for name in results[0].readings
    }
    return "word F1 " + ", ".join(f"{name} {value:.3f}" for name, value in means.items())


def _report(ground: Ground, results: Sequence[PageResult]) -> tuple[Report, dict[str, dict[str, Any]]]:
    metrics = metrics_of(results, ground.pages)
    versions = ground.versions
    notes = (ground.said, *notes_of(results, metrics), *ground.peers.notes)
    about = {"settings": ground.settings, "versions": versions, "metrics": metrics}
    what = f"Reading {len(results)} screenshots"
    return Report("read", what, tuple(figures_of(results, metrics)), this_machine(), notes=notes, about=about), metrics
