"""Drawing, headers, batching, and the saved settings that tie them together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixread.images.draw import draw_boxes
from pixread.images.header import add_header, render_header
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.records import Box, DrawnBox

WHITE = Image.new("RGB", (60, 40), "white")
BLUE = [0, 0, 255]


def test_a_region_is_a_blue_outline_and_a_mask_hides_what_is_below() -> None:
    drawn = [DrawnBox(Box(10, 10, 20, 10), "region"), DrawnBox(Box(12, 12, 8, 6), "mask")]
    black = Image.new("RGB", (60, 40), "black")
    pixels = np.asarray(draw_boxes(black, drawn))
    assert pixels[10, 10].tolist() == BLUE and pixels[20, 30].tolist() == BLUE
    assert pixels[15, 25].tolist() == [0, 0, 0]  # inside the region, outside the mask
    assert (pixels[13:18, 13:20] == 255).any(axis=(0, 1)).all()
    assert not np.asarray(black).any(), "the picture itself stays as it is"


def test_boxes_beyond_the_picture_are_cut_to_it() -> None:
    pixels = np.asarray(draw_boxes(WHITE, [DrawnBox(Box(-5, -5, 500, 500), "region")]))
    assert pixels[0, 0].tolist() == BLUE and pixels[39, 59].tolist() == BLUE


def test_no_boxes_no_copy() -> None:
    assert draw_boxes(WHITE, []) is WHITE


def test_a_header_stands_above_and_widens_the_picture() -> None:
    header = render_header("What is the price?")
    joined = add_header(WHITE, "What is the price?")
    assert joined.width == header.width > WHITE.width
    assert joined.height == header.height + int(40 * header.width / 60)
    assert np.asarray(joined)[: header.height].min() < 50
    assert np.asarray(joined)[header.height :].min() == 255


def test_a_wide_picture_scales_the_header() -> None:
    wide = Image.new("RGB", (1000, 50), "white")
    header = render_header("Why?")
    joined = add_header(wide, "Why?")
    assert joined.size == (1000, int(header.height * 1000 / header.width) + 50)


def test_long_questions_wrap_at_eighty_characters() -> None:
    one, two = render_header("a" * 80), render_header("a" * 80 + " b")
    assert two.height > one.height
    assert two.width == one.width


def test_an_empty_question_adds_nothing() -> None:
    assert add_header(WHITE, "  ") is WHITE


def test_headers_equal_those_of_transformers() -> None:
    """Same font, same pixels: the released checkpoints read headers drawn just so."""
    from importlib.resources import files

    from transformers.models.pix2struct.image_processing_pil_pix2struct import Pix2StructImageProcessorPil

    font = (files("pixread") / "assets" / "fonts" / "LiberationSans-Regular.ttf").read_bytes()
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    question = "How many people, in thousands, live in the town that the second bar from the left stands for?"
    channels_first = np.ascontiguousarray(picture.transpose(2, 0, 1))
    theirs = Pix2StructImageProcessorPil().render_header(channels_first, question, font_bytes=font)
    ours = np.asarray(add_header(Image.fromarray(picture), question))
    np.testing.assert_array_equal(ours, theirs.transpose(1, 2, 0))


def test_settings_come_back_from_the_folder(tmp_path: Path) -> None:
    settings = ImageProcessor(max_patches=77, is_vqa=True)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings.to_json()))
    assert ImageProcessor.load(tmp_path) == settings


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not valid JSON"),
        ("[]", "must hold a JSON object, got list"),
        ('{"max_patches": 0}', "must be a whole number of at least 1, got 0"),
        ('{"line_stretch": 1.6}', "is of a reader of single lines .line_stretch., which pixread no longer reads with"),
        ('{"is_vqa": "yes"}', "is_vqa must be true or false, got 'yes'"),
        ('{"do_normalize": false}', r"do_normalize in \S+ must be true, got false"),
        (
            '{"patch_size": {"height": 8, "width": 8}}',
            r'patch_size in \S+ must be {"height": 16, "width": 16}, got {"h',
        ),
    ],
)
def test_bad_settings_are_one_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(content)
    with pytest.raises(ValueError, match=sentence):
        ImageProcessor.load(tmp_path)


def test_a_folder_without_settings_has_the_papers(tmp_path: Path) -> None:
    assert ImageProcessor.load(tmp_path) == ImageProcessor(max_patches=2048, is_vqa=False)
