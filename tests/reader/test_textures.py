"""Pictures without text that the shipped reader is shown: nothing is invented, in about the work of a page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image, ImageFilter

from pixread.layout.learned.detector import LearnedDetector
from pixread.reader.line_by_line import MAX_SPECKS, PageReader
from pixread.records import Box, Character, Reading, RecognisedLine
from tests.bench.reading.textless import KINDS, textless
from tests.reader.oracle_reader import EM, OracleReader, TrueRegion, region

WIDTH, HEIGHT = 480, 360
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
DRAWN = np.random.default_rng(0)
CHANCE = DRAWN.random((HEIGHT, WIDTH))
MOST_WORDS = 2  # in a picture
LOOKS = 2.0  # times the pixels of the picture that the network may see: of a page it sees 1.1


def gray(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(levels.astype(np.uint8)).convert("RGB")


NOISE = Image.fromarray(DRAWN.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
TEXTURES = {
    "noise": NOISE,
    "soft noise": NOISE.filter(ImageFilter.GaussianBlur(1.2)),
    "gray noise": NOISE.convert("L"),
    "black and white noise": gray(255 * (CHANCE > 0.5)),
    "salt and pepper": gray(255 * (CHANCE > 0.1)),
    "sparse salt and pepper": gray(255 * (CHANCE > 0.02)),
    "fine checkerboard": gray(255 * ((COLUMNS + ROWS) % 2)),
    "checkerboard": gray(255 * ((COLUMNS // 8 + ROWS // 8) % 2)),
    "gradient": gray(COLUMNS * 255 // WIDTH),
    "dither": gray(COLUMNS * 255 // WIDTH).convert("1"),
    "hatching": gray(255 * ((COLUMNS + ROWS) % 12 < 2)),
    "stripes": gray(255 * ((COLUMNS // 3) % 2)),
    "ruled": gray(255 * ((ROWS // 8) % 2)),
    "dots": gray(255 * ((COLUMNS % 9 - 4) ** 2 + (ROWS % 9 - 4) ** 2 < 4)),
}


@pytest.fixture(scope="module")
def reader() -> PageReader:
    return PageReader.load(device="cpu")


def words_of(reading: Reading) -> list[str]:
    return [word.text for node in reading.tree.walk() for word in node.words]


@contextmanager
def counted(reader: PageReader) -> Iterator[Callable[[], int]]:
    """How many pixels the detector's network has seen."""
    assert isinstance(reader.detector, LearnedDetector)
    seen: list[int] = []
    hook = reader.detector.network.register_forward_hook(
        lambda _, pictures, __: seen.append(pictures[0].shape[2] * pictures[0].shape[3])
    )
    try:
        yield lambda: sum(seen)
    finally:
        hook.remove()


@pytest.mark.parametrize("name", TEXTURES)
def test_textures_hold_no_text_and_cost_no_more_than_a_page(reader: PageReader, name: str):
    """Noise of 800 x 600 pixels gave 761 lines, 49 words, and took ten times as long as a page."""
    with counted(reader) as pixels:
        reading = reader.parse(TEXTURES[name])
    assert len(words_of(reading)) <= MOST_WORDS
    assert pixels() <= LOOKS * WIDTH * HEIGHT


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_without_text_hold_no_words(reader: PageReader, kind: str):
    assert len(words_of(reader.parse(textless(kind, 3)))) <= MOST_WORDS


def test_specks_are_no_bullets(reader: PageReader):
    """Dust of single pixels was read as a page of bullets."""
    reading = reader.parse(gray(255 * (CHANCE > 0.003)))
    assert len(words_of(reading)) <= MAX_SPECKS


@pytest.mark.parametrize(("words", "signs", "kept"), [(0, 5, 5), (30, 30, 30), (0, 300, 0), (10, 300, 0)])
def test_bullets_of_a_list_are_kept_and_a_page_of_bullets_alone_is_none(words: int, signs: int, kept: int):
    regions = [_true_line("item", 40, 12 * row) for row in range(words)] + [
        _true_line("\u2022", 10, 12 * row) for row in range(signs)
    ]
    known = OracleReader(regions)
    reading = PageReader(known, known, name="the truth").parse(Image.new("RGB", (200, 4000), "white"))
    found = words_of(reading)
    assert (found.count("item"), found.count("\u2022")) == (words, kept)


def _true_line(text: str, x: int, y: int) -> TrueRegion:
    characters = tuple(Character(at / len(text), (at + 1) / len(text), 1.0) for at in range(len(text)))
    where = region("line", Box(x, y, 6 * len(text), 10 * EM), height=10)
    return TrueRegion(where, RecognisedLine(text, characters, 1.0))
