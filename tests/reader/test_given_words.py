"""Trees from words that others have read."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import pixread
from pixread.reader.given_words import group_words_into_lines
from pixread.records import Box, Character, RecognisedLine, Region
from tests.photos import photo
from tests.recognition.drawn import drawn, width_of

LINES = ("Reading the morning paper", "with a cup of coffee and time")


def words_on(*texts: str, size: int = 24, left: int = 30, top: int = 30, pitch: int = 60) -> list[tuple[str, Box]]:
    """The words that `drawn` draws, where it draws them: from the top of capitals to the bottom of low letters."""
    found = []
    for number, text in enumerate(texts):
        for at, word in enumerate(text.split()):
            x = left + width_of(" ".join([*text.split()[:at], ""]), size)
            found.append((word, Box(x, top + pitch * number + 4, width_of(word, size), size * 0.94)))
    return found


def texts(reading: pixread.records.Reading) -> list[str]:
    return [node.text for node in reading.tree.walk() if node.text is not None]


def test_words_become_lines_in_reading_order():
    """Words in any order; what stands far apart does not become one line."""
    image = drawn(*LINES, pitch=120)
    words = words_on(*LINES, pitch=120)
    reading = pixread.assemble(image, [words[3], *words[4:], words[2], words[0], words[1]])
    assert texts(reading) == list(LINES)
    assert (reading.width, reading.height) == image.size
    assert [round(box.y) for box in reading.boxes] == sorted(round(box.y) for box in reading.boxes)
    assert reading.score == 0
    assert reading.text == f"<<{LINES[0]}><{LINES[1]}>>"


def test_columns_stay_apart():
    words = [("one", Box(20, 20, 30, 16)), ("two", Box(55, 20, 30, 16)), ("three", Box(120, 20, 40, 16))]
    assert [line.text for _, line in group_words_into_lines([(text, box, 1.0) for text, box in words])] == [
        "one two",
        "three",
    ]


def test_pictures_stand_beside_the_words():
    image = drawn(*LINES)
    image = image.crop((0, 0, image.width, image.height + 160))
    image.paste((255, 255, 255), (0, 150, *image.size))
    image.paste(photo(120, 100), (200, 170))
    tree = pixread.assemble(image, words_on(*LINES)).tree
    (picture,) = [node for node in tree.walk() if node.is_image]
    assert picture.box is not None
    assert picture.box.as_list() == pytest.approx([200, 170, 120, 100], abs=4)


@pytest.mark.parametrize("text", ["登鹳雀楼", "白日依山尽", "نور", "தமிழ்"])
def test_every_script_comes_out(text: str):
    """Neither font nor tokenizer nor network of ours has to know it."""
    reading = pixread.assemble(Image.new("RGB", (200, 60), "white"), [(text, (20, 20, 90, 20), 0.5)])
    assert texts(reading) == [text]
    assert reading.text == f"<{text}>"
    assert reading.tree.confidence == pytest.approx(0.5)


def test_ideographs_are_joined_without_blanks():
    def line(*words: str) -> str:
        boxes = [(word, Box(20 + 24 * at, 20, 22, 22), 1.0) for at, word in enumerate(words)]
        ((_, read),) = group_words_into_lines(boxes)
        assert len(read.characters) == len(read.text)
        return read.text

    assert line("白日", "依", "山") == "白日依山"
    assert line("白日", "in", "山") == "白日 in 山"
    assert line("안녕", "하세요") == "안녕 하세요"


def test_lines_as_word_sources_give_them():
    read = RecognisedLine("ab", (Character(0, 0.5, 0.9), Character(0.5, 1, 0.9)), 0.9)
    region = Region(((10, 10), (60, 10), (60, 30), (10, 30)), "line", 0.9, height=17)
    reading = pixread.assemble(Image.new("RGB", (100, 50), "white"), [(region, read)])
    assert texts(reading) == ["ab"]
    assert reading.score == pytest.approx(2 * math.log(0.9))
    short = RecognisedLine("abc", read.characters, 0.9)
    with pytest.raises(
        ValueError, match=r"^a line must have a place for each of its characters, got 2 for the 3 of 'abc'$"
    ):
        pixread.assemble(Image.new("RGB", (100, 50), "white"), [(region, short)])


def test_words_have_their_places():
    """A word as wide as the world takes the picture's width, and no more memory."""
    words = [*words_on(LINES[0]), ("vast", Box(-1e9, 60, 2e9, 20))]
    reading = pixread.assemble(drawn(LINES[0]), words)
    found = {word.text: word.box for node in reading.tree.walk() for word in node.words}
    assert list(found) == [*LINES[0].split(), "vast"]
    for text, box in words[:-1]:
        assert (found[text].x, found[text].width) == pytest.approx((box.x, box.width), abs=0.5)
        # From 0.90 font sizes above the baseline to 0.27 below, about 24 pixels.
        assert found[text].height == pytest.approx(1.17 * 24, rel=0.1)
    assert (found["vast"].x, found["vast"].width) == (0, reading.width)


def test_nothing_and_words_outside_of_the_picture_give_an_empty_reading():
    image = Image.new("RGB", (50, 50), "white")
    for words in ([], [("far", (200, 200, 20, 10))], [(" ", (5, 5, 20, 10))]):
        assert texts(pixread.assemble(image, words)) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("word", r"word 2 must be \(text, box\) or \(text, box, confidence\), got 'word'"),
        ((3, (0, 0, 1, 1)), r"word 2 must be \(text, box\)"),
        (("a", (0, 0, 1)), "the box of word 2 must be four numbers x, y, width, height above 0, got"),
        (("a", (0, 0, 0, 1)), "the box of word 2 must be four numbers"),
        (("a", (0, 0, math.nan, 1)), "the box of word 2 must be four numbers"),
        (("a", None), "the box of word 2 must be four numbers"),
        (("a", (0, 0, 1, 1), 97), "the confidence of word 2 must be from 0 to 1, got 97"),
        (("a", (0, 0, 1, 1), "high"), "the confidence of word 2 must be from 0 to 1, got 'high'"),
    ],
)
def test_what_is_no_word_is_refused_in_one_sentence(word: Any, said: str):
    with pytest.raises(ValueError, match=f"^{said}"):
        pixread.assemble(Image.new("RGB", (50, 50)), [("first", (0, 0, 20, 10)), word])


boxes = st.builds(Box, *[st.floats(0, 300)] * 2, *[st.floats(1, 80)] * 2)


@given(st.lists(st.tuples(st.text("abc ", min_size=1).filter(str.strip), boxes, st.floats(0, 1)), max_size=12))
def test_every_word_is_in_exactly_one_line(words: list[tuple[str, Box, float]]):
    lines = group_words_into_lines(words)
    assert sorted("".join(line.text for _, line in lines).replace(" ", "")) == sorted(
        "".join(text for text, _, _ in words).replace(" ", "")
    )
    for region, line in lines:
        assert len(line.characters) == len(line.text)
        assert region.box.width == pytest.approx(max(x for x, _ in region.quad) - min(x for x, _ in region.quad))
