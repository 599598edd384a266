import numpy as np
import pytest

from pixread.layout.learned.decode import Lines
from pixread.layout.learned.surroundings import Surroundings

LINE = Lines(np.array([[100.0, 80.0]]), np.array([[300.0, 80.0]]), np.array([20.0]), np.array([0.8]))


def rescored(core: np.ndarray) -> float:
    surroundings = Surroundings.empty((core.shape[0], core.shape[1]))
    surroundings.add(core.astype(np.float32), top=0, left=0)
    return float(surroundings.rescored(LINE).score[0])


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
    whole, parts = Surroundings.empty((75, 190)), Surroundings.empty((75, 190))
    whole.add(core, top=0, left=0)
    for top in (0, 32, 64):
        for left in (0, 96):
            parts.add(core[top : top + 32, left : left + 96], top=top, left=left)
    assert np.allclose(whole.sums, parts.sums)
    assert np.array_equal(whole.counts, parts.counts)
    assert whole.counts.sum() == (core <= 0.5).sum()
