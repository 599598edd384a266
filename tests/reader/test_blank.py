"""Pictures of one colour and of a few pixels, by the shipped reader: an empty reading, and no warning."""

import warnings

import numpy as np
import pytest
from PIL import Image

from pixread.reader.line_by_line import PageReader
from pixread.records import Box

TINY = [(1, 1), (2, 2), (3, 3), (1, 2), (5, 1), (1, 300), (300, 1), (2, 900), (900, 2), (31, 33), (1, 65_535)]


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader.load(device="cpu")


def check_empty(reader: PageReader, image: Image.Image) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = reader.parse(image)
    assert reading.tree.children == () and reading.boxes == ()
    assert (reading.tree.text, reading.text) == (None, "<>")
    assert (reading.score, reading.width, reading.height) == (0, *image.size)


@pytest.mark.parametrize("colour", ["white", "black", "navy", "gray", "#ffff00"])
@pytest.mark.parametrize("size", [(400, 300), (90, 700), *TINY[:8]])
def test_one_colour_is_an_empty_page(reader: PageReader, size: tuple[int, int], colour: str):
    check_empty(reader, Image.new("RGB", size, colour))


@pytest.mark.parametrize("size", TINY)
def test_a_few_pixels_are_an_empty_page(reader: PageReader, size: tuple[int, int]):
    random = np.random.default_rng(size[0] * 7 + size[1])
    check_empty(reader, Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "P", "I;16", "CMYK"])
def test_blank_pictures_of_all_modes_are_empty_pages(reader: PageReader, mode: str):
    check_empty(reader, Image.new(mode, (64, 48)))


def test_a_region_of_a_blank_page_is_empty(reader: PageReader):
    reading = reader.parse(Image.new("RGB", (200, 100), "white"), region=Box(0.5, 0.5, 1, 1))
    assert reading.boxes == () and (reading.width, reading.height) == (200, 100)
