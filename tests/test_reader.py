"""The reader: shapes, order and errors, with a tiny random model that says nothing sensible."""

import json
import math
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from PIL import Image

import pixread
from pixread.grammar import parse, serialise
from pixread.inputs.long_lines import cut_long_line
from pixread.inputs.segment import segment
from pixread.reader import Reader, load
from pixread.records import Box
from tests.conftest import MakeCheckpoint
from tests.inputs.test_segment import draw_text
from tests.photos import photo


@pytest.fixture(scope="module")
def reader(tiny_checkpoint: Path) -> Reader:
    return load(tiny_checkpoint, device="cpu")


@pytest.fixture(scope="module")
def page() -> Image.Image:
    image = Image.new("RGB", (500, 220), "white")
    draw_text(image, (20, 20), "Headline", size=26)
    for row in range(4):
        draw_text(image, (20, 80 + 24 * row), f"Number{row}")  # short enough to be read in one pass
    return image


def lies_in(inner: Box, outer: Box) -> bool:
    return outer.intersect(inner) == inner


def test_a_page_is_read_line_by_line(reader: Reader, page: Image.Image):
    reading = reader.parse(page)
    assert (reading.width, reading.height) == page.size
    assert sorted(map(Box.as_list, reading.boxes)) == sorted(region.box.as_list() for region in segment(page))
    assert len(reading.boxes) == 5
    leaves = [node for node in reading.tree.walk() if node.confidence is not None]
    assert all(0 < (node.confidence or 0) <= 1 for node in leaves)
    for box in reading.boxes:  # a model without training may write a tree for a line, which then has the line's box
        assert any(lies_in(word.box, box) for leaf in leaves for word in leaf.words) != any(
            node.box == box and not node.is_text for node in leaves
        )
    assert reading.score < 0
    assert reading.seconds > 0
    assert reading.text == serialise(reading.tree)


def test_each_line_is_what_one_pass_over_it_gives(reader: Reader, page: Image.Image, monkeypatch: pytest.MonkeyPatch):
    """Batching, sorting and padding do not change an answer."""
    monkeypatch.setattr("pixread.reading.second_look.SURE", 0.0)
    reading, compared = reader.parse(page, max_new_tokens=9), 0
    leaves = [node for node in reading.tree.walk() if node.confidence is not None]
    for box in reading.boxes:
        crop = page.crop((int(box.x) - 3, int(box.y) - 3, int(box.right) + 3, int(box.bottom) + 3))
        if len(cut_long_line(crop, margin=3)) > 1:
            continue  # read in parts
        alone = reader.read(crop, max_new_tokens=9)
        tree = parse(alone.text)
        there = [leaf for leaf in leaves if any(lies_in(word.box, box) for word in leaf.words) or leaf.box == box]
        words = [word for leaf in there for word in leaf.words if lies_in(word.box, box)]
        assert tree.is_text == bool(words)
        if words:
            assert "".join(word.text for word in words) == "".join((tree.text or "").split())
        else:
            assert [serialise(leaf) for leaf in there] == [serialise(tree)]
        if all(len({word.line for word in leaf.words}) <= 1 for leaf in there):  # else it is the mean of several lines
            compared += 1
            assert [leaf.confidence for leaf in there] == pytest.approx([math.exp(alone.score)] * len(there), rel=1e-4)
    assert compared >= 3


def test_lists_give_lists_in_order(reader: Reader, page: Image.Image):
    small = page.crop((0, 0, 500, 60))
    both = reader.parse([page, small, page], batch_size=2)
    assert [len(reading.boxes) for reading in both] == [5, 1, 5]
    assert both[0].text == both[2].text == reader.parse(page).text
    assert [reading.text for reading in reader.read([page, small])] == [
        reader.read(page).text,
        reader.read(small).text,
    ]
    assert reader.parse([]) == []
    assert reader.read([]) == []


def test_a_region_is_parsed_with_boxes_on_the_page(reader: Reader, page: Image.Image):
    whole = reader.parse(page)
    part = reader.parse(page, region=Box(0, 70, 500, 100))
    assert list(part.boxes) == [box for box in whole.boxes if 70 < box.y < 165]
    assert (part.width, part.height) == page.size


def test_a_blank_page_has_nothing_on_it(reader: Reader):
    reading = reader.parse(Image.new("RGB", (300, 300), "white"))
    assert (reading.text, reading.boxes, reading.score) == ("<>", (), 0.0)


def test_a_photograph_is_an_image_leaf(reader: Reader):
    image = Image.new("RGB", (400, 300), "white")
    image.paste(photo(200, 200), (100, 50))
    images = [node for node in reader.parse(image).tree.walk() if node.is_image and node.confidence is None]
    assert len(images) == 1
    assert images[0].box is not None
    assert images[0].box.intersect(Box(100, 50, 200, 200)) is not None


