"""Encoding: pictures to all that the decoder reads of them, cross keys and values included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Figure, Measured, Report, take_turns
from pixread.bench.harness.worker_process import WorkerProcess
from pixread.bench.network.bench_config import (
    BenchConfig,
    BenchEnvironment,
    VariantProcesses,
    make_environment,
    memory_figures,
    peak_memory,
    variant_processes,
)
from pixread.bench.network.flops import encode_cost
from pixread.bench.network.random_batch import evenly_spread
from pixread.bench.network.ratios import roofline_figures, speed_ratios
from pixread.bench.network.variants import Variant, select_variants

ENCODE_SECONDS, PICTURES_PER_S = "encoding (s)", "pictures/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeCase:
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
        return evenly_spread(self.patches, count=self.rows) if self.mixed else [self.patches] * self.rows


def bench_encode(
    bench_config: BenchConfig, *, batch_sizes: Sequence[int] = (1, 2), patches: Sequence[int] = (2048,)
) -> Report:
    """Encode pictures of every number of `patches` in every batch size, and the largest batch with mixed sizes."""
    variants = select_variants("encode", dtypes=bench_config.dtypes, device=bench_config.device_type)
    environment = make_environment(bench_config)
    figures: list[Figure] = []
    with variant_processes(environment, variants) as loaded:
        for case in encode_cases(batch_sizes=batch_sizes, patches=patches):
            figures += measure_encoding(case, loaded, variants, environment)
        figures += loaded.loading
    what = "Encoding: the encoder, and the decoder's cross keys and values"
    return Report("encode", what, tuple(figures), this_machine(), notes=environment.notes, about=environment.about)


def encode_cases(*, batch_sizes: Sequence[int], patches: Sequence[int]) -> Iterator[EncodeCase]:
    for size in patches:
        yield from (EncodeCase(rows=rows, patches=size) for rows in batch_sizes)
        if max(batch_sizes) > 1:
            yield EncodeCase(rows=max(batch_sizes), patches=size, mixed=True)


def measure_encoding(
    case: EncodeCase, loaded: VariantProcesses, variants: Sequence[Variant], environment: BenchEnvironment
) -> list[Figure]:
    """All figures of one case, in the order of the table."""
    loaded.call_each(variants, "prepare", sizes=case.sizes)
    loaded.call_each(variants, "encode")
    turns = {variant.name: partial(encode_turn, case, loaded.processes[variant.name]) for variant in variants}
    measured = take_turns(turns, repeats=environment.bench_config.repeats, case=case.name)
    rooflines = {
        variant.name: environment.rates.seconds(
            encode_cost(
                environment.config,
                case.sizes,
                dtype=variant.encoder or variant.dtype,
                normed_input_dtype=variant.normed_input_dtype,
            )
        )
        for variant in variants
    }
    loaded.call_each(variants, "release")
    speeds = [figure for figure in measured if figure.name in {ENCODE_SECONDS, PICTURES_PER_S}]
    return [
        *speeds,
        *speed_ratios(measured, ENCODE_SECONDS, variants),
        *roofline_figures(measured, ENCODE_SECONDS, rooflines),
        *memory_figures(measured, variants),
    ]


def encode_turn(case: EncodeCase, process: WorkerProcess) -> Measured:
    encoded = process.call("encode")
    return {ENCODE_SECONDS: encoded.result, PICTURES_PER_S: case.rows / encoded.result, **peak_memory(encoded)}
