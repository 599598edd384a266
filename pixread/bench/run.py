"""The benches by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pixread.bench.machine import this_machine
from pixread.bench.read import DEMO, bench_read
from pixread.bench.render import bench_render
from pixread.bench.report import Figure, Report
from pixread.bench.train import bench_train

WHAT = {
    "render": "Rendering pages, all targets",
    "read": "Reading whole pages",
    "train": "Training from fresh weights",
}
NAMES = tuple(WHAT)


def run(
    name: str,
    *,
    pages: Path | None = None,
    num_workers: Sequence[int] = (1, 2),
    pictures: Sequence[Path] = (DEMO,),
    model: str | None = None,
    dtypes: Sequence[str] = ("float32", "bfloat16"),
    data: Path | None = None,
    recipes: Sequence[str] = ("line-words",),
    steps: int = 60,
    overrides: Mapping[str, str] | None = None,
    repeats: int = 3,
    out: Path | None = None,
) -> Report:
    """Run one bench and return its report; with `out`, write it to `out/NAME.json` as well.

    `render` takes `pages` (as `pixread render` does) and `num_workers`; `read` takes `pictures`, `model` and `dtypes`;
    `train` takes `recipes`, `data` (for recipes that need shards), `steps` and `overrides` of fields of the recipes.
    ValueError for a bench that does not exist or lacks its pages; RuntimeError when a measured command fails.
    """
    if name not in WHAT:
        raise ValueError(f"there is no bench {name!r}; choose from {', '.join(NAMES)}")
    figures: tuple[Figure, ...]
    if name == "render":
        if pages is None:
            raise ValueError("the render bench needs pages: name a folder of HTML files with --pages")
        figures = bench_render(pages, num_workers=num_workers, repeats=repeats)
    elif name == "read":
        figures = bench_read(pictures, model=model, dtypes=dtypes, repeats=repeats)
    else:
        figures = bench_train(recipes, data=data, steps=steps, overrides=overrides or {}, repeats=repeats)
    report = Report(name=name, what=WHAT[name], figures=figures, machine=this_machine())
    if out is not None:
        write(report, out)
    return report


def write(report: Report, out: Path) -> Path:
    """Write the report as JSON into a folder, aside first, and return the file."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{report.name}.json"
    aside = path.with_suffix(".writing")
    aside.write_text(report.as_json() + "\n", encoding="utf-8")
    return aside.replace(path)
