"""Decoding: a step, tokens a second and a whole read, for single pictures, batches, beams and mixed lengths."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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
from pixread.bench.network.flops import Cost, decode_step_cost
from pixread.bench.network.random_batch import evenly_spread
from pixread.bench.network.ratios import roofline_figures, speed_ratios
from pixread.bench.network.variants import Variant, select_variants

if TYPE_CHECKING:
    import numpy as np

WHOLE, ENCODING, STEP, TOKENS_PER_S = "whole read (s)", "encoding (s)", "a step (ms)", "tokens/s"
SAME_IDS = "rows with the ids of {}"
LOGIT_ERROR = "error of the logits against {}"
DISTINCT = 2  # different pictures in a batch: encoding more would take most of the bench
SHORTER = 4  # batches and beams write so much less: what they take a step does not depend on it
MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateCase:
    """So many pictures of so many patches, and their outputs: `tokens` each, or spread up to that."""

    rows: int
    patches: int
    tokens: int
    beams: int = 1
    mixed: bool = False

    @property
    def name(self) -> str:
        pictures = "1 picture" if self.rows == 1 else f"{self.rows} pictures"
        beams = f", {self.beams} beams" if self.beams > 1 else ""
        tokens = f"{min(self.lengths)} to {max(self.lengths)}" if self.mixed else str(self.tokens)
        return f"{pictures} of {self.patches} patches{beams}, {tokens} tokens"

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row."""
        return evenly_spread(self.tokens, count=self.rows) if self.mixed else [self.tokens] * self.rows

    @property
    def is_whole(self) -> bool:
        """One picture, read as users read: encoding is measured too, and transformers as it comes takes part."""
        return self.rows == self.beams == 1

    @property
    def tokens_after_first(self) -> int:
        return sum(self.lengths) - self.rows


def bench_generate(
    bench_config: BenchConfig,
    *,
    batch_sizes: Sequence[int] = (1, 16),
    patches: Sequence[int] = (2048,),
    tokens: int = 64,
    beams: Sequence[int] = (4,),
) -> Report:
    """Read pictures of every number of `patches` in every batch size, and one at a time with every number of beams.

    A step is the time of a whole output without its first token, over the steps between: what is computed once a
    picture (cross keys and values, which transformers makes in its first step) is not in it, but in the whole read.
    ValueError for less than 2 tokens.
    """
    if tokens < 2:
        raise ValueError(f"the generate bench needs at least 2 tokens, got {tokens}")
    variants = select_variants("generate", dtypes=bench_config.dtypes, device=bench_config.device_type)
    environment = make_environment(bench_config)
    figures: list[Figure] = []
    with variant_processes(environment, variants) as loaded:
        for case in generate_cases(batch_sizes=batch_sizes, patches=patches, tokens=tokens, beams=beams):
            figures += measure_decoding(case, loaded, variants, environment)
        figures += loaded.loading
    what = "Decoding: seconds of a read, milliseconds of a step"
    return Report("generate", what, tuple(figures), this_machine(), notes=environment.notes, about=environment.about)


