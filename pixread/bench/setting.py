"""What the benches of the network share: which model, on what machine, how often; and the processes that hold it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixread.bench import floor
from pixread.bench.compare import least_ratios
from pixread.bench.floor import Rates
from pixread.bench.live import Answer, LiveProcess, all_closed
from pixread.bench.machine import num_cores
from pixread.bench.report import Figure
from pixread.bench.variants import MISSING, Variant, has_transformers

if TYPE_CHECKING:
    from pixread.models.pix2struct import Pix2StructConfig

TASKS = "pixread.bench.tasks:Tasks"
FLOOR = "pixread.bench.floor:Floor"
LOADING = "loading"
PLACES = {"memory": "peak memory (MiB)", "gpu": "peak memory of the GPU (MiB)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """model: a checkpoint folder or Hub name; None for weights of chance in `size`. repeats: turns of each variant.

    threads: of each process; 0 is as many as there are cores. device: auto, cpu or cuda. dtypes: of ours; None is all.
    """

    model: str | None = None
    size: str = "base"
    dtypes: tuple[str, ...] | None = None
    repeats: int = 3
    threads: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.repeats < 1:
            raise ValueError(f"a bench needs at least 1 repeat, got {self.repeats}")
        if self.threads < 0:
            raise ValueError(f"the number of threads must be at least 0, got {self.threads}")

    @property
    def kind(self) -> str:
        """cpu or cuda. ValueError for a device that this machine does not have."""
        from pixread.checkpoints.placement import find_device

        return find_device(self.device).type


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A setting made concrete: the checkpoint's folder and shape, the device, and what the machine can do."""

    setting: Setting
    folder: Path
    config: Pix2StructConfig
    device: str
    threads: int
    rates: Rates

    @property
    def notes(self) -> tuple[str, ...]:
        """What a table says below it."""
        model = self.setting.model or f"random weights, size {self.setting.size}"
        missing = () if has_transformers() else (MISSING,)
        return (f"{model}; {self.device}, {self.threads} threads", f"The machine {self.rates}", *missing)

    @property
    def about(self) -> dict[str, Any]:
        """What the JSON says of it."""
        shape = asdict(self.config)
        return {"setting": asdict(self.setting), "threads": self.threads, "device": self.device, "model": shape} | {
            "rates": asdict(self.rates)
        }


def make_ground(setting: Setting) -> Ground:
    """Find or make the checkpoint, and measure the machine. ValueError for a model or device that is not there."""
    from pixread.bench.random_model import random_checkpoint
    from pixread.bench.tasks import read_config
    from pixread.checkpoints.find import find_checkpoint

    device = setting.kind
    folder = random_checkpoint(setting.size) if setting.model is None else find_checkpoint(setting.model)
    threads = setting.threads or num_cores()
    sizes = {"num_bytes": floor.NUM_BYTES, "side": floor.SIDE}
    with LiveProcess(FLOOR, threads=threads, device=device, **sizes) as probe:
        rates = Rates(**probe.do("rates").found)
    return Ground(
        setting=setting,
        folder=Path(folder),
        config=read_config(str(folder)),
        device=device,
        threads=threads,
        rates=rates,
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """The variants at work: a process each, and what loading took."""

    processes: dict[str, LiveProcess] = field(default_factory=dict)
    loading: list[Figure] = field(default_factory=list)

    def everyone(self, variants: Sequence[Variant], method: str, **options: Any) -> dict[str, Answer]:
        """Ask the same of several, one after the other."""
        return {one.name: self.processes[one.name].do(method, **options) for one in variants}


@contextlib.contextmanager
def stage(ground: Ground, variants: Sequence[Variant], *, make: str = TASKS, **options: Any) -> Iterator[Stage]:
    """All variants loaded, each in a process of its own, until the block is left. options: further ones of `make`."""
    found = Stage()
    with all_closed(found.processes):
        for one in variants:
            process = LiveProcess(
                make,
                threads=ground.threads,
                subject=one.subject,
                folder=str(ground.folder),
                device=ground.device,
                options=dict(one.options),
                **options,
            )
            found.processes[one.name] = process
            found.loading.append(Figure(one.name, "seconds, imports included", (process.made.seconds,), LOADING))
            peaks = process.made.peak_mib.items()
            found.loading.extend(Figure(one.name, PLACES[place], (peak,), LOADING) for place, peak in peaks)
        yield found


def highest(*answers: Answer) -> Mapping[str, float]:
    """The highest peaks of several requests, as measured quantities."""
    places = dict.fromkeys(place for answer in answers for place in answer.peak_mib)
    return {PLACES[place]: max(answer.peak_mib.get(place, 0.0) for answer in answers) for place in places}


def memory_figures(figures: Sequence[Figure], variants: Sequence[Variant]) -> list[Figure]:
    """The peaks among the figures of one case, and ours in parts of those of transformers."""
    found = []
    for name in PLACES.values():
        found += [figure for figure in figures if figure.name == name] + least_ratios(figures, name, variants)
    return found
