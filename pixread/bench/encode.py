"""Encoding: pictures to all that the decoder reads of them, cross keys and values included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pixread.bench.compare import floor_figures, speed_ratios
from pixread.bench.live import LiveProcess
from pixread.bench.machine import this_machine
from pixread.bench.pictures import mixed
from pixread.bench.report import Figure, Measured, Report, take_turns
from pixread.bench.setting import Ground, Setting, Stage, highest, make_ground, memory_figures, stage
from pixread.bench.variants import Variant, chosen
from pixread.bench.work import encode_work

SECONDS, RATE = "encoding (s)", "pictures/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Pictures of so many patches each; `mixed` ones are spread up to that, and padded where that is needed."""

    rows: int
    patches: int
    mixed: bool = False

    @property
    def name(self) -> str:
        pictures = "1 picture" if self.rows == 1 else f"{self.rows} pictures"
        patches = f"{min(self.sizes)} to {self.patches}" if self.mixed else str(self.patches)
        return f"{pictures} of {patches} patches"

    @property
    def sizes(self) -> list[int]:
        return mixed(self.patches, count=self.rows) if self.mixed else [self.patches] * self.rows


def bench_encode(setting: Setting, *, batch_sizes: Sequence[int] = (1, 2), patches: Sequence[int] = (2048,)) -> Report:
    """Encode pictures of every number of `patches` in every batch size, and the largest batch with mixed sizes."""
    variants = chosen("encode", dtypes=setting.dtypes, device=setting.kind)
    ground = make_ground(setting)
    figures: list[Figure] = []
    with stage(ground, variants) as live:
        for case in cases(batch_sizes=batch_sizes, patches=patches):
            figures += measure(case, live, variants, ground)
        figures += live.loading
    what = "Encoding: the encoder, and the decoder's cross keys and values"
    return Report("encode", what, tuple(figures), this_machine(), notes=ground.notes, about=ground.about)


def cases(*, batch_sizes: Sequence[int], patches: Sequence[int]) -> Iterator[Case]:
    for size in patches:
        yield from (Case(rows=rows, patches=size) for rows in batch_sizes)
        if max(batch_sizes) > 1:
            yield Case(rows=max(batch_sizes), patches=size, mixed=True)


def measure(case: Case, live: Stage, variants: Sequence[Variant], ground: Ground) -> list[Figure]:
    """All figures of one case, in the order of the table."""
    live.everyone(variants, "prepare", sizes=case.sizes)
    live.everyone(variants, "encode")
    turns = {one.name: partial(turn, case, live.processes[one.name]) for one in variants}
    found = take_turns(turns, repeats=ground.setting.repeats, case=case.name)
    floors = {
        one.name: ground.rates.seconds(
            encode_work(ground.config, case.sizes, dtype=one.encoder or one.dtype, norm_fed=one.norm_fed)
        )
        for one in variants
    }
    live.everyone(variants, "release")
    speeds = [figure for figure in found if figure.name in {SECONDS, RATE}]
    return [
        *speeds,
        *speed_ratios(found, SECONDS, variants),
        *floor_figures(found, SECONDS, floors),
        *memory_figures(found, variants),
    ]


def turn(case: Case, process: LiveProcess) -> Measured:
    encoded = process.do("encode")
    return {SECONDS: encoded.found, RATE: case.rows / encoded.found, **highest(encoded)}
