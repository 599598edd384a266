"""Readings in a script that the page is not written in have to be sure by themselves."""

import math

from PIL import Image

from pixread.inputs.layout import Region
from pixread.reading.answers import Answer, Page, Part, assembled
from pixread.reading.strangers import strangers
from pixread.records import Box


def answer(text: str, confidence: float) -> Answer:
    return Answer(f"<{text}>", (math.log(confidence),))


def test_unsure_readings_in_another_script_are_strangers():
    read = [
        answer("several words", 0.5),
        answer("९४१ र्भ", 0.6),
        answer("हिन्दी", 0.95),
        answer("a and क", 0.5),
        answer("12 + 3", 0.4),
        answer("★", 0.3),
    ]
    assert strangers(dict(enumerate(read)), least=0.8) == {1}
    assert strangers(dict(enumerate(read)), least=0.0) == set()


def test_the_page_decides_which_script_is_strange():
    read = [answer("पुस्तक में लिखा गया है कि सब लोग साथ रहते थे", 0.5), answer("words", 0.6), answer("words", 0.9)]
    assert strangers(dict(enumerate(read)), least=0.8) == {1}
    assert strangers({}, least=0.8) == strangers({0: answer("1 2", 0.5)}, least=0.8) == set()


def test_a_line_is_kept_without_its_stranger():
    lines = {
        Region(Box(0, 20 * row, 90, 9), "text"): [Part(2 * row, False, 30), Part(2 * row + 1, True, 60)]
        for row in (0, 1)
    }
    read = [answer("९४१ र्भ", 0.6), answer("4.3 out of 5", 0.99), answer("free", 0.99), answer("delivery", 0.99)]
    reading = assembled(Page(Image.new("RGB", (90, 40), "white"), (), lines), read, seconds=0.0, least=0.7)
    assert [node.text for node in reading.tree.walk() if node.text] == ["4.3 out of 5", "free delivery"]
    assert list(reading.boxes) == [Box(30, 0, 60, 9), Box(0, 20, 90, 9)]
