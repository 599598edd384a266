import math

import numpy as np
import pytest

from pixread.layout.learned.decode import NO_LINES, Lines
from pixread.layout.learned.refinement import BackgroundLogits, regularise_slopes

LINE = Lines(np.array([[100.0, 80.0]]), np.array([[300.0, 80.0]]), np.array([20.0]), np.array([0.8]))


def rescored(core: np.ndarray) -> float:
    background = BackgroundLogits.empty((core.shape[0], core.shape[1]))
    background.add(core.astype(np.float32), top=0, left=0)
    return float(background.rescore(LINE).score[0])


def lines_at(*spans: tuple[float, float, float], size: float = 20.0) -> Lines:
    """Level lines: left, right and y of each."""
    start, end = np.array([(left, y) for left, _, y in spans]), np.array([(right, y) for _, right, y in spans])
    return Lines(start, end, np.full(len(spans), size), np.full(len(spans), 0.9))


def drawn(ground: np.ndarray) -> np.ndarray:
    """A core map of 400 x 160 px with the core of the line on a ground of these probabilities (80, 200)."""
    core = ground.copy()
    core[37:43, 50:150] = 0.8
    return core


def test_a_line_on_calm_ground_keeps_its_score():
    assert rescored(drawn(np.full((80, 200), 0.01))) == pytest.approx(0.8, abs=1e-6)


def test_a_line_among_other_lines_keeps_its_score():
    ground = np.full((80, 200), 0.01)
    ground[::12] = 0.9
    ground[1::12] = 0.9
    assert rescored(drawn(ground)) == pytest.approx(0.8, abs=1e-6)


def test_what_the_network_sees_everywhere_is_no_line():
    """In noise its pixels are near a half everywhere, and hundreds of lines were found."""
    ground = np.random.default_rng(0).uniform(0, 0.5, (80, 200))
    assert rescored(drawn(ground)) < 0.4


def test_where_all_is_core_there_is_no_line():
    assert rescored(np.full((80, 200), 0.9)) < 0.1


def test_parts_of_a_map_add_up_to_it():
    core = np.random.default_rng(1).uniform(0, 1, (75, 190)).astype(np.float32)
    whole, parts = BackgroundLogits.empty((75, 190)), BackgroundLogits.empty((75, 190))
    whole.add(core, top=0, left=0)
    for top in (0, 32, 64):
        for left in (0, 96):
            parts.add(core[top : top + 32, left : left + 96], top=top, left=left)
    assert np.allclose(whole.sums, parts.sums)
    assert np.array_equal(whole.counts, parts.counts)
    assert whole.counts.sum() == (core <= 0.5).sum()


def test_short_lines_take_the_slope_of_the_page():
    """One word's slope is uncertain by degrees: the crops of page numbers came out turned."""
    slope = math.tan(math.radians(3))
    start = np.array([(50.0, 100.0 + 30 * row) for row in range(10)] + [(400.0, 500.0)])
    length = np.array([500.0] * 10 + [20.0])
    end = start + np.stack([length, slope * length], axis=1)
    end[-1, 1] = 500 - 20 * slope  # turned the other way
    lines = Lines(start, end, np.full(11, 16.0), np.full(11, 0.9))
    direction = regularise_slopes(lines, width=800, height=600).direction
    assert direction[-1, 1] / direction[-1, 0] == pytest.approx(slope, abs=0.01)


def test_lines_turned_by_quarters_keep_their_direction():
    level = lines_at(*((20.0, 300.0, 40.0 * row) for row in range(6)))
    upward = Lines(np.array([(500.0, 300.0)]), np.array([(500.0, 100.0)]), np.array([16.0]), np.array([0.9]))
    regularised = regularise_slopes(Lines.concatenated([level, upward]), width=600, height=400)
    assert regularised.direction[-1] == pytest.approx((0, -1), abs=1e-6)
    assert len(regularise_slopes(NO_LINES, width=10, height=10)) == 0
