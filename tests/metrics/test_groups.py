"""Group accuracy."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.metrics import Candidate, group_accuracy


def group(name: str, *rows: tuple[str, float, str]) -> list[Candidate]:
    return [Candidate(group=name, prediction=p, log_prob=s, target=t) for p, s, t in rows]


# The hand-checked case of Pix2Struct's metrics_test.py.
REFERENCE = [
    *group("0", ("true", -1, "false"), ("true", 1, "true"), ("true", 0, "false")),
    *group("1", ("false", 1, "true"), ("false", 2, "false"), ("false", 3, "false")),
    *group("2", ("false", 0, "false"), ("false", 0, "false"), ("true", 0, "true")),
    *group("3", ("false", 2, "false"), ("true", 0, "false"), ("true", 1, "true")),
]


def test_the_case_of_the_reference():
    assert group_accuracy(REFERENCE) == {"0": 1.0, "1": 1.0, "2": 1.0, "3": 1.0}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("true", -0.1, "true")], 1.0),  # alone
        ([("false", -0.1, "true")], 1.0),  # alone, whatever was predicted
        ([("true", -0.2, "true"), ("true", -0.1, "false")], 0.0),  # another is surer
        ([("false", -0.2, "false"), ("false", -0.1, "true")], 0.0),  # another is a less sure "false"
        ([("false", -9.0, "false"), ("true", -9.0, "true")], 1.0),  # "true" comes first, however unsure
        ([("false", -9.0, "true"), ("true", -9.0, "false")], 0.0),
        ([("True", -0.1, "true"), ("false", -5.0, "false")], 0.0),  # another spelling is no "true"
        ([(" true", -0.1, "true"), ("true", -5.0, "false")], 0.0),
        ([("", -0.1, "true"), ("nan", -0.05, "false")], 1.0),  # whatever is not "true" counts as "false"
        ([("true", -1.0, "true"), ("true", -1.0, "false")], 1.0),  # of equals the first
        ([("true", -1.0, "false"), ("true", -1.0, "true")], 0.0),
        ([("true", -1.0, "true"), ("true", -0.5, "true"), ("true", -2.0, "false")], 1.0),  # two are right
        ([("true", -float("inf"), "true"), ("false", -float("inf"), "false")], 1.0),
    ],
)
def test_hand_checked(rows, expected):
    assert group_accuracy(group("a", *rows)) == {"a": expected}


def test_groups_may_be_interleaved_and_keep_their_order():
    shuffled = [REFERENCE[i] for i in (7, 0, 3, 9, 8, 6, 1, 10, 4, 5, 2, 11)]
    assert list(group_accuracy(shuffled).items()) == [("2", 1.0), ("0", 1.0), ("1", 1.0), ("3", 1.0)]


def test_no_candidates_make_no_groups():
    assert group_accuracy([]) == {}


def test_a_group_without_a_true_candidate_is_refused():
    with pytest.raises(ValueError, match=r"^None of the 2 candidates of group 'a' has the target 'true'\.$"):
        group_accuracy(group("a", ("true", -1, "false"), ("true", -1, "True")))


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match=r"^A candidate of group 'a' has a log-probability that is not a number\.$"):
        group_accuracy(group("a", ("true", float("nan"), "true")))


@given(st.lists(st.floats(-20, 0), min_size=2, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(scores: list[float], shuffler: random.Random):
    rows = [(shuffler.choice(["true", "false"]), score, "false") for score in scores]
    rows[0] = (*rows[0][:2], "true")
    before = group_accuracy(group("a", *rows))
    shuffler.shuffle(rows)
    assert group_accuracy(group("a", *rows)) == before
