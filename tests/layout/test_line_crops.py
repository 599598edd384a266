import math

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixread.layout.line_crops import cut_upright, homography_between
from pixread.records import Corner, Region


def region(*quad: Corner) -> Region:
    a, b, c, d = quad
    return Region((a, b, c, d), "line", 1.0, height=20.0)


def marked(size: tuple[int, int] = (120, 40)) -> Image.Image:
    """A label whose left end is red and whose top is blue."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 19, size[1]), fill="red")
    pen.rectangle((0, 0, size[0], 7), fill="blue")
    return image


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and float(np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()) < 6


def test_level_regions_are_cut_to_the_pixel():
    page = Image.new("RGB", (300, 200), "gray")
    page.paste(marked(), (50, 60))
    cut = cut_upright(page, region((50, 60.2), (170, 60), (170, 100), (50, 100)))
    assert np.array_equal(np.asarray(cut), np.asarray(marked()))


@pytest.mark.parametrize("degrees", [7, 90, 180, 270, -20])
def test_turned_regions_come_out_upright(degrees: int):
    page = Image.new("RGB", (300, 300), "gray")
    page.paste(marked(), (90, 130))
    turned = page.rotate(-degrees, Image.Resampling.BICUBIC)  # clockwise round the middle
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(-60, -20), (60, -20), (60, 20), (-60, 20)]
    quad = [(150 + x * cosine - y * sine, 150 + x * sine + y * cosine) for x, y in corners]
    assert same(cut_upright(turned, region(*quad)), marked())


def test_what_lies_beyond_the_picture_repeats_its_edge():
    """Cut off there, a line at the top of a page came out with larger letters than its neighbours."""
    cut = cut_upright(marked(), region((-10, -5), (130, -5), (130, 40), (-10, 40)))
    assert cut.size == (140, 45)
    assert cut.getpixel((139, 0)) == (0, 0, 255)
    assert cut.getpixel((0, 44)) == (255, 0, 0)
    far = cut_upright(marked(), region((200, 200), (220, 200), (220, 210), (200, 210)))
    assert far.size == (20, 10)
    assert cut_upright(Image.new("L", (1, 1)), region((0, 0), (0.2, 0), (0.2, 0.1), (0, 0.1))).size == (1, 1)


def test_homographies_carry_the_corners():
    source = np.array([(0, 0), (10, 0), (10, 5), (0, 5.0)])
    target = np.array([(3, 1), (20, 2), (19, 12), (2, 9.0)])
    homography = homography_between(source, target)
    carried = np.concatenate([source, np.ones((4, 1))], axis=1) @ homography.T
    assert np.allclose(carried[:, :2] / carried[:, 2:], target)
