"""Reading screenshots: words, time and structure, beside Tesseract and RapidOCR, on the pages of a shard set.

All readers get the same picture of a page before any gets the next one, each in a process of its own with its models
loaded and one page read before; pixread reads the regions of the page as well.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.bench.harness.machine import num_cores, this_machine
from pixread.bench.harness.report import Report
from pixread.bench.harness.worker_process import WorkerProcess, all_closed
from pixread.bench.reading.peers import ChosenPeers, chosen_peers
from pixread.bench.reading.read_figures import PIXREAD, figures_of, metrics_of, notes_of
from pixread.bench.reading.results import PAGES, REGIONS, SCORING, Journal, PageResult, page_result, region_scores
from pixread.bench.reading.word_confidences import reliability_json, reliability_of, reliability_tables
from pixread.files import claimed

if TYPE_CHECKING:
    from pixread.evaluate.tasks.task import EvaluationTask, ReaderInput
    from pixread.records import Example
    from pixread.shards import ShardSet

PIXREAD_READER = "pixread.bench.reading.readers:Pixread"
PAGES_GALLERY = "pages.html"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig:
    """Which pages are read, and by which readers."""

    data: Path  # a folder with a shard set of whole pages, and one of regions where structure is scored
    model: str | None = None  # what `pixread.load` takes; None is the shipped page reader
    against: tuple[str, ...] | None = None  # names of peers; None is all that are installed
    limit: int | None = None  # that many pages, spread evenly
    threads: int = 0  # of each reader; 0 is as many as there are cores
    out: Path | None = None  # a folder in which the pages are kept, one by one
    resume: bool = False  # go on with the pages that an interrupted run has left in `out`


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """A ReadConfig made concrete: the opened shards, and the readers."""

    config: ReadConfig
    pages: ShardSet
    indices: Sequence[int]  # of the pages to be read
    regions: Mapping[str, Sequence[int]]  # by the group of a page: indices of its regions in their set
    region_set: Sequence[Example]
    peers: ChosenPeers
    threads: int

    @property
    def settings(self) -> dict[str, Any]:
        """What two runs must have in common for one to go on with the pages of the other."""
        from pixread.checkpoints.runs import pin_step
        from pixread.evaluate.shard_sets import fingerprint

        return {
            "data": str(self.config.data),
            "fingerprint": fingerprint(self.pages),
            "model": str(pin_step(self.config.model or "the shipped model")),
            "limit": self.config.limit,
            "threads": self.threads,
            "readers": {PIXREAD: None} | self.versions,
            "scoring": SCORING,
        }

    @property
    def versions(self) -> dict[str, str]:
        """Those of the peers."""
        return {peer.title: version for peer, version in self.peers.versions}

    @property
    def description(self) -> str:
        """The readers, in words."""
        readers = [
            f"{PIXREAD} with {self.settings['model']}",
            *(f"{name} {version}" for name, version in self.versions.items()),
        ]
        return f"{', '.join(readers)}; {self.threads} thread{'s' if self.threads > 1 else ''} each"


def bench_read(config: ReadConfig, *, progress: Progress | None = None) -> Report:
    """Read every page by every reader and score it. progress: called with (pages done, pages in all, scores so far).

    ValueError, in one sentence, for shards that hold no pages and for peers that are unknown or not installed;
    RuntimeError when a reader fails.
    """
    if config.out is None:
        return _read(config, progress)
    with claimed(config.out):
        return _read(config, progress)


def _read(config: ReadConfig, progress: Progress | None) -> Report:
    plan = make_plan(config)
    journal = Journal(config.out, plan.settings, resume=config.resume)
    done = {result.index for result in journal.results}
    remaining = [index for index in plan.indices if index not in done]
    for result in _results(plan, remaining):
        journal.add(result)
        if progress is not None:
            progress(len(journal.results), len(plan.indices), mean_f1_so_far(journal.results))
    results = sorted(journal.results, key=lambda result: result.index)
    report, metrics = _report(plan, results)
    if config.out is not None:
        from pixread.bench.reading.gallery import write_gallery

        write_gallery(config.out / PAGES_GALLERY, report, results, plan.pages, metrics[PIXREAD])
    journal.finish()
    return report


def make_plan(config: ReadConfig) -> ReadingPlan:
    from pixread.evaluate.shard_sets import evenly_spaced, find_shard_sets, sibling_sets, task_of
    from pixread.shards import ShardSet

    peers = chosen_peers(config.against)
    sets = find_shard_sets(config.data, task=PAGES.name)
    pages = ShardSet(sets)
    if task_of(pages) != PAGES.name:
        raise ValueError(f"{config.data} holds no whole pages; pixread render --targets lines,parse makes them")
    indices = evenly_spaced(pages, config.limit)
    if not indices:
        raise ValueError(f"there is nothing to read: {config.data} holds no pages")
    region_sets = sibling_sets(sets, REGIONS.name)
    region_set = ShardSet(region_sets) if region_sets else []
    regions: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(region_set.groups() if isinstance(region_set, ShardSet) else ()):
        if group:  # without one nobody knows whose region it is
            regions[group].append(index)
    threads = config.threads or num_cores()
    return ReadingPlan(config, pages, indices, regions, region_set, peers, threads)


def _results(plan: ReadingPlan, indices: Sequence[int]) -> Iterator[PageResult]:
    """The scored pages at these indices, one after the other."""
    if not indices:
        return
    with tempfile.TemporaryDirectory() as folder, open_readers(plan) as readers:
        picture = Path(folder) / "page.png"
        write_picture(plan.pages[indices[0]], PAGES, picture)
        warm_up_readers(readers, picture)
        for index in indices:
            example = plan.pages[index]
            write_picture(example, PAGES, picture)
            outputs = {name: read_picture(process, picture) for name, process in readers.items()}
            region_indices = plan.regions.get(example.group_id, ())
            regions = [_region(readers[PIXREAD], plan.region_set[region], picture) for region in region_indices]
            yield page_result(index, example, outputs, regions)


@contextlib.contextmanager
def open_readers(plan: ReadingPlan) -> Iterator[Mapping[str, WorkerProcess]]:
    """Every reader by name, in a process of its own, with its models loaded."""
    processes: dict[str, WorkerProcess] = {}
    threads = plan.threads
    with all_closed(processes):
        processes[PIXREAD] = WorkerProcess(PIXREAD_READER, threads=threads, model=plan.config.model)
        for peer, _ in plan.peers.versions:
            processes[peer.title] = WorkerProcess(peer.make, threads=threads, num_threads=threads)
        yield processes


def write_picture(example: Example, evaluation_task: EvaluationTask, picture: Path) -> ReaderInput:
    """Writes the picture as evaluation shows it to readers."""
    from pixread.images.open import open_picture

    reader_input = evaluation_task.prepare(example, open_picture(example.image, name=example.id))
    reader_input.image.save(picture, "PNG", compress_level=1)
    return reader_input


def warm_up_readers(readers: Mapping[str, WorkerProcess], picture: Path) -> None:
    """Every reader reads a picture that does not count."""
    for process in readers.values():
        process.call("read", picture=str(picture))


def read_picture(process: WorkerProcess, picture: Path) -> dict[str, Any]:
    """A reader's output for a picture, and its peak memory: its own, unless it tells that of a program it ran."""
    response = process.call("read", picture=str(picture))
    return {"memory_mib": response.peak_mib.get("memory"), **response.result}


