import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.arrays import Floats
from pixread.layout.learned.network import KINDS, REFERENCE_HEIGHT, STYLES
from pixread.layout.line_crops import homography_between
from pixread.records import Box, Lettering, Mark
from pixread.train.lines.detector_targets import Truth, cells, page_truth, project, target_maps
from pixread.train.lines.pages import TrueWord

IDENTITY = np.eye(3)


def word(text: str, x: float, baseline: float | None, width: float, size: float = 20.0, *, line: int = 0) -> TrueWord:
    top = 40.0 if baseline is None else baseline - size
    return TrueWord(text, Box(x, top, width, 1.2 * size), line, False, Lettering(size, baseline, bold=text.isupper()))


def turn(degrees: float, side: int) -> Floats:
    """Clockwise round the middle."""
    cosine, sine, half = math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), side / 2
    move = np.array([(1, 0, half), (0, 1, half), (0, 0, 1.0)])
    return np.asarray(move @ np.array([(cosine, -sine, 0), (sine, cosine, 0), (0, 0, 1.0)]) @ np.linalg.inv(move))


def test_core_lies_between_baseline_and_x_height():
    maps = target_maps(page_truth([word("fox", 32, 81, 64)], []), IDENTITY, size=128)
    rows, columns = np.nonzero(maps["core"])
    assert (rows.min() * 2, (rows.max() + 1) * 2) == (70, 80)  # .55 to .01 em above the baseline
    assert (columns.min() * 2, (columns.max() + 1) * 2) == (34, 94)  # ends pulled in by .06 em


@pytest.mark.parametrize("degrees", [0, 7, 90, 180, 270])
def test_geometry_says_height_middle_and_direction_of_turned_lines(degrees: float):
    maps = target_maps(page_truth([word("fox", 32, 70, 64)], []), turn(degrees, 128), size=128)
    rows, columns = np.nonzero(maps["lettering"])
    height, offset, cosine, sine = maps["geometry"][:, rows, columns]
    assert np.allclose(REFERENCE_HEIGHT * np.exp(height), 20, atol=0.01)
    assert np.allclose(cosine, math.cos(math.radians(degrees)), atol=1e-5)
    assert np.allclose(sine, math.sin(math.radians(degrees)), atol=1e-5)
    # The votes of all cells for the middle line fall on it: 5.6 px above the baseline.
    x, y = (columns + 0.5) * 4.0 - offset * 20 * sine, (rows + 0.5) * 4.0 + offset * 20 * cosine
    votes = np.asarray(np.stack([x, y], axis=1), dtype=np.float64)
    back = project(votes, turn(-degrees, 128))
    assert np.allclose(back[:, 1], 70 - 5.6, atol=0.01)


def test_turned_words_and_unread_marks_are_neither_text_nor_background():
    truth = page_truth([word("fox", 8, None, 40)], [Mark("unread", Box(8, 80, 60, 20))])
    maps = target_maps(truth, IDENTITY, size=128)
    assert not maps["core"].any()
    assert (maps["weight"][20:31, 4:23] == 0).all()
    assert (maps["weight"][40:50, 4:33] == 0).all()
    assert maps["weight"][0, 0] == 1


def test_pictures_weigh_little_but_text_on_them_weighs_all():
    maps = target_maps(
        page_truth([word("fox", 32, 80, 64)], [Mark("picture", Box(0, 0, 128, 128))]), IDENTITY, size=128
    )
    assert maps["weight"][2, 2] == pytest.approx(0.3)
    assert (maps["weight"][maps["core"] > 0] == 1).all()


def test_text_too_small_to_read_is_ignored():
    maps = target_maps(page_truth([word("fox", 10, 60, 30, size=4.5)], []), IDENTITY, size=128)
    assert not maps["core"].any()
    assert (maps["weight"][29, 6:19] == 0).all()


def test_thin_edges_and_small_icons_reach_at_least_one_cell():
    marks = [Mark("edge", Box(0, 50, 128, 1)), Mark("icon", Box(70, 90, 5, 5)), Mark("picture", Box(0, 0, 40, 40))]
    kinds = target_maps(page_truth([], marks), IDENTITY, size=128)["kinds"]
    assert kinds[KINDS.index("edge")].sum() == 32
    assert kinds[KINDS.index("icon")].any()
    assert kinds[KINDS.index("picture")].sum() == 64  # 40 px, pulled in by 2.5 on each side


def test_styles_are_those_of_the_words():
    styles = target_maps(page_truth([word("FOX", 0, 80, 60), word("ox", 64, 80, 60)], []), IDENTITY, size=128)["styles"]
    bold = styles[STYLES.index("bold"), 18, :]
    assert bold[:15].all()
    assert not bold[16:].any()


def test_columns_apart_are_lines_of_their_own():
    truth = page_truth([word("fox", 0, 80, 40), word("ox", 75, 80, 40)], [])
    assert truth.lines[:, [0, 2]].tolist() == [[0, 40], [75, 115]]


def test_lines_reaching_behind_the_horizon_are_cut_first():
    """Drawn whole, such a line's far corners came out mirrored, and the loss jumped."""
    corners = np.array([(0, 0), (128, 0), (128, 128), (0, 128)], np.float64)
    warp = homography_between(corners, corners + np.array([(0, 0), (-8, 8), (-8, -8), (0, 0)], np.float64))
    truth = page_truth([word("fox", -3000, 70, 6000)], [])
    assert not target_maps(truth, warp, size=128)["core"].any()
    core = target_maps(truth.within(Box(-128, -128, 384, 384)), warp, size=128)["core"]
    assert core[32].mean() > 0.9


@given(st.lists(st.floats(-30, 150), min_size=4, max_size=4), st.floats(0, 360), st.floats(1, 100), st.floats(1, 100))
def test_cells_are_those_whose_centres_lie_inside(place: list[float], degrees: float, width: float, height: float):
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = np.array([cosine, sine]) * width, np.array([-sine, cosine]) * height
    start = np.array(place[:2])
    rows, columns, inside = cells(np.array([start, start + across, start + across + down, start + down]), 4, 32)
    painted = np.zeros((32, 32), bool)
    painted[rows, columns] = inside
    y, x = (np.mgrid[0:32, 0:32] + 0.5) * 4
    u, v = ((x - start[0]) * cosine + (y - start[1]) * sine), ((y - start[1]) * cosine - (x - start[0]) * sine)
    margin = np.minimum.reduce([u, width - u, v, height - v])
    assert (painted == (margin > 0))[abs(margin) > 1e-4].all()


def test_an_empty_page_has_no_targets():
    maps = target_maps(page_truth([], []), IDENTITY, size=64)
    assert not any(maps[name].any() for name in ("core", "lettering", "kinds", "styles"))
    assert isinstance(page_truth([], []), Truth)
