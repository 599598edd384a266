"""`pixread bench NAME`: the commands that measure."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixread.cli.terminal import named_values, progress_bar, say, show_table
from pixread.files import claimed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pixread.bench.harness.report import Report
    from pixread.bench.network.bench_config import BenchConfig

WIDE = 220  # columns of a table that nobody looks at in a terminal

bench = typer.Typer(help="Measure speed and memory, beside others and the machine.", no_args_is_help=True)

Model = Annotated[str | None, typer.Option(help="Checkpoint folder or Hub name, else random weights.")]
Size = Annotated[str, typer.Option(help="Size of the random weights: nano, base or large.")]
BatchSizes = Annotated[str, typer.Option(help="Pictures in a batch, commas between.")]
Patches = Annotated[str, typer.Option(help="Patches of a picture, commas between.")]
Dtypes = Annotated[str | None, typer.Option(help="Which of pixread's variants, commas between, else all.")]
Repeats = Annotated[int, typer.Option(min=1, help="Measure so often, in turns.")]
Threads = Annotated[int, typer.Option(min=0, help="Threads of each process; 0: one a core.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Out = Annotated[Path | None, typer.Option(help="Also write the figures as JSON to this folder.")]


@bench.command()
def generate(
    model: Model = None,
    size: Size = "base",
    batch_sizes: BatchSizes = "1,16",
    patches: Patches = "2048",
    tokens: Annotated[int, typer.Option(min=2, help="Tokens of a whole read; batches and beams: a quarter.")] = 64,
    beams: Annotated[str, typer.Option(help="Numbers of beams, commas between.")] = "4",
    dtypes: Dtypes = None,
    repeats: Repeats = 3,
    threads: Threads = 0,
    device: Device = "auto",
    out: Out = None,
) -> None:
    """Decoding: whole reads, steps, batches and beams, and whether the outputs are those of transformers."""
    from pixread.bench.network.generate import bench_generate

    config = _bench_config(model=model, size=size, dtypes=dtypes, repeats=repeats, threads=threads, device=device)
    counts = {"batch_sizes": _numbers(batch_sizes, "--batch-sizes"), "patches": _numbers(patches, "--patches")}
    _show(lambda: bench_generate(config, tokens=tokens, beams=_numbers(beams, "--beams"), **counts), out)


@bench.command()
def encode(
    model: Model = None,
    size: Size = "base",
    batch_sizes: BatchSizes = "1,2",
    patches: Patches = "2048",
    dtypes: Dtypes = None,
    repeats: Repeats = 3,
    threads: Threads = 0,
    device: Device = "auto",
    out: Out = None,
) -> None:
    """Encoding: pictures of one size and of several."""
    from pixread.bench.network.encode import bench_encode

    config = _bench_config(model=model, size=size, dtypes=dtypes, repeats=repeats, threads=threads, device=device)
    counts = {"batch_sizes": _numbers(batch_sizes, "--batch-sizes"), "patches": _numbers(patches, "--patches")}
    _show(lambda: bench_encode(config, **counts), out)


@bench.command()
def constrained(
    model: Model = None,
    size: Size = "base",
    batch_sizes: BatchSizes = "1,8",
    patches: Patches = "2048",
    tokens: Annotated[int, typer.Option(min=2, help="Tokens of an output.")] = 32,
    dtypes: Dtypes = None,
    repeats: Repeats = 3,
    threads: Threads = 0,
    device: Device = "auto",
    out: Out = None,
) -> None:
    """Constrained decoding: a step with the grammar and without, and its logits processor alone."""
    from pixread.bench.network.constrained import bench_constrained

    config = _bench_config(model=model, size=size, dtypes=dtypes, repeats=repeats, threads=threads, device=device)
    counts = {"batch_sizes": _numbers(batch_sizes, "--batch-sizes"), "patches": _numbers(patches, "--patches")}
    _show(lambda: bench_constrained(config, tokens=tokens, **counts), out)


@bench.command("train")
def measure_training(
    model: Model = None,
    size: Size = "base",
    batch_sizes: BatchSizes = "1",
    patches: Patches = "2048",
    tokens: Annotated[int, typer.Option(min=1, help="Labels of a picture.")] = 64,
    dtypes: Dtypes = None,
    repeats: Repeats = 3,
    threads: Threads = 0,
    device: Device = "auto",
    out: Out = None,
) -> None:
    """Training: one step, forward, backward and optimizer, on a fixed batch."""
    from pixread.bench.network.train import bench_train

    config = _bench_config(model=model, size=size, dtypes=dtypes, repeats=repeats, threads=threads, device=device)
    counts = {"batch_sizes": _numbers(batch_sizes, "--batch-sizes"), "patches": _numbers(patches, "--patches")}
    _show(lambda: bench_train(config, tokens=tokens, **counts), out)


@bench.command()
def startup(
    model: Annotated[
        str | None, typer.Option(help="The checkpoint of the cold read, else the shipped page reader.")
    ] = None,
    repeats: Repeats = 3,
    out: Out = None,
) -> None:
    """Starting up: imports, --help, and a cold process that reads a small picture."""
    from pixread.bench.commands.startup import bench_startup

    _show(lambda: bench_startup(model=model, repeats=repeats), out)


@bench.command("render")
def measure_rendering(
    pages: Annotated[Path, typer.Option(help="Folder of HTML files, or a list, as `pixread render` takes them.")],
    workers: Annotated[str, typer.Option(help="Numbers of workers, commas between.")] = "2,3",
    repeats: Repeats = 3,
    out: Out = None,
) -> None:
    """Rendering: pages a second with all targets, and whether memory stays flat."""
    from pixread.bench.commands.render import bench_render

    _show(lambda: bench_render(pages, num_workers=_numbers(workers, "--workers"), repeats=repeats), out)


@bench.command()
def pages(
    picture: Annotated[list[Path] | None, typer.Option(help="Pictures to read, else the demo page.")] = None,
    model: Annotated[str | None, typer.Option(help="The model, else the shipped page reader.")] = None,
    dtypes: Annotated[str, typer.Option(help="What to compute in, commas between.")] = "float32,auto,bfloat16",
    repeats: Repeats = 3,
    out: Out = None,
) -> None:
    """Reading whole pages."""
    from pixread.bench.commands.pages import DEMO, bench_pages

    _show(lambda: bench_pages(picture or (DEMO,), model=model, dtypes=dtypes.split(","), repeats=repeats), out)


@bench.command()
def read(
    data: Annotated[Path, typer.Option(help="Folder of shards that pixread render --targets lines,parse made.")],
    model: Annotated[str | None, typer.Option(help="The model, else the shipped page reader.")] = None,
    against: Annotated[
        str | None, typer.Option(help="tesseract, rapidocr, with a comma between, or none; else all that are there.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many pages, spread evenly.")] = None,
    threads: Threads = 0,
    out: Annotated[
        Path | None, typer.Option(help="Also write read.json, pages.jsonl and pages.html to this folder.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run in --out.")] = False,
    conditions: Annotated[
        bool, typer.Option("--conditions", help="Read the pages compressed, blurred, turned, photographed ... as well.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="CONDITION", help="Of --conditions this one; may be given several times."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--pages", help="HTML of the pages, to render them for a phone, in dark ... as further conditions."
        ),
    ] = None,
) -> None:
    """Reading screenshots: words, time and structure, beside Tesseract and RapidOCR."""
    from pixread.bench.reading import read, read_conditions

    if resume and out is None:
        raise typer.BadParameter("--resume needs --out, the folder of the interrupted run")
    if (only or html) and not conditions:
        raise typer.BadParameter(f"{'--only' if only else '--pages'} needs --conditions")
    peers = None if against is None else tuple(against.split(","))
    config = read.ReadConfig(
        data=data, model=model, against=peers, limit=limit, threads=threads, out=out, resume=resume
    )
    with progress_bar("pages") as show:
        if conditions:
            chosen = read_conditions.ConditionsConfig(read=config, only=tuple(only) if only else None, pages=html)
            _show(lambda: read_conditions.bench_conditions(chosen, progress=show), out)
        else:
            _show(lambda: read.bench_read(config, progress=show), out)
    if out is not None:
        say(f"wrote {out / (read_conditions.CONDITIONS_GALLERY if conditions else read.PAGES_GALLERY)}")


@bench.command()
def recipes(
    recipe: Annotated[list[str] | None, typer.Option(help="Recipes, else line-detector and line-recogniser.")] = None,
    data: Annotated[Path | None, typer.Option(help="Shard set, for recipes that need one.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change a field of the recipes.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps of a run.")] = 60,
    repeats: Repeats = 3,
    out: Out = None,
) -> None:
    """Whole training runs: samples a second, and the time spent waiting for data."""
    from pixread.bench.commands.recipes import bench_recipes

    overrides = named_values(changes or [])
    chosen = recipe or ["line-detector", "line-recogniser"]
    _show(lambda: bench_recipes(chosen, data=data, steps=steps, overrides=overrides, repeats=repeats), out)


def _bench_config(*, dtypes: str | None, **options: object) -> BenchConfig:
    from pixread.bench.network.bench_config import BenchConfig

    return BenchConfig(dtypes=None if dtypes is None else tuple(dtypes.split(",")), **options)  # type: ignore[arg-type]


def _show(measure: Callable[[], Report], out: Path | None) -> None:
    """Prints the tables and writes the JSON."""
    with nullcontext() if out is None else claimed(out):
        try:
            report = measure()
        except RuntimeError as error:  # a measured command or process failed, and says why
            raise ValueError(str(error)) from error
        if out is not None:
            report.write(out)
    show_table(report.table(), width=WIDE)
    for breakdown in report.breakdowns:
        show_table(breakdown.table(), width=WIDE)


def _numbers(text: str, option: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{option} takes whole numbers with commas between, got {text!r}") from error
    if min(found) < 1:
        raise typer.BadParameter(f"{option} takes numbers of at least 1, got {min(found)}")
    return found
