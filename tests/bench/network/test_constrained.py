"""The bench of constrained decoding on a tiny model."""

import pytest

from pixread.bench.network.bench_config import BenchConfig
from pixread.bench.network.constrained import (
    CONSTRAINED_STEP,
    FIRST_MASKS_SECONDS,
    GRAMMAR_SECONDS,
    ONCE,
    PROCESSOR,
    SHARE,
    bench_constrained,
)
from pixread.bench.network.constrained_worker import MARKUP, drawn_vocabulary
from pixread.bench.network.generate import STEP
from tests.bench.conftest import Keep

FLOAT32 = "pixread float32"


def test_steps_with_the_grammar_and_without(tiny: BenchConfig, keep: Keep):
    keep(FLOAT32)
    report = bench_constrained(tiny, batch_sizes=(1, 3), patches=(20,), tokens=6)
    found = {(figure.case, figure.name): figure for figure in report.figures if figure.variant == FLOAT32}
    for case in ("1 picture of 20 patches, 6 tokens", "3 pictures of 20 patches, 6 tokens"):
        assert len(found[case, STEP].values) == tiny.repeats
        assert found[case, STEP].median > 0
        assert 0 < found[case, PROCESSOR].median < found[case, CONSTRAINED_STEP].median
        shares = [
            processor / step
            for processor, step in zip(found[case, PROCESSOR].values, found[case, STEP].values, strict=True)
        ]
        assert found[case, SHARE].values == pytest.approx(shares)
    assert found[ONCE, GRAMMAR_SECONDS].median > 0
    # The masks are made in the first output.
    assert found[ONCE, FIRST_MASKS_SECONDS].median > 0


def test_the_drawn_vocabulary_can_spell_everything():
    pieces = drawn_vocabulary(1000)
    assert len(pieces) == len(set(pieces)) + 2 == 1000  # three special tokens without bytes
    assert {bytes([value]) for value in range(256)} | set(MARKUP) <= set(pieces)
    assert drawn_vocabulary(1000) == pieces


def test_single_tokens_have_no_steps():
    with pytest.raises(ValueError, match="the constrained bench needs at least 2 tokens, got 1"):
        bench_constrained(BenchConfig(), tokens=1)
