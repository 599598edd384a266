"""Intervals and p-values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.evaluate.stats.resampling import (
    NUM_PERMUTATIONS,
    Observation,
    balanced_mean,
    bootstrap_interval,
    permutation_p_value,
)


def independent(numbers) -> list[Observation]:
    return [Observation(float(number), str(at)) for at, number in enumerate(numbers)]


def interval_of(values) -> list[float]:
    found = bootstrap_interval(values)
    assert found is not None
    return found


def test_no_values_have_no_interval():
    assert bootstrap_interval([]) is None


def test_interval_is_that_of_the_normal_distribution():
    """For many independent scores the percentile interval is mean +- 1.96 standard errors."""
    numbers = np.random.default_rng(1).uniform(0, 1, 800)
    low, high = interval_of(independent(numbers))
    error = 1.96 * numbers.std() / np.sqrt(len(numbers))
    assert low == pytest.approx(numbers.mean() - error, abs=error / 8)
    assert high == pytest.approx(numbers.mean() + error, abs=error / 8)


def test_interval_draws_groups():
    """Ten equal copies of each page say nothing new: the interval stays as wide as that of the pages."""
    once = independent(np.random.default_rng(1).uniform(0, 1, 50))
    copied = [value for value in once for _ in range(10)]
    assert interval_of(copied) == pytest.approx(interval_of(once))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_interval_lies_within_the_scores(numbers):
    low, high = interval_of(independent(numbers))
    assert min(numbers) - 1e-9 <= low <= high <= max(numbers) + 1e-9
    assert interval_of(independent(numbers)) == [low, high]


def test_parts_count_the_same_however_many_examples_they_have():
    values = [Observation(1.0, "a", "human"), *(Observation(0.0, f"g{at}", "augmented") for at in range(9))]
    assert balanced_mean(values) == 0.5


def test_interval_of_parts_is_that_of_their_mean():
    """Parts of 400 and 1600 independent scores: the variance of the mean of means is a quarter of both variances."""
    random = np.random.default_rng(2)
    few, many = random.uniform(0, 1, 400), random.uniform(0, 0.5, 1600)
    values = [Observation(float(number), f"few {at}", "few") for at, number in enumerate(few)]
    values += [Observation(float(number), f"many {at}", "many") for at, number in enumerate(many)]
    low, high = interval_of(values)
    error = 1.96 * np.sqrt(few.var() / 400 + many.var() / 1600) / 2
    assert (low + high) / 2 == pytest.approx((few.mean() + many.mean()) / 2, abs=error / 5)
    assert high - low == pytest.approx(2 * error, rel=0.1)


def test_a_part_with_one_example_is_in_every_draw():
    values = [Observation(1.0, "only", "small"), *(Observation(0.0, str(at), "large") for at in range(50))]
    assert interval_of(values) == [0.5, 0.5]


def test_chance_is_what_all_signs_together_give():
    differences = [0.9, 0.4, 0.3, -0.2, 0.25, 0.1, -0.05, 0.6]
    observed = abs(sum(differences))
    worlds = [
        abs(sum(sign * number for sign, number in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    exact = sum(world >= observed - 1e-12 for world in worlds) / len(worlds)
    assert permutation_p_value(independent(differences)) == pytest.approx(exact, abs=0.01)


def test_chance_flips_groups_together():
    """Twenty answers about one picture that all got better are one thing that happened, not twenty."""
    one_picture = [Observation(1.0, "the same") for _ in range(20)]
    assert permutation_p_value(one_picture) == 1.0
    assert permutation_p_value(independent([1.0] * 20)) == pytest.approx(1 / (1 + NUM_PERMUTATIONS), abs=0.001)


def test_no_difference_is_no_evidence():
    assert permutation_p_value(independent([0.0] * 5)) == 1.0
    assert permutation_p_value(independent([1.0, -1.0])) == 1.0
