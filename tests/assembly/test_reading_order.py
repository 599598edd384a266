"""The reading order of a page: bars, columns, cards, tables, sidebars."""

from pixread.assembly.reading_order import Zone, xy_cut, zones_in_order
from pixread.records import Box


def order(boxes: list[Box], heights: dict[Box, float] | None = None) -> list[Box]:
    line_heights = {Zone(box, "text"): height for box, height in (heights or {}).items()}
    return [zone.box for zone in zones_in_order(xy_cut([Zone(box, "text") for box in boxes], line_heights))]


def lines(x: float, y: float, width: float, number: int, *, height: float = 14, pitch: float = 22) -> list[Box]:
    return [Box(x, y + pitch * row, width - 7 * (row % 3), height) for row in range(number)]


def test_a_bar_is_read_before_the_columns_below_it():
    bar = [Box(20 + 120 * number, 10, 80, 14) for number in range(6)]
    columns = [lines(20 + 340 * column, 80, 300, 12) for column in range(3)]
    shuffled = [box for row in zip(*columns, strict=True) for box in row] + bar
    assert order(shuffled) == [*bar, *(box for column in columns for box in column)]


def test_a_table_is_read_row_by_row():
    cells = [Box(20 + 160 * column, 20 + 30 * row, 60, 12) for row in range(7) for column in range(4)]
    assert order(cells[::-1]) == cells


def test_a_menu_on_the_left_is_read_before_the_page_beside_it():
    menu, body = lines(20, 20, 150, 14, pitch=40), lines(300, 20, 660, 24)
    assert order([*body, *menu]) == [*menu, *body]


def test_remarks_in_smaller_print_below_a_bar_are_read_after_what_they_stand_beside():
    bar = [Box(20, 10, 900, 16)]
    remarks, body = lines(20, 120, 180, 16, height=11, pitch=30), lines(300, 120, 660, 24, height=16)
    assert order([*bar, *remarks, *body]) == [*bar, *body, *remarks]


def test_a_tall_picture_is_not_read_behind_the_heading_beside_its_top():
    picture = Zone(Box(40, 160, 420, 340), "picture")
    column = [Zone(box, "text") for box in (Box(500, 170, 210, 28), *lines(500, 230, 400, 9))]
    by_rows = xy_cut([*column, picture], decide_columns=lambda rows, columns, line_height: False)
    assert zones_in_order(by_rows) == [picture, *column]