def generate_cases(
    *, batch_sizes: Sequence[int], patches: Sequence[int], tokens: int, beams: Sequence[int]
) -> Iterator[GenerateCase]:
    """The single picture first, then beams, batches, and the largest batch once more with outputs of many lengths."""
    shorter = max(2, tokens // SHORTER)
    for size in patches:
        if 1 in batch_sizes:
            yield GenerateCase(rows=1, patches=size, tokens=tokens)
        yield from (GenerateCase(rows=1, patches=size, tokens=shorter, beams=count) for count in beams if count > 1)
        yield from (GenerateCase(rows=rows, patches=size, tokens=shorter) for rows in sorted(batch_sizes) if rows > 1)
        if max(batch_sizes) > 1:
            yield GenerateCase(rows=max(batch_sizes), patches=size, tokens=2 * shorter, mixed=True)


def measure_decoding(
    case: GenerateCase, loaded: VariantProcesses, variants: Sequence[Variant], environment: BenchEnvironment
) -> list[Figure]:
    """All figures of one case, in the order of the table."""
    available = [variant for variant in variants if case.is_whole or variant.side != "default"]
    ids: dict[str, list[list[int]]] = {}
    for variant in available:
        warm_up_decoding(case, loaded.processes[variant.name])
    turns = {
        variant.name: partial(decode_turn, case, loaded.processes[variant.name], ids, variant.name)
        for variant in available
    }
    measured = take_turns(turns, repeats=environment.bench_config.repeats, case=case.name)
    rooflines = {variant.name: roofline_seconds(case, variant, environment) for variant in available}
    figures = [figure for figure in measured if figure.name in {WHOLE, ENCODING}]
    figures += speed_ratios(measured, WHOLE, available)
    figures += [figure for figure in measured if figure.name in {STEP, TOKENS_PER_S}]
    figures += speed_ratios(measured, STEP, available) + roofline_figures(measured, STEP, rooflines, unit=MS)
    figures += memory_figures(measured, available)
    figures += same_ids(case, ids, reference(available))
    if case.is_whole:
        figures += logit_errors(case, loaded, available, ids)
    return figures


def warm_up_decoding(case: GenerateCase, process: WorkerProcess) -> None:
    """Everything once, briefly; the encoded pictures then serve all turns."""
    process.call("encode_batch", sizes=[case.patches] * min(case.rows, DISTINCT), rows=case.rows)
    process.call("decode", lengths=[2] * case.rows, beams=case.beams)


def decode_turn(case: GenerateCase, process: WorkerProcess, ids: dict[str, list[list[int]]], name: str) -> Measured:
    """One output from its beginning to its end, and its first token alone. The ids are left in `ids[name]`.

    A variant that tells when the first token was there does not decode it alone: the first step of transformers takes
    seconds for a batch, and the difference of two such is no measure of the others.
    """
    responses = [process.call("encode")] if case.is_whole else []
    encoding = responses[0].result if responses else None
    full = process.call("decode", lengths=case.lengths, beams=case.beams)
    ids[name] = full.result["ids"]
    responses.append(full)
    rest = full.result["after_first"]
    if rest is None:
        responses.append(process.call("decode", lengths=[1] * case.rows, beams=case.beams))
        first = responses[-1].result["seconds"]
        rest = full.result["seconds"] - first  # below 0 only where noise is longer than the steps
    return {
        WHOLE: None if encoding is None else encoding + full.result["seconds"],
        ENCODING: encoding,
        STEP: rest / (max(case.lengths) - 1) * MS if rest > 0 else None,
        TOKENS_PER_S: case.tokens_after_first / rest if rest > 0 else None,
        **peak_memory(*responses),
    }


def roofline_seconds(case: GenerateCase, variant: Variant, environment: BenchEnvironment) -> float | None:
    """The least time of a step, on average over the steps after the first; rows that have ended need nothing."""
    steps = range(1, max(case.lengths))
    step_seconds = [
        environment.rates.seconds({variant.stored: cost}) for cost in decode_step_costs(case, variant, environment)
    ]
    known_seconds = [seconds for seconds in step_seconds if seconds is not None]
    return sum(known_seconds) / len(steps) if len(known_seconds) == len(step_seconds) else None


def decode_step_costs(case: GenerateCase, variant: Variant, environment: BenchEnvironment) -> Iterator[Cost]:
    for past in range(1, max(case.lengths)):
        alive = sum(length > past for length in case.lengths)
        yield decode_step_cost(
            environment.config,
            [case.patches] * alive,
            past=past,
            beams=case.beams,
            weights=variant.stored,
            cache=variant.cache or variant.stored,
        )


def reference(variants: Sequence[Variant]) -> Variant:
    """What ids and logits are compared with: transformers in float32, or the first of pixread's where there is none."""
    return next((variant for variant in variants if variant.reference), variants[0])


def same_ids(case: GenerateCase, ids: dict[str, list[list[int]]], reference_variant: Variant) -> list[Figure]:
    """How many rows of each variant have exactly the ids of the reference."""
    name = f"{SAME_IDS.format(reference_variant.name)}, of {case.rows}"
    counts = {
        variant: sum(row == other for row, other in zip(rows, ids[reference_variant.name], strict=True))
        for variant, rows in ids.items()
    }
    return [
        Figure(variant, name, (float(count),), case.name)
        for variant, count in counts.items()
        if variant != reference_variant.name
    ]


def logit_errors(
    case: GenerateCase, loaded: VariantProcesses, variants: Sequence[Variant], ids: dict[str, list[list[int]]]
) -> list[Figure]:
    """The norm of each variant's difference from the reference's logits, in parts of their norm, all fed one output."""
    import numpy as np

    reference_variant = reference(variants)
    name = LOGIT_ERROR.format(reference_variant.name)
    with tempfile.TemporaryDirectory() as folder:

        def logits(variant: Variant) -> np.ndarray:
            path = Path(folder) / "logits.npy"
            loaded.processes[variant.name].call("logits", ids=ids[reference_variant.name], path=str(path))
            return np.load(path)

        expected = logits(reference_variant)
        norm = np.linalg.norm(expected)
        others = [variant for variant in variants if variant.name != reference_variant.name]
        errors = {variant.name: float(np.linalg.norm(logits(variant) - expected) / norm) for variant in others}
    return [Figure(variant, name, (error,), case.name) for variant, error in errors.items()]