def _region(process: WorkerProcess, example: Example, picture: Path) -> Mapping[str, float]:
    """The scores of pixread's reading of a region of a page."""
    reader_input = write_picture(example, REGIONS, picture)
    assert reader_input.region is not None, "every example of this task has a region"
    return region_scores(
        example, process.call("read", picture=str(picture), region=reader_input.region.as_list()).result
    )


def mean_f1_so_far(results: Sequence[PageResult]) -> str:
    """The mean F1 of every reader."""
    means = {
        name: sum(result.readings[name].scores["f1"] for result in results) / len(results)
        for name in results[0].readings
    }
    return "word F1 " + ", ".join(f"{name} {value:.3f}" for name, value in means.items())


def _report(plan: ReadingPlan, results: Sequence[PageResult]) -> tuple[Report, dict[str, dict[str, Any]]]:
    metrics = metrics_of(results, plan.pages)
    versions = plan.versions
    notes = (plan.description, *notes_of(results, metrics), *plan.peers.notes)
    reliability = reliability_of(results)
    about = {"settings": plan.settings, "versions": versions, "metrics": metrics}
    report = Report(
        "read",
        f"Reading {len(results)} screenshots",
        tuple(figures_of(results, metrics)),
        this_machine(),
        notes=notes,
        about=about | {"reliability": reliability_json(reliability)},
        breakdowns=reliability_tables(reliability),
    )
    return report, metrics
