"""Constrained decoding: what the grammar's logits processor adds to a step, and what it takes once a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

from pixread.bench.harness.machine import this_machine
from pixread.bench.harness.report import Figure, Measured, Report, take_turns
from pixread.bench.harness.worker_process import WorkerProcess
from pixread.bench.network.bench_config import (
    BenchConfig,
    BenchEnvironment,
    TokensCase,
    VariantProcesses,
    make_environment,
    variant_processes,
)
from pixread.bench.network.generate import DISTINCT, MS, STEP
from pixread.bench.network.variants import Variant, select_variants

CONSTRAINED_WORKER = "pixread.bench.network.constrained_worker:ConstrainedWorker"
CONSTRAINED_STEP, PROCESSOR = "a constrained step (ms)", "logits processor (ms)"
SHARE = "logits processor, share of a step"
ONCE = "once a vocabulary"
GRAMMAR_SECONDS, FIRST_MASKS_SECONDS = "grammar (s)", "logits processor, first output (s)"


def bench_constrained(
    bench_config: BenchConfig,
    *,
    batch_sizes: Sequence[int] = (1, 8),
    patches: Sequence[int] = (2048,),
    tokens: int = 32,
) -> Report:
    """Write outputs with the grammar and without, in turns, with a drawn vocabulary as large as the model's.

    The logits processor is timed alone as well: what it adds is lost in the noise of whole steps. Tokens are drawn by
    chance, as random weights prefer none: outputs have letters and brackets. ValueError for less than 2 tokens.
    """
    if tokens < 2:
        raise ValueError(f"the constrained bench needs at least 2 tokens, got {tokens}")
    variants = select_variants("constrained", dtypes=bench_config.dtypes, device=bench_config.device_type)
    environment = make_environment(bench_config)
    figures: list[Figure] = []
    with variant_processes(environment, variants, make=CONSTRAINED_WORKER) as loaded:
        once = [
            Figure(variant.name, GRAMMAR_SECONDS, (loaded.processes[variant.name].call("make_grammar").result,), ONCE)
            for variant in variants
        ]
        for size in patches:
            for rows in batch_sizes:
                case = TokensCase(rows=rows, patches=size, tokens=tokens)
                first_seconds = warm_up_constrained(case, loaded, variants)
                if len(once) == len(variants):  # later cases find the masks of the first one
                    once += [Figure(name, FIRST_MASKS_SECONDS, (value,), ONCE) for name, value in first_seconds.items()]
                figures += measure_constrained(case, loaded, variants, environment)
        figures += [*once, *loaded.loading]
    what = "Constrained decoding: milliseconds of a step and of its logits processor"
    return Report("constrained", what, tuple(figures), this_machine(), notes=environment.notes, about=environment.about)


def warm_up_constrained(case: TokensCase, loaded: VariantProcesses, variants: Sequence[Variant]) -> dict[str, float]:
    """Both kinds of output once; of each variant the seconds of the processor in all steps of the constrained one."""
    loaded.call_each(variants, "encode_batch", sizes=[case.patches] * min(case.rows, DISTINCT), rows=case.rows)
    loaded.call_each(variants, "write", tokens=2, is_constrained=False)
    responses = loaded.call_each(variants, "write", tokens=case.tokens, is_constrained=True)
    return {name: sum(response.result["processor"]) for name, response in responses.items()}


def measure_constrained(
    case: TokensCase, loaded: VariantProcesses, variants: Sequence[Variant], environment: BenchEnvironment
) -> tuple[Figure, ...]:
    """All figures of one case."""
    turns = {variant.name: partial(constrained_turn, case, loaded.processes[variant.name]) for variant in variants}
    return take_turns(turns, repeats=environment.bench_config.repeats, case=case.name)


def constrained_turn(case: TokensCase, process: WorkerProcess) -> Measured:
    """Medians over the steps of one output without the grammar and one with it."""
    plain = process.call("write", tokens=case.tokens, is_constrained=False).result
    constrained = process.call("write", tokens=case.tokens, is_constrained=True).result
    step, processor = median(plain["steps"]), median(constrained["processor"])
    return {
        STEP: MS * step,
        CONSTRAINED_STEP: MS * median(constrained["steps"]),
        PROCESSOR: MS * processor,
        SHARE: processor / step,
    }
