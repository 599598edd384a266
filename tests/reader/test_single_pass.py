"""The reader of a checkpoint: order, regions and errors, with a tiny random model that says nothing sensible."""

import math
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from PIL import Image

from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.processor import Pix2StructProcessor
from pixread.reader.reader import Reader
from pixread.records import Box
from tests.conftest import MakeCheckpoint
from tests.drawn import draw_text


@pytest.fixture(scope="module")
def reader(tiny_checkpoint: Path) -> Reader:
    return Reader.load(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def page() -> Image.Image:
    image = Image.new("RGB", (500, 220), "white")
    draw_text(image, (20, 20), "Headline", size=26)
    for row in range(4):
        draw_text(image, (20, 80 + 24 * row), f"Number{row}")  # short enough to be read in one pass
    return image


def test_a_page_is_read_in_one_pass(reader: Reader, page: Image.Image):
    reading = reader.parse(page)
    assert (reading.width, reading.height) == page.size
    assert reading.text == reader.read(page).text
    assert reading.boxes == ()
    assert reading.score < 0 < reading.seconds


def test_lists_give_lists_in_order(reader: Reader, page: Image.Image):
    small = page.crop((0, 0, 500, 60))
    both = reader.parse([page, small, page], batch_size=2)
    assert [(reading.width, reading.height) for reading in both] == [page.size, small.size, page.size]
    assert both[0].text == both[2].text == reader.parse(page).text
    assert [reading.text for reading in reader.read([page, small])] == [
        reader.read(page).text,
        reader.read(small).text,
    ]
    assert reader.parse([]) == []
    assert reader.read([]) == []


def test_progress_counts_every_pass(reader: Reader, page: Image.Image):
    told: list[tuple[int, int]] = []
    reader.parse([page] * 3, batch_size=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 3), (3, 3)]


def test_a_region_gets_a_blue_box(reader: Reader, page: Image.Image):
    """Round a region that is named, and nothing else: `parse` drew one round the whole page, the command did not."""
    seen: list[Image.Image] = []
    keep = ImageProcessor.patches

    def patches(self, image, *, boxes=(), **options):
        from pixread.images.draw import draw_boxes

        seen.append(draw_boxes(image, boxes))
        return keep(self, image, boxes=boxes, **options)

    with patch.object(ImageProcessor, "patches", patches):
        reader.parse(page)
        reader.parse([page], region=Box(10, 10, 100, 50))
        reader.read(page, region=Box(10, 10, 100, 50))
        reader.read(page)
    corners = [image.getpixel((0, 0)) for image in seen]
    assert corners == [(255, 255, 255)] * 4
    blue = (0, 0, 255)
    assert [image.getpixel((10, 10)) == blue for image in seen] == [False, True, True, False]
    assert reader.parse(page).boxes == ()


def test_a_question_changes_the_picture(reader: Reader, page: Image.Image):
    plain, asked = reader.read(page), reader.read(page, "What is the heading of it?")
    assert plain.score != asked.score
    two = reader.read([page, page], ["What is the heading of it?", ""])
    assert [two[0].score, two[1].score] == pytest.approx([asked.score, plain.score], rel=1e-4)


def test_limits_are_kept(reader: Reader, page: Image.Image):
    long, short = reader.read(page, max_new_tokens=9, min_new_tokens=9), reader.read(page, max_new_tokens=2)
    assert long.text.startswith(short.text.rstrip("\ufffd"))
    assert len(long.text) > len(short.text)


@pytest.mark.parametrize("method", ["read", "parse"])
def test_beams_are_searched_when_asked_for_or_when_the_checkpoint_says_so(
    reader: Reader, page: Image.Image, make_checkpoint: MakeCheckpoint, method: str
):
    pages = [page, page.crop((0, 0, 500, 60))]
    greedy, asked = (getattr(reader, method)(pages, beams=beams) for beams in (1, 4))
    stored = Reader.load(make_checkpoint(num_beams=4), device="cpu")

    assert [reading.text for reading in getattr(stored, method)(pages)] == [reading.text for reading in asked]
    assert [reading.text for reading in getattr(stored, method)(pages, beams=1)] == [one.text for one in greedy]
    assert [reading.text for reading in asked] != [reading.text for reading in greedy]
    assert all(reading.score < 0 for reading in asked)


