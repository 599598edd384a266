"""pixread.render.visibility: which words the pixels show."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from pixread.records import Box, Node, Word
from pixread.render.visibility import without_invisible_words

BOXES = (Box(10, 10, 90, 30), Box(120, 10, 90, 30), Box(10, 60, 90, 30))


def leaf() -> Node:
    words = tuple(Word(text, box, 0) for text, box in zip(("one", "two", "three"), BOXES, strict=True))
    return Node(text="one twothree", words=words, box=Box(10, 10, 200, 80))


def page(*shown: int, colour: str = "black", blur: float = 0) -> np.ndarray:
    """A white picture on which the words with these numbers are drawn."""
    image = Image.new("RGB", (240, 120), "white")
    draw = ImageDraw.Draw(image)
    for number in shown:
        box = BOXES[number]
        draw.text((box.x + 2, box.y + 2), "word", fill=colour, font=ImageFont.load_default(size=24))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(blur)) if blur else image)


def test_words_that_show_are_kept_with_their_blanks():
    """A leaf used to be kept whole where one of its words showed."""
    assert without_invisible_words(leaf(), page(0, 1, 2)) == leaf()
    assert without_invisible_words(leaf(), page(0, 2)).text == "one three"
    assert without_invisible_words(leaf(), page(1, 2)).text == "twothree"
    assert without_invisible_words(leaf(), page(1)).box == BOXES[1]


def test_a_text_of_which_nothing_shows_is_none():
    assert not without_invisible_words(leaf(), page()).is_text
    assert not without_invisible_words(leaf(), page(0, 1, 2, colour="#f8f8f8")).is_text


@pytest.mark.parametrize(("blur", "is_text"), [(1, True), (2, True), (8, False), (12, False)])
def test_a_blur_that_nobody_reads_through_hides_text(blur, is_text):
    assert without_invisible_words(leaf(), page(0, 1, 2, blur=blur)).is_text == is_text


def test_a_gradient_is_no_writing():
    ramp = np.repeat(np.linspace(0, 255, 240).astype(np.uint8)[None, :, None], 3, axis=2).repeat(120, axis=0)
    assert not without_invisible_words(leaf(), ramp).is_text


def test_words_outside_of_the_picture_are_given_the_benefit_of_the_doubt():
    word = Word("far", Box(500, 500, 10, 10), 0)
    node = Node(text="far", words=(word,), box=word.box)
    assert without_invisible_words(node, page()) == node
