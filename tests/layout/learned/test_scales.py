"""The lines of views at several scales merged."""

import numpy as np
from PIL import Image

from pixread.layout.learned.decode import Lines
from pixread.layout.learned.scales import add_large_lines, base_view

VIEW = base_view(Image.new("RGB", (1000, 1000)))


def level(*lines: tuple[float, float, float, float]) -> Lines:
    """Level lines: x, y of the middle line, length and height."""
    x, y, length, height = np.array(lines).T
    return Lines(np.stack([x, y], axis=1), np.stack([x + length, y], axis=1), height, np.full(len(x), 0.9))


def test_a_large_line_stands_in_place_of_the_parts_of_its_letters():
    parts = level((110, 480, 60, 50), (260, 520, 40, 40), (400, 500, 80, 60))
    merged = add_large_lines(parts, level((100, 500, 600, 200)), VIEW)
    assert merged.height.tolist() == [200]


def test_a_row_of_portraits_with_names_is_no_large_line():
    """The names of a page's team vanished: their area is a small part of the row's."""
    names = level(*((x, 640, 90, 20) for x in (120, 330, 540, 750)))
    merged = add_large_lines(names, level((100, 500, 800, 350)), VIEW)
    assert merged.height.tolist() == [20] * 4
