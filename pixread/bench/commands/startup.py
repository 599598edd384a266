"""Starting up: imports, `--help`, and a cold process that reads one small picture; and which imports take the time."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from pixread.bench.commands.pages import DEMO
from pixread.bench.harness.command import PIXREAD_COMMAND, run_command
from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Figure, Measured, Report, take_turns
from pixread.bench.network.ratios import memory_ratios, speed_ratios
from pixread.bench.network.variants import MISSING, Variant, has_transformers

SMALL = (0, 0, 320, 64)  # the part of the demo page that is read: left, top, right, bottom in pixels
_SAMPLE_EVERY_S = 0.02
SLOWEST = 8  # packages that are named
NO_PEER = "transformers has no reader of pages to compare with: --model CHECKPOINT starts both with that"
IMPORT, IMPORT_LOADER, HELP = "import of the package (s)", "import of what loads a model (s)", "--help (s)"
READ, COLD_MEMORY = "cold read of a small picture (s)", "cold read, peak memory (MiB)"
IMPORTS = "imports of a cold read, by package: seconds"

Command = Sequence[str]
Environment = Mapping[str, str]

STARTUP_VARIANTS = (
    Variant(name="pixread", benches=(), side="pixread", subject="", dtype="float32"),
    Variant(name="transformers", benches=(), side="default", subject="", dtype="float32"),
)


def bench_startup(*, model: str | None = None, repeats: int = 3) -> Report:
    """Start everything anew for every repeat; files are in the system's memory by then, modules compiled.

    model: a checkpoint, whose one pass over the picture is compared with that of transformers; None is the shipped page
    reader, which finds the lines of the picture and reads them. RuntimeError when a command fails.
    """
    from PIL import Image

    from pixread.checkpoints.resolve import resolve

    folder = None if model is None else str(resolve(model))
    compares = folder is not None and has_transformers()
    with tempfile.TemporaryDirectory() as temporary:
        picture = Path(temporary) / "small.png"
        with Image.open(DEMO) as page:
            page.crop(SMALL).save(picture)
        model_options = [] if folder is None else ["--model", folder]
        reads: dict[str, Command] = {"pixread": ["-m", "pixread", "parse", str(picture), *model_options]}
        if folder is not None and compares:
            reads["transformers"] = ["-m", "pixread.bench.commands.transformers_read", folder, str(picture)]
        env = bytecode_cache_env(temporary)
        for read in reads.values():
            cold_read(read, env)
        slowest = [figure for name, read in reads.items() for figure in slowest_imports(name, read, env)]
        loader_module = "pixread.reader.line_by_line" if folder is None else "pixread.reader.reader"
        measures = {"pixread": partial(pixread_startup, reads["pixread"], env, loader_module=loader_module)}
        if compares:
            measures["transformers"] = partial(transformers_startup, reads["transformers"], env)
        measured = take_turns(measures, repeats=repeats)
    ratios = [
        ratio for name in (IMPORT, IMPORT_LOADER, READ) for ratio in speed_ratios(measured, name, STARTUP_VARIANTS)[:1]
    ]
    figures = (*measured, *ratios, *memory_ratios(measured, COLD_MEMORY, STARTUP_VARIANTS), *slowest)
    notes = () if compares else (NO_PEER,) if folder is None else (MISSING,)
    return Report("startup", "Starting up, in seconds", figures, this_machine(), notes=notes)


def bytecode_cache_env(folder: str) -> Environment:
    """An environment whose modules stay compiled in a folder, as an installer leaves them, whatever this one says."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return own | {"PYTHONPYCACHEPREFIX": folder}


def pixread_startup(read: Command, env: Environment, *, loader_module: str) -> Measured:
    """loads: the module that loads the model."""
    return {
        IMPORT: import_seconds("import pixread", env),
        IMPORT_LOADER: import_seconds(f"import {loader_module}", env),
        HELP: run_command([*PIXREAD_COMMAND, "--help"], sample_every_s=_SAMPLE_EVERY_S, env=env).seconds,
        **cold_read(read, env),
    }


def transformers_startup(read: Command, env: Environment) -> Measured:
    return {
        IMPORT: import_seconds("import transformers", env),
        IMPORT_LOADER: import_seconds(
            "from transformers import AutoProcessor, Pix2StructForConditionalGeneration", env
        ),
        **cold_read(read, env),
    }


def import_seconds(statement: str, env: Environment) -> float:
    """What an import takes in a new interpreter, the interpreter's own start left out."""
    code = f"import time; at = time.perf_counter()\n{statement}\nprint(time.perf_counter() - at)"
    return float(run_command([sys.executable, "-c", code], env=env).output.splitlines()[-1])


def cold_read(read: Command, env: Environment) -> Measured:
    run = run_command([sys.executable, *read], sample_every_s=_SAMPLE_EVERY_S, env=env)
    return {READ: run.seconds, COLD_MEMORY: run.peak_mib}


def slowest_imports(name: str, read: Command, env: Environment) -> list[Figure]:
    """The packages whose modules take longest to import, slowest first; what they import in turn is not counted."""
    run = run_command([sys.executable, "-X", "importtime", *read], env=env)
    times = package_microseconds(run.errors)
    named = [*times.most_common(SLOWEST), ("all imports", times.total())]
    return [Figure(name, package, (count / 1e6,), IMPORTS) for package, count in named]


def package_microseconds(output: str) -> Counter[str]:
    """From what `python -X importtime` writes: the microseconds of each package's own modules, summed up."""
    microseconds: Counter[str] = Counter()
    for line in output.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and len(parts) == 3 and parts[0].strip().isdigit():
            microseconds[parts[2].strip().partition(".")[0]] += int(parts[0])
    return microseconds