def test_beams_that_a_checkpoint_cannot_mean_are_refused(make_checkpoint: MakeCheckpoint):
    with pytest.raises(ValueError) as caught:
        Reader.load(make_checkpoint(num_beams="many"), device="cpu")
    said = "cannot be followed: the number of beams must be a whole number from 1 to 1024, got 'many'"
    assert str(caught.value).startswith("the generation settings of ")
    assert str(caught.value).endswith(said)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"region": Box(0, 0, 501, 10)},
            "the region 0,0,501,10 (x,y,width,height) must lie inside the picture of 500 x",
        ),
        ({"region": Box(-1, 0, 10, 10)}, "the region -1,0,10,10 "),
        ({"region": Box(5, 5, 0, 0)}, "the region 5,5,0,0 "),
        ({"region": [Box(0, 0, 9, 9)] * 2}, "give one region for all pictures or one for each, got 2 for 1 pictures"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1, got 0"),
        ({"max_new_tokens": 10**9}, f"max_new_tokens must be at most {2**20}, got {10**9}"),
        ({"min_new_tokens": -1}, "min_new_tokens must be at least 0, got -1"),
        ({"max_patches": 0}, "max_patches must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"beams": 0}, "beams must be at least 1, got 0"),
        ({"max_patches": "64"}, "max_patches must be a whole number, got '64'"),
        ({"batch_size": 2.5}, "batch_size must be a whole number, got 2.5"),
        ({"region": (0, 0, 9, 9)}, "a region must be a Box, got 0"),
    ],
)
@pytest.mark.parametrize("method", ["read", "parse"])
def test_senseless_options_are_refused(reader: Reader, page: Image.Image, method: str, options: dict, sentence: str):
    with pytest.raises(ValueError) as caught:
        getattr(reader, method)(page, **options)
    assert str(caught.value).startswith(sentence)


def test_a_question_is_a_text(reader: Reader, page: Image.Image):
    """A number ended in an AttributeError."""
    with pytest.raises(ValueError, match=r"^a question must be a str, got 5$"):
        reader.read(page, 5)  # type: ignore[call-overload]


def test_an_open_file_is_no_list_of_pictures(reader: Reader, tmp_path: Path, page: Image.Image):
    """Its lines were taken for pictures."""
    page.save(tmp_path / "page.png")
    with (tmp_path / "page.png").open("rb") as file, pytest.raises(ValueError, match="must not be an open file"):
        reader.parse(file)


def test_the_picture_at_fault_is_named(reader: Reader, page: Image.Image):
    with pytest.raises(ValueError, match=r"^picture 2 is not a picture of a known kind"):
        reader.parse([page, b"no picture"])


@pytest.mark.parametrize("dtype", ["bfloat16", torch.float16])
def test_half_precision_reads_too(tiny_checkpoint: Path, page: Image.Image, dtype: str | torch.dtype):
    reader = Reader.load(tiny_checkpoint, device=torch.device("cpu"), dtype=dtype)
    assert next(reader.checkpoint.model.parameters()).dtype in {torch.bfloat16, torch.float16}
    reading = reader.parse(page)
    assert math.isfinite(reading.score)


def test_what_a_checkpoint_says_can_be_overridden(tiny_checkpoint: Path):
    saved = Reader.load(tiny_checkpoint, device="cpu").processor
    assert isinstance(saved, Pix2StructProcessor)
    assert saved.image_processor == ImageProcessor(max_patches=128, is_vqa=False)
    changed = Reader.load(tiny_checkpoint, device="cpu", max_patches=64, is_vqa=True).processor
    assert isinstance(changed, Pix2StructProcessor)
    assert changed.image_processor == ImageProcessor(max_patches=64, is_vqa=True)


def test_a_token_that_the_model_has_no_row_for_is_named(tiny_checkpoint: Path):
    tokenizer = Reader.load(tiny_checkpoint, device="cpu").processor.tokenizer
    last = len(tokenizer) - 1
    with pytest.raises(ValueError, match=rf"^the id {last + 7} is no token, but the model knows the ids 0 to {last}"):
        tokenizer.check([5, last + 7])
