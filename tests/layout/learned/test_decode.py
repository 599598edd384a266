import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.layout.learned.decode import Lines, Votes, decode_lines, join_pieces
from pixread.train.lines.detector_targets import Truth, project, target_maps

SIDE = 384
IDENTITY = np.eye(3)


def decoded(lines: list[tuple[float, float, float, float, float]], homography: np.ndarray = IDENTITY) -> Lines:
    """What is decoded from perfect maps of the lines."""
    none = np.zeros((0, 4))
    truth = Truth(np.array(lines), np.zeros((0, 5)), np.zeros((0, 4), bool), none, none, np.zeros(0, np.int64))
    maps = target_maps(truth, homography, size=SIDE)
    return decode_lines(Votes.from_maps(maps["core"].astype(np.float32), maps["geometry"]))


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 360), st.floats(8, 60), st.floats(3, 8))
def test_any_line_comes_back_from_its_own_maps(degrees: float, size: float, ems: float):
    """Size, ends and direction of a line in the middle, at every angle: signs are those of training."""
    length = min(ems * size, 0.9 * SIDE)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle = SIDE / 2
    turn = np.array([(cosine, -sine, middle), (sine, cosine, middle), (0, 0, 1.0)])
    lines = decoded([(-length / 2, 0, length / 2, 0, size)], turn)
    assert len(lines) == 1
    assert lines.height[0] == pytest.approx(size, rel=0.01)
    ends = project(np.array([(-length / 2, -0.28 * size), (length / 2, -0.28 * size)]), turn)
    assert np.abs(lines.start[0] - ends[0]).max() < 2.5
    assert np.abs(lines.end[0] - ends[1]).max() < 2.5


def test_a_line_s_region_reaches_from_above_its_capitals_to_below_its_descenders():
    (region,) = decoded([(40, 100, 240, 100, 20)]).regions()
    assert region.kind == "line"
    assert region.height == pytest.approx(20, rel=0.01)
    assert region.angle == pytest.approx(0, abs=0.001)
    assert region.box.as_list() == pytest.approx([40, 100 - 18, 200, 1.17 * 20], abs=2)


def test_lines_above_each_other_stay_apart():
    lines = decoded([(30, 40 + 12 * row, 300, 40 + 12 * row, 10) for row in range(20)])
    assert len(lines) == 20


def test_all_lines_of_an_upside_down_page_are_found():
    turn = np.array([(-1, 0, SIDE), (0, -1, SIDE), (0, 0, 1.0)])
    regions = decoded([(40, 60 + 40 * row, 240, 60 + 40 * row, 16) for row in range(5)], turn).regions()
    assert [abs(region.angle) for region in regions] == pytest.approx([math.pi] * 5, abs=0.001)


def test_empty_maps_hold_no_lines():
    assert len(decode_lines(Votes.from_maps(np.zeros((16, 16), np.float32), np.zeros((4, 8, 8), np.float32)))) == 0


def lines_at(*spans: tuple[float, float, float], size: float = 20.0) -> Lines:
    """Level lines: left, right and y of each."""
    start, end = np.array([(left, y) for left, _, y in spans]), np.array([(right, y) for _, right, y in spans])
    return Lines(start, end, np.full(len(spans), size), np.full(len(spans), 0.9))


def test_pieces_end_to_end_become_one_line():
    joined = join_pieces(lines_at((150, 200, 51), (0, 100, 50), (103, 148, 50)))
    assert len(joined) == 1
    assert (joined.start[0, 0], joined.end[0, 0]) == (0, 200)


def test_columns_and_rows_are_not_joined():
    assert len(join_pieces(lines_at((0, 100, 50), (110, 200, 50), (101, 200, 58)))) == 3


def test_merged_votes_are_those_of_the_whole_map():
    rng = np.random.default_rng(0)
    core, geometry = rng.random((24, 32), np.float32), rng.random((4, 12, 16), np.float32)
    whole = Votes.from_maps(core, geometry)
    parts = []
    for left in (8, 0):  # in the order of tiles, or in any other
        for top in (0, 6):
            part = core[2 * top : 2 * top + 12, 2 * left : 2 * left + 16], geometry[:, top : top + 6, left : left + 8]
            parts.append((2 * top, 2 * left, Votes.from_maps(*part)))
    merged = Votes.merged((24, 32), parts)
    for name in ("y", "x", "probability", "geometry"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name))


@pytest.mark.parametrize("named", [55, 70, 90, 115])
def test_a_long_core_has_the_direction_of_its_axis_where_its_votes_name_another(named: float):
    """Labels on their side came out turned by 20 degrees: the network names what lies between up and down."""
    core, geometry = np.full((192, 192), 0.01, np.float32), np.zeros((4, 96, 96), np.float32)
    core[40:140, 90:95] = 0.9  # 200 px long on its side
    geometry[2], geometry[3] = math.cos(math.radians(named)), math.sin(math.radians(named))
    (line,) = decode_lines(Votes.from_maps(core, geometry)).regions()
    assert line.angle == pytest.approx(math.pi / 2, abs=0.02)
    assert line.box.height == pytest.approx(200, abs=6)