def test_unsure_lines_can_be_left_out(reader: Reader, page: Image.Image, make_checkpoint: MakeCheckpoint):
    confidences = sorted(node.confidence for node in reader.parse(page).tree.walk() if node.confidence is not None)
    middle = confidences[len(confidences) // 2]
    kept = sum(confidence >= middle for confidence in confidences)
    assert len(reader.parse(page, min_confidence=middle).boxes) == kept < 5
    assert load(make_checkpoint(min_confidence=1.0)).parse(page).boxes == ()


def test_progress_counts_every_pass(reader: Reader, page: Image.Image):
    told: list[tuple[int, int]] = []
    reader.parse(page, batch_size=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_the_parts_of_a_long_line_become_one_node(reader: Reader):
    image = Image.new("RGB", (900, 60), "white")
    box = draw_text(
        image, (20, 20), "a line of many words that is much too long to be read in one single pass of a model"
    )
    told: list[tuple[int, int]] = []
    reading = reader.parse(image, progress=lambda done, total: told.append((done, total)))
    assert told[-1][1] > 1
    [found] = reading.boxes
    assert found.intersect(box) is not None
    # A model without training may write a tree where it should write a text.
    leaves = [node for node in reading.tree.walk() if node.confidence is not None]
    assert all(leaf.box is not None and lies_in(leaf.box, found) for leaf in leaves)
    assert {word.line for leaf in leaves for word in leaf.words} <= {0}


def test_a_reader_of_whole_pictures_gets_a_blue_box(page: Image.Image, make_checkpoint: MakeCheckpoint):
    """Round a region that is named, and nothing else: `parse` drew one round the whole page, the command did not."""
    reader = load(make_checkpoint(reads=None, line_stretch=None))
    assert reader.reads == "page"
    seen: list[Image.Image] = []
    keep = type(reader.preprocess).patches

    def patches(self, image, *, boxes=(), **options):
        from pixread.inputs.draw import draw_boxes

        seen.append(draw_boxes(image, boxes))
        return keep(self, image, boxes=boxes, **options)

    with patch.object(type(reader.preprocess), "patches", patches):
        reader.parse(page)
        reader.parse([page], region=Box(10, 10, 100, 50))
        reader.read(page, region=Box(10, 10, 100, 50))
        reader.read(page)
    corners = [image.getpixel((0, 0)) for image in seen]
    assert corners == [(255, 255, 255)] * 4
    blue = (0, 0, 255)
    assert [image.getpixel((10, 10)) == blue for image in seen] == [False, True, True, False]
    assert reader.parse(page).boxes == ()


def test_a_question_changes_the_picture(page: Image.Image, make_checkpoint: MakeCheckpoint):
    reader = load(make_checkpoint(reads=None, line_stretch=None))
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
    stored = load(make_checkpoint(num_beams=4), device="cpu")

    assert [reading.text for reading in getattr(stored, method)(pages)] == [reading.text for reading in asked]
    assert [reading.text for reading in getattr(stored, method)(pages, beams=1)] == [one.text for one in greedy]
    assert [reading.text for reading in asked] != [reading.text for reading in greedy]
    assert all(reading.score < 0 for reading in asked)


def test_beams_that_a_checkpoint_cannot_mean_are_refused(make_checkpoint: MakeCheckpoint):
    with pytest.raises(ValueError) as caught:
        load(make_checkpoint(num_beams="many"), device="cpu")
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


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "nowhere/at/all"}, "nowhere/at/all is not a checkpoint folder"),
        ({"device": "quantum"}, "the device 'quantum' cannot be used: "),
        ({"dtype": "int3"}, "dtype must be auto, float32, bfloat16, float16 or int8, got 'int3'"),
        ({"max_patches": 0}, "max_patches must be a whole number of at least 1, got 0"),
        ({"is_vqa": "yes"}, "is_vqa must be true or false, got 'yes'"),
        ({"revision": "main"}, "only a repository on the Hugging Face Hub has revisions, "),
        ({"name": None, "revision": "main"}, "only a repository on the Hugging Face Hub has revisions, the shipped"),
    ],
)
def test_what_cannot_be_loaded_is_refused(tiny_checkpoint: Path, options: dict, sentence: str):
    with pytest.raises(ValueError) as caught:
        pixread.load(**{"name": tiny_checkpoint, "device": "cpu", **options})
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_repository_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ValueError,
        match=r"^there is no folder nobody/nothing; HF_HUB_OFFLINE is set, and the repository is not, or not wholly,",
    ):
        pixread.load("nobody/nothing")


def test_an_unknown_way_of_reading_is_refused(tiny_checkpoint: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_checkpoint, folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "reads": "minds"}))
    with pytest.raises(ValueError, match="must be regions or page, got 'minds'"):
        load(folder)


@pytest.mark.parametrize("dtype", ["bfloat16", torch.float16])
def test_half_precision_reads_too(tiny_checkpoint: Path, page: Image.Image, dtype: str | torch.dtype):
    reader = load(tiny_checkpoint, device=torch.device("cpu"), dtype=dtype)
    assert next(reader.checkpoint.model.parameters()).dtype in {torch.bfloat16, torch.float16}
    reading = reader.parse(page)
    assert len(reading.boxes) == 5
    assert math.isfinite(reading.score)


def test_what_a_checkpoint_says_can_be_overridden(tiny_checkpoint: Path):
    saved = load(tiny_checkpoint, device="cpu").preprocess
    assert (saved.max_patches, saved.is_vqa) == (128, False)
    changed = load(tiny_checkpoint, device="cpu", max_patches=64, is_vqa=True).preprocess
    assert (changed.max_patches, changed.is_vqa, changed.line_stretch) == (64, True, saved.line_stretch)


def test_a_token_that_the_model_has_no_row_for_is_named(tiny_checkpoint: Path):
    tokenizer = load(tiny_checkpoint, device="cpu").tokenizer
    last = len(tokenizer) - 1
    with pytest.raises(ValueError, match=rf"^the id {last + 7} is no token, but the model knows the ids 0 to {last}"):
        tokenizer.check([5, last + 7])
