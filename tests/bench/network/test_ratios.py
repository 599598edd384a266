"""Ratios to transformers and to the roofline."""

import pytest

from pixread.bench.harness.report import Figure
from pixread.bench.network.ratios import AS_IT_COMES, AT_ITS_BEST, LEAST, memory_ratios, roofline_figures, speed_ratios
from pixread.bench.network.variants import Variant


def variant(name: str, side: str) -> Variant:
    return Variant(name=name, benches=(), side=side, subject="", dtype="float32")  # type: ignore[arg-type]


VARIANTS = [
    variant("ours", "pixread"),
    variant("other", "pixread"),
    variant("plain", "default"),
    variant("best", "peer"),
]
TIMES = [
    Figure("ours", "a step (ms)", (2.0, 1.0, 9.0), "case"),
    Figure("plain", "a step (ms)", (20.0,), "case"),
    Figure("best", "a step (ms)", (4.0, 6.0), "case"),
]


def test_speed():
    """Medians are compared: 2 with 20, and with the faster of both, 5. What was not measured is left out."""
    assert speed_ratios(TIMES, "a step (ms)", VARIANTS) == [
        Figure("ours", f"a step, {AS_IT_COMES}", (10.0,), "case"),
        Figure("ours", f"a step, {AT_ITS_BEST}", (2.5,), "case"),
    ]


def test_speed_where_more_is_better():
    rates = [Figure("ours", "tokens/s", (30.0,)), Figure("best", "tokens/s", (10.0,))]
    assert speed_ratios(rates, "tokens/s", VARIANTS, more_is_better=True) == [
        Figure("ours", f"tokens/s, {AT_ITS_BEST}", (3.0,))
    ]


def test_the_best_may_be_what_comes_out_of_the_box():
    times = [Figure("ours", "s", (1.0,)), Figure("plain", "s", (2.0,)), Figure("best", "s", (3.0,))]
    assert [figure.median for figure in speed_ratios(times, "s", VARIANTS)] == [2.0, 2.0]


def test_nothing_to_compare_with():
    alone = [Figure("ours", "s", (1.0,))]
    assert speed_ratios(alone, "s", VARIANTS) == []
    assert memory_ratios(alone, "s", VARIANTS) == []
    assert speed_ratios([], "s", VARIANTS) == []


def test_memory_against_the_least_of_theirs_in_the_same_dtype():
    half = Variant(name="half", benches=(), side="pixread", subject="", dtype="bfloat16")
    theirs_half = Variant(name="their half", benches=(), side="peer", subject="", dtype="bfloat16")
    needed = {"ours": 50.0, "plain": 200.0, "best": 100.0, "half": 30.0}
    memory = [Figure(one, "m (MiB)", (value,)) for one, value in needed.items()]
    ratios = memory_ratios(memory, "m (MiB)", [*VARIANTS, half, theirs_half])
    assert ratios == [Figure("ours", f"m, {LEAST}", (0.5,)), Figure("half", f"m, {LEAST}", (0.3,))]
    memory.append(Figure("their half", "m (MiB)", (60.0,)))
    assert memory_ratios(memory, "m (MiB)", [*VARIANTS, half, theirs_half])[1].values == (0.5,)


def test_floor():
    rooflines = {"ours": 0.001, "plain": None, "best": 0.001}
    found = {
        (one.variant, one.name): one.median for one in roofline_figures(TIMES, "a step (ms)", rooflines, unit=1000)
    }
    assert found == {
        ("ours", "roofline of a step (ms)"): 1.0,
        ("ours", "a step, share of the roofline's speed"): pytest.approx(0.5),
        ("best", "roofline of a step (ms)"): 1.0,
        ("best", "a step, share of the roofline's speed"): pytest.approx(0.2),
    }
