"""What the benches of the network share: which model, on what machine, how often; and the processes that hold it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.bench.harness.machine import num_cores
from pixread.bench.harness.report import Figure
from pixread.bench.harness.worker_process import Response, WorkerProcess, all_closed
from pixread.bench.network import roofline
from pixread.bench.network.ratios import memory_ratios
from pixread.bench.network.roofline import PeakRates
from pixread.bench.network.variants import MISSING, Variant, has_transformers

if TYPE_CHECKING:
    from pixread.models.pix2struct.config import Pix2StructConfig

SUBJECT_WORKER = "pixread.bench.network.subject:SubjectWorker"
ROOFLINE_PROBE = "pixread.bench.network.roofline:RooflineProbe"
LOADING = "loading"
PEAK_NAMES = {"memory": "peak memory (MiB)", "gpu": "peak memory of the GPU (MiB)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchConfig:
    """Which model a bench of the network measures, and how."""

    model: str | None = None  # checkpoint folder or Hub name; None is random weights of `size`
    size: str = "base"
    dtypes: tuple[str, ...] | None = None  # of pixread's variants; None is all
    repeats: int = 3  # turns of each variant
    threads: int = 0  # of each process; 0 is as many as there are cores
    device: str = "auto"  # auto, cpu or cuda

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise ValueError(f"a bench needs at least 1 repeat, got {self.repeats}")
        if self.threads < 0:
            raise ValueError(f"the number of threads must be at least 0, got {self.threads}")

    @property
    def device_type(self) -> str:
        """cpu or cuda. ValueError for a device that this machine does not have."""
        from pixread.checkpoints.placement import find_device

        return find_device(self.device).type


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensCase:
    """A batch of pictures of so many patches, with so many tokens each: labels, or of an output."""

    rows: int
    patches: int
    tokens: int

    @property
    def name(self) -> str:
        pictures = "1 picture" if self.rows == 1 else f"{self.rows} pictures"
        return f"{pictures} of {self.patches} patches, {self.tokens} tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchEnvironment:
    """A BenchConfig made concrete on this machine."""

    bench_config: BenchConfig
    folder: Path  # of the checkpoint
    config: Pix2StructConfig
    device: str  # cpu or cuda
    threads: int
    rates: PeakRates

    @property
    def notes(self) -> tuple[str, ...]:
        """The lines below the table."""
        model = self.bench_config.model or f"random weights, size {self.bench_config.size}"
        missing = () if has_transformers() else (MISSING,)
        return (f"{model}; {self.device}, {self.threads} threads", f"The machine {self.rates}", *missing)

    @property
    def about(self) -> dict[str, Any]:
        """What the JSON has beside the figures."""
        settings, shape = asdict(self.bench_config), asdict(self.config)
        return {"setting": settings, "threads": self.threads, "device": self.device, "model": shape} | {
            "rates": asdict(self.rates)
        }


def make_environment(bench_config: BenchConfig) -> BenchEnvironment:
    """Find or make the checkpoint, and measure the machine. ValueError for a model or device that is not there."""
    from pixread.bench.network.random_model import random_checkpoint
    from pixread.bench.network.subject import read_config
    from pixread.checkpoints.resolve import resolve

    device = bench_config.device_type
    model = bench_config.model
    folder = random_checkpoint(bench_config.size) if model is None else resolve(model)
    threads = bench_config.threads or num_cores()
    sizes = {"num_bytes": roofline.NUM_BYTES, "side": roofline.SIDE}
    with WorkerProcess(ROOFLINE_PROBE, threads=threads, device=device, **sizes) as probe:
        rates = PeakRates(**probe.call("rates").result)
    return BenchEnvironment(
        bench_config=bench_config,
        folder=Path(folder),
        config=read_config(str(folder)),
        device=device,
        threads=threads,
        rates=rates,
    )


@dataclass(frozen=True, slots=True)
class VariantProcesses:
    """The loaded variants."""

    processes: dict[str, WorkerProcess] = field(default_factory=dict)  # by variant
    loading: list[Figure] = field(default_factory=list)  # what loading took

    def call_each(self, variants: Sequence[Variant], method: str, **options: Any) -> dict[str, Response]:
        """Call the same method of several variants, one after the other."""
        return {variant.name: self.processes[variant.name].call(method, **options) for variant in variants}


@contextlib.contextmanager
def variant_processes(
    environment: BenchEnvironment, variants: Sequence[Variant], *, make: str = SUBJECT_WORKER, **options: Any
) -> Iterator[VariantProcesses]:
    """All variants loaded, each in a process of its own, until the block is left. options: further ones of `make`."""
    loaded = VariantProcesses()
    with all_closed(loaded.processes):
        for variant in variants:
            process = WorkerProcess(
                make,
                threads=environment.threads,
                subject=variant.subject,
                folder=str(environment.folder),
                device=environment.device,
                options=dict(variant.options),
                **options,
            )
            loaded.processes[variant.name] = process
            loaded.loading.append(
                Figure(variant.name, "seconds, imports included", (process.creation.seconds,), LOADING)
            )
            peaks = process.creation.peak_mib.items()
            loaded.loading.extend(Figure(variant.name, PEAK_NAMES[kind], (peak,), LOADING) for kind, peak in peaks)
        yield loaded


def peak_memory(*responses: Response) -> Mapping[str, float]:
    """The highest peaks of several requests, as measured quantities."""
    memory_kinds = dict.fromkeys(kind for response in responses for kind in response.peak_mib)
    return {PEAK_NAMES[kind]: max(response.peak_mib.get(kind, 0.0) for response in responses) for kind in memory_kinds}


def memory_figures(figures: Sequence[Figure], variants: Sequence[Variant]) -> list[Figure]:
    """The peaks among the figures of one case, and those of pixread in parts of those of transformers."""
    memory = []
    for name in PEAK_NAMES.values():
        memory += [figure for figure in figures if figure.name == name] + memory_ratios(figures, name, variants)
    return memory
