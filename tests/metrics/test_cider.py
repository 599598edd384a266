"""CIDEr."""

from __future__ import annotations

import json
import math
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.metrics import anls, cider, exact_match, relaxed_accuracy
from tests.metrics.stanford import GOLDEN, MISSING, java_cider

PICTURES = json.loads((GOLDEN / "pictures.json").read_text(encoding="utf-8"))
PREDICTIONS = [row["prediction"] for row in PICTURES]
REFERENCES = [row["references"] for row in PICTURES]

# The hand-checked case of Pix2Struct's metrics_test.py: all measures of the same eight answers, times 100.
ANSWERS = ["abc", "abc", "Abc", "100%", "100%", "100%", "100%", "Don't"]
TARGETS = ["abc", "Abc", "abc", "96%", "94%", "0.96", "0.94", "Won't"]

captions = st.text("abc. ", max_size=12)


@pytest.mark.parametrize(("metric", "expected"), [(exact_match, 12.5), (anls, 47.5), (relaxed_accuracy, 62.5)])
def test_the_case_of_the_reference(metric, expected):
    assert 100 * fmean(map(metric, ANSWERS, TARGETS)) == pytest.approx(expected, abs=0.05)


def test_cider_of_the_case_of_the_reference():
    assert 100 * fmean(cider(ANSWERS, [[target] for target in TARGETS])) == pytest.approx(128.6, abs=0.05)


def test_golden():
    golden = json.loads((GOLDEN / "cider.json").read_text(encoding="utf-8"))
    assert cider(PREDICTIONS, REFERENCES) == pytest.approx(golden, abs=1e-6)


def test_by_hand():
    # Of two examples every word stands in one: each weighs log 2. "red car" and "red bus" share one word of two, and no
    # longer n-gram; the lengths are the same. Four cosines, of which one is 1/2: 10 * (1/2) / 4. Two words have
    # no 3-gram, so that the perfect caption has two of four: 10 * 2 / 4.
    assert cider(["red car", "blue sky"], [["red bus"], ["blue sky"]]) == pytest.approx([1.25, 5.0])


def test_the_length_penalty_counts_words():
    # 11 words against 5: six words are one standard deviation. Both weigh words equally, whatever their number.
    scores = cider(["a b c d e", "v w x y z"], [["a b c d e f g h i j k"], ["v w x y z"]])
    cosines = [math.sqrt((6 - n) / (12 - n)) * 1 for n in (1, 2, 3, 4)]
    assert scores == pytest.approx([10 * fmean(cosines) * math.exp(-0.5), 10.0])


def test_repeated_words_do_not_pay():
    many = cider(["car car car car", "x"], [["car"], ["y"]])[0]
    once = cider(["car", "x"], [["car"], ["y"]])[0]
    assert many < once == pytest.approx(2.5)


def test_the_references_are_averaged():
    one = cider(["red car on road", "x"], [["red car on road"], ["y"]])[0]
    two = cider(["red car on road", "x"], [["red car on road", "q"], ["y"]])[0]
    assert one == pytest.approx(10)
    assert two == pytest.approx(5)


def test_one_example_tells_nothing_from_others():
    assert cider(["a red car"], [["a red car"]]) == [0.0]


@pytest.mark.parametrize("empty", ["", "  ", "...", "\U0001f600"])
def test_captions_without_a_word(empty: str):
    assert cider([empty, "sky"], [["car"], ["sky"]])[0] == 0.0
    assert cider(["car", "sky"], [[empty], ["sky"]])[0] == 0.0
    assert cider([empty, empty], [[empty], [empty]]) == [0.0, 0.0]


def test_no_examples():
    assert cider([], []) == []


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        (["a"], [["a"], ["b"]], r"^There are 1 predictions and references for 2 examples\.$"),
        (["a", "b"], [["a"], []], r"^Example 1 has no references\.$"),
        (["a", "b"], [["a"], "b"], r"^The references of example 1 are one string, not a list of strings: 'b'\.$"),
    ],
)
def test_wrong_arguments(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        cider(predictions, references)


@settings(deadline=None)
@given(st.lists(st.tuples(captions, st.lists(captions, min_size=1, max_size=3)), max_size=6))
def test_range(examples: list[tuple[str, list[str]]]):
    scores = cider([prediction for prediction, _ in examples], [references for _, references in examples])
    assert len(scores) == len(examples)
    assert all(0 <= score <= 10 + 1e-9 for score in scores)


@settings(deadline=None)
@given(st.lists(st.sampled_from("efghijklm"), min_size=4, max_size=9, unique=True))
def test_identity(words: list[str]):
    text = " ".join(words)
    assert cider([text, "z"], [[text], ["y"]])[0] == pytest.approx(10)


@settings(deadline=None)
@given(st.permutations(range(len(PICTURES))))
def test_the_order_of_examples_does_not_matter(order: list[int]):
    shuffled = cider([PREDICTIONS[i] for i in order], [REFERENCES[i] for i in order])
    straight = cider(PREDICTIONS, REFERENCES)
    assert shuffled == pytest.approx([straight[i] for i in order])


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} not installed")
def test_golden_is_what_java_says():
    assert cider(PREDICTIONS, REFERENCES) == pytest.approx(java_cider(PREDICTIONS, REFERENCES), abs=1e-6)
