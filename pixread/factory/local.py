"""Pages to shard sets on this machine: `pixread render`.

The pages are cut into chunks, worker processes (each with its own browser) write the examples of a chunk beside each
other in any order, and the finished chunks are joined in the order of the pages. So the shards do not depend on the
number of workers or on who was first, memory holds a few pages only, and an interrupted run is continued at the first
unfinished chunk.

A page that cannot be rendered is skipped and its reason counted. A worker that dies or hangs over a page is replaced;
if the page does it twice, it is skipped.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixread.factory.pool import run_chunks
from pixread.factory.sources import Source, find_pages
from pixread.factory.worker import (
    TARGETS,
    Chunk,
    OpenRenderer,
    PageFinished,
    PageJob,
    RunPlan,
    chromium,
    part_path,
    record_path,
)
from pixread.files import claimed, read_json_object, remove_folder, write_text
from pixread.render.page import RenderSettings
from pixread.settings import with_fields
from pixread.shards import ShardSet, is_replaceable, join_files

PARTS = ".parts"
"""The folder of finished chunks, inside the output folder until the run is complete."""

SKIPPED = "skipped.tsv"
"""Every skipped page with its reason, beside the shard sets."""

HANG_TIMEOUT_S = 60.0
"""A worker that says nothing for this long, in seconds, beyond four times the time limit of a page, hangs."""

_CHUNK_PAGES = 4
_SKIPPED_COLUMNS = ("source", "reason", "message")  # of a skipped page


@dataclass(frozen=True, slots=True)
class RenderProgress:
    """How far a run is: pages of all, examples made, and skipped pages by reason."""

    total: int
    done: int
    num_examples: int
    skipped: Mapping[str, int]


def render_shards(
    sources: str | Path | Iterable[Source | str | Path],
    out: str | Path,
    *,
    targets: str | Sequence[str] = ("parse",),
    workers: int | None = None,
    seed: int = 0,
    vary: int = 0,
    settings: Mapping[str, Any] | None = None,
    render: RenderSettings | None = None,
    resume: bool = False,
    progress: Callable[[RenderProgress], None] | None = None,
    open_renderer: OpenRenderer = chromium,
) -> dict[str, Any]:
    """Renders the sources into one shard set a target, `out/TARGET`, and returns a report.

    Sources are what `find_pages` takes, folders and lists included; targets one or several. With `vary` each page is
    rendered that many times with fonts, sizes, colours and texts varied by seed; with 0 once, as it is. `settings`
    has the settings of targets that are not to use their defaults. `workers` is one more than there are cores unless
    given: browsers are waited for now and then. `progress` is called after every page.

    The report has the number of pages, those rendered, those skipped by reason, how many parts of pages (pictures,
    fonts) did not come in time, and the examples by target; the skipped pages by name are in `out/skipped.tsv`.
    ValueError for unusable arguments and for an output folder with an unfinished run of other arguments or that another
    run is writing to; OSError when no worker can go on.
    """
    chosen = _chosen_settings([targets] if isinstance(targets, str) else targets, settings or {})
    page_sources = find_pages(sources)
    workers = (os.cpu_count() or 1) + 1 if workers is None else workers
    _check_counts(workers=workers, vary=vary)
    render = render or RenderSettings()
    pages = _pages_of(page_sources, seed=seed, vary=vary)
    job = _describe(page_sources, seed=seed, vary=vary, settings=chosen, render=render)
    with claimed(out) as out:
        if resume and (report := _finished_report(out, job=job, targets=list(chosen))):
            return report
        parts = _open_parts(out, job=job, targets=list(chosen), resume=resume)
        chunks = [
            Chunk(number, tuple(pages[start : start + _CHUNK_PAGES]), {})
            for number, start in enumerate(range(0, len(pages), _CHUNK_PAGES))
        ]
        waiting = [chunk for chunk in chunks if not record_path(parts, chunk.number).exists()]
        counter = _PageCounter(
            len(pages), done=len(pages) - sum(len(chunk.pages) for chunk in waiting), progress=progress
        )
        plan = RunPlan(parts, chosen, render, open_renderer)
        hang_timeout_s = 4 * render.timeout_s + HANG_TIMEOUT_S
        run_chunks(waiting, plan=plan, workers=workers, hang_timeout_s=hang_timeout_s, on_page=counter.count)
        return _join(parts, out, job=job, targets=list(chosen), num_chunks=len(chunks), seed=seed)


def target_settings(changes: Mapping[str, object]) -> dict[str, Any]:
    """Settings of targets by name, from `{"crops.max_chars": "28"}`. ValueError names what does not exist."""
    chosen: dict[str, Any] = {}
    for name, value in changes.items():
        target, _, field = name.partition(".")
        if target not in TARGETS or not field:
            raise ValueError(f"{name!r} is no setting of a target: write TARGET.NAME with one of {', '.join(TARGETS)}")
        current = chosen.get(target, TARGETS[target].defaults)
        chosen[target] = with_fields(current, {field: value}, what=f"the target {target}")
    return chosen


class _PageCounter:
    """Counts finished pages and reports them to `progress`. A page that is rendered anew after a crash counts once."""

    def __init__(self, total: int, *, done: int, progress: Callable[[RenderProgress], None] | None) -> None:
        self._total, self._before, self._progress = total, done, progress
        self._finished: dict[int, PageFinished] = {}

    def count(self, finished: PageFinished) -> None:
        self._finished[finished.page] = finished
        if self._progress:
            skipped = Counter(page.skipped for page in self._finished.values() if page.skipped)
            num_examples = sum(page.num_examples for page in self._finished.values())
            self._progress(RenderProgress(self._total, self._before + len(self._finished), num_examples, dict(skipped)))


def _chosen_settings(targets: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    if not targets:
        raise ValueError(f"no target was given: name some of {', '.join(TARGETS)}")
    for name in [*targets, *settings]:
        if name not in TARGETS:
            raise ValueError(f"there is no target {name!r}: choose from {', '.join(TARGETS)}")
    return {name: settings.get(name, TARGETS[name].defaults) for name in targets}


def _check_counts(*, workers: int, vary: int) -> None:
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if vary < 0:
        raise ValueError(f"vary must be 0 (as it is) or the number of varied copies, got {vary}")


def _pages_of(sources: Sequence[Source], *, seed: int, vary: int) -> list[PageJob]:
    """Every rendering of the run, in order. Seeds depend on the source, not on its place in the list."""
    pages: list[PageJob] = []
    for source, copy in itertools.product(sources, range(max(1, vary))):
        rng = random.Random(f"page {seed} {copy} {source.name}")
        page_seed, vary_seed = rng.getrandbits(31), rng.getrandbits(31)
        pages.append(PageJob(len(pages), source, page_seed, vary_seed if vary else None))
    return pages


def _describe(
    sources: Sequence[Source], *, seed: int, vary: int, settings: Mapping[str, Any], render: RenderSettings
) -> dict[str, Any]:
    """Everything the examples depend on, as JSON: runs with the same description may be continued and joined."""
    return {
        "pages": len(sources),
        "sources": hashlib.sha256(
            "\n".join(source.name for source in sources).encode("utf-8", "surrogateescape")
        ).hexdigest(),
        "seed": seed,
        "vary": vary,
        "settings": {name: dataclasses.asdict(target) for name, target in settings.items()},
        "render": dataclasses.asdict(render),
        "version": importlib.metadata.version("pixread"),
    }


def _open_parts(out: Path, *, job: Mapping[str, Any], targets: Sequence[str], resume: bool) -> Path:
    """The folder for finished chunks: that of the interrupted run, or a new one."""
    for name in targets:
        if (out / name).exists() and not is_replaceable(out / name):
            raise ValueError(f"{out / name} exists and is not a shard set: give another folder or empty it first")
    parts = out / PARTS
    job_file = parts / "job.json"
    text = json.dumps(job, indent=1, sort_keys=True) + "\n"
    if any(parts.glob("[0-9]*.json")):
        if not resume:
            raise ValueError(f"{out} holds an interrupted run: continue it with resume, or delete {parts}")
        if not job_file.is_file() or job_file.read_text(encoding="utf-8", errors="replace") != text:
            raise ValueError(f"{out} holds an interrupted run of other pages or settings: delete {parts} to start anew")
        return parts
    parts.mkdir(parents=True, exist_ok=True)
    write_text(job_file, text)
    return parts


def _join(
    parts: Path, out: Path, *, job: Mapping[str, Any], targets: Sequence[str], num_chunks: int, seed: int
) -> dict[str, Any]:
    """Makes the shard sets of the finished chunks, in order, and removes the chunks."""
    records = [_record(record_path(parts, number)) for number in range(num_chunks)]
    skipped = [page for record in records for page in record["skipped"]]
    rendered = sum(record["rendered"] for record in records)
    counts = dict(sorted(Counter(page["reason"] for page in skipped).items()))
    totals = {
        "pages": rendered + len(skipped),
        "rendered": rendered,
        "skipped": counts,
        "lost_parts": sum(record["lost_parts"] for record in records),
    }
    report: dict[str, Any] = totals | {"examples": {}}
    _write_skipped(skipped, out / SKIPPED)
    for name in targets:
        about = {"target": name, "job": dict(job)} | totals
        files = [part_path(parts, number, name) for number in range(num_chunks)]
        manifest = join_files(files, out / name, seed=seed, about=about)
        report["examples"][name] = manifest["count"]
    remove_folder(parts)
    return report


def _record(path: Path) -> dict[str, Any]:
    """What a worker has said of a chunk. ValueError where the file has been damaged since."""
    record = read_json_object(path)
    rendered, skipped = record.get("rendered"), record.get("skipped")
    is_complete = isinstance(skipped, list) and all(
        isinstance(page, dict) and all(isinstance(page.get(key), str) for key in _SKIPPED_COLUMNS) for page in skipped
    )
    if not isinstance(rendered, int) or not isinstance(record.get("lost_parts"), int) or not is_complete:
        raise ValueError(f"{path} is not the record of rendered pages: delete {path.parent} to start anew")
    return record


def _write_skipped(skipped: Sequence[Mapping[str, str]], path: Path) -> None:
    """A table of source, reason and message; white space in them would break it."""
    rows = [[" ".join(page[key].split()) for key in _SKIPPED_COLUMNS] for page in skipped]
    write_text(path, "".join("\t".join(row) + "\n" for row in [_SKIPPED_COLUMNS, *rows]), errors="surrogateescape")


def _finished_report(out: Path, *, job: Mapping[str, Any], targets: Sequence[str]) -> dict[str, Any] | None:
    """The report of the same run, if it has been completed before."""
    if (out / PARTS).exists():
        return None
    report: dict[str, Any] = {"examples": {}}
    for name in targets:
        with contextlib.suppress(ValueError, KeyError):
            manifest = ShardSet(out / name).manifest
            about = manifest["about"]
            if about.get("job") == json.loads(json.dumps(job)):
                report |= {key: about[key] for key in ("pages", "rendered", "skipped")}
                report["lost_parts"] = about.get("lost_parts", 0)
                report["examples"][name] = manifest["count"]
    return report if len(report["examples"]) == len(targets) else None
