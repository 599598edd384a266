"""Questions above pictures of any shape: thin ones took gigabytes, since they are scaled to the width of the header."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.images.header import LONGEST, QuestionError, add_header, render_header
from pixread.images.open import MAX_PIXELS
from pixread.models.pix2struct.image_processor import LARGEST_BUDGET, ImageProcessor
from tests.images.memory import peak

LONG = "W" * 80  # as wide as a line of a question gets

BEFORE = """
from PIL import Image
from pixread.models.pix2struct.image_processor import ImageProcessor
preprocess = ImageProcessor(max_patches=2048, is_vqa=True)
preprocess.patches(Image.new("RGB", (300, 300)), question="Why?")
"""


@pytest.mark.parametrize(
    ("size", "question"),
    [
        ((1, 40), "'W' * 80"),
        ((1, 1500), "'W' * 80"),
        ((1, 65535), "'W' * 80"),
        ((65535, 1), "'i'"),
        ((300, 300), f"'W' * {LONGEST}"),
    ],
)
def test_no_shape_takes_much_more_than_a_large_picture(size: tuple[int, int], question: str) -> None:
    """1 x 40 pixels took 12 GB; a picture of 40 megapixels without a question takes 0.5."""
    picture = f"Image.effect_noise({size}, 80).convert('RGB')"
    grown = peak(f"assert len(preprocess.patches({picture}, question={question})) <= 2048", before=BEFORE)
    assert grown < 800


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["i", "What is it?", LONG]))
def test_the_shape_and_the_limit_are_kept(width: int, height: int, question: str) -> None:
    if width * height > 2_000_000:
        width, height = (width, 1 + 2_000_000 // width) if width > height else (1 + 2_000_000 // height, height)
    header = render_header(question)
    joined = add_header(Image.new("RGB", (width, height)), question)
    assert joined.width * joined.height <= MAX_PIXELS
    exact = header.height / header.width + height / width
    assert joined.height / joined.width == pytest.approx(exact, rel=0.05, abs=2 / joined.width)


@pytest.mark.parametrize("size", [(400, 300), (90, 1200), (600, 5000), (5000, 600), (1, 12), (3000, 4000)])
def test_ordinary_pictures_are_scaled_as_in_the_original(size: tuple[int, int]) -> None:
    question = "What share of the voters was undecided in March?"
    header, picture = render_header(question), Image.effect_noise(size, 60).convert("RGB")
    width = max(header.width, size[0])
    above = header.resize((width, int(header.height * (width / header.width))))
    below = picture.resize((width, int(size[1] * (width / size[0]))))
    joined = np.asarray(add_header(picture, question))
    np.testing.assert_array_equal(joined, np.concatenate([np.asarray(above), np.asarray(below)]))


def test_a_question_beyond_all_measure_is_refused() -> None:
    with pytest.raises(QuestionError, match=r"a question may have at most 20,000 characters, got 100,000"):
        ImageProcessor().patches(Image.new("RGB", (9, 9)), question="long " * 20_000)


def test_a_budget_beyond_the_largest_picture_is_refused() -> None:
    sentence = "max_patches may be 156,250 at most, got 1,000,000"
    with pytest.raises(ValueError, match=sentence):
        ImageProcessor(max_patches=1_000_000)
    with pytest.raises(ValueError, match=sentence):
        ImageProcessor().patches(Image.new("RGB", (9, 9)), max_patches=1_000_000)
    assert ImageProcessor(max_patches=LARGEST_BUDGET).max_patches == LARGEST_BUDGET
