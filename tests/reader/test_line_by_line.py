"""Whole pages by a detector and a recogniser that know the truth: what is left is how they are put together."""

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import pixread
from pixread.checkpoints.layout import PAGE_READER
from pixread.checkpoints.resolve import resolve
from pixread.layout.learned.network import DetectorConfig, DetectorNetwork, save_weights
from pixread.metrics import tree_similarity
from pixread.reader.line_by_line import DETECTION_MARGIN, PageReader
from pixread.recognition.ctc.alphabet import Alphabet
from pixread.recognition.ctc.decode import Calibration
from pixread.recognition.ctc.network import LineNetwork, NetworkConfig
from pixread.recognition.ctc.recogniser import LineModel, save_model
from pixread.records import Box, Reading, Screenshot
from pixread.render.browser import Browser
from pixread.render.page import RenderSettings, render_page
from pixread.visual_lines import text_lines
from tests.reader.oracle_reader import OracleReader, TrueRegion, leaves, picture_of, true_regions

PAGE = """<!doctype html><meta charset=utf-8><title>t</title>
<body style="margin:24px;font:16px/1.5 sans-serif;background:#fff">
<h1 style="font-size:34px;margin:0 0 24px">All about rivers</h1>
<p style="width:520px">Every river begins as a trickle somewhere in the hills, and grows with each brook that joins it
on its way, as <a href="#x" style="color:#06c">the long guide</a> tells in much more detail than this page has room
for.</p>
<img alt="A bend" width=300 height=120 style="display:block;margin:30px 0" src="data:image/svg+xml,
<svg xmlns='http://www.w3.org/2000/svg' width='300' height='120'><rect width='300' height='120' fill='teal'/></svg>">
<ul style="margin-top:40px"><li>Sources and springs<li>Deltas<li>Locks, weirs and mills</ul>
<p style="margin-top:60px;font-size:12px">Printed in 2021 (second edition).</p>
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screenshot]:
    source = tmp_path_factory.mktemp("page") / "page.html"
    source.write_text(PAGE, encoding="utf-8")
    with Browser() as browser:
        yield render_page(browser, str(source), settings=RenderSettings(width=700))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks, untrained."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    detector, recogniser = (folder / name for name in PAGE_READER)
    save_weights(DetectorNetwork(DetectorConfig()), detector)
    alphabet = Alphabet.of("abc")
    network = LineNetwork(NetworkConfig(alphabet.size))
    save_model(LineModel(network, alphabet, Calibration(1.0, 0.0)), recogniser)
    return folder


def reader(oracle: OracleReader) -> PageReader:
    return PageReader(oracle, oracle, name="the truth")


def turned(page: Screenshot, angle: float) -> tuple[Image.Image, list[TrueRegion]]:
    """The page turned clockwise, and what it tells then."""
    image = picture_of(page)
    rotated = image.rotate(-math.degrees(angle), Image.Resampling.BICUBIC, expand=True, fillcolor="white")
    return rotated, [one.rotated(angle, image.size, rotated.size) for one in true_regions(page)]


def test_a_page_is_read_as_its_tree(page: Screenshot):
    reading = reader(OracleReader(true_regions(page))).parse(picture_of(page))
    assert [line.text for line in text_lines(reading.tree)] == [line.text for line in text_lines(page.root)]
    assert "the long guide" in leaves(reading.tree), "a link is a text of its own"
    assert leaves(reading.tree).index("[picture]") == leaves(reading.tree).index("\u2022") - 1
    assert tree_similarity(reading.tree, page.root).similarity > 0.8
    assert (reading.width, reading.height) == (page.width, page.height)


def test_words_have_their_true_boxes(page: Screenshot):
    reading = reader(OracleReader(true_regions(page))).parse(picture_of(page))
    true = {word.text: word.box for leaf in page.root.walk() for word in leaf.words}
    found = {word.text: word.box for leaf in reading.tree.walk() for word in leaf.words}
    for text in ("rivers", "somewhere", "guide", "Deltas", "Printed"):
        for one, other in zip(found[text].as_list(), true[text].as_list(), strict=True):
            assert one == pytest.approx(other, abs=1.5)
    # Punctuation is a word of its own here, and ends where the word began to end.
    assert found["("].right == pytest.approx(found["second"].x, abs=0.2)
    lines = {line.box.y for line in text_lines(page.root)}
    assert len(reading.boxes) == len(lines)


@pytest.mark.parametrize("degrees", [3, -2, 90, 180, 270])
def test_a_turned_page_has_the_same_tree_and_boxes_in_its_picture(page: Screenshot, degrees: int):
    upright = reader(OracleReader(true_regions(page))).parse(picture_of(page))
    image, found = turned(page, math.radians(degrees))
    reading = reader(OracleReader(found, upright=true_regions(page) if degrees % 90 == 0 else ())).parse(image)
    assert (reading.width, reading.height) == image.size
    assert [line.text for line in text_lines(reading.tree)] == [line.text for line in text_lines(upright.tree)]
    assert tree_similarity(reading.tree, upright.tree).similarity > 0.9
    for node in reading.tree.walk():
        box = node.box
        assert box is not None and box.x > -1 and box.y > -1
        assert box.right < image.width + 1 and box.bottom < image.height + 1
    title = next(leaf.box for leaf in reading.tree.walk() if leaf.text == "All about rivers")
    hull = next(one.region.box for one in found if one.line and one.line.text == "All about rivers")
    assert title is not None
    assert title.as_list() == pytest.approx(hull.as_list(), abs=1)


def test_a_line_turned_by_itself_is_read_and_stands_alone(page: Screenshot):
    image, found = picture_of(page), true_regions(page)
    aside = next(one for one in found if one.line and one.line.text.startswith("Printed"))
    rest = [one for one in found if one is not aside]
    turned_aside = aside.rotated(math.pi / 2, image.size, image.size)
    reading = reader(OracleReader([*rest, turned_aside])).parse(image)
    assert "Printed in 2021 (second edition)." in leaves(reading.tree)
    assert len(leaves(reading.tree)) == len(leaves(reader(OracleReader(found)).parse(image).tree))


def test_words_that_are_not_sure_are_left_out(page: Screenshot):
    oracle = OracleReader(true_regions(page), unsure={"Deltas": 0.8, "Printed": 0.99})
    reading = reader(oracle).parse(picture_of(page))
    assert "Deltas" not in reading.text, ".8 to the sixth is .26"
    assert "Printed in 2021" in reading.text
    (left_out,) = reading.left_out
    assert (left_out.text, left_out.confidence) == ("Deltas", pytest.approx(0.8**6))
    true = next(word.box for leaf in page.root.walk() for word in leaf.words if word.text == "Deltas")
    assert left_out.box.as_list() == pytest.approx(true.as_list(), abs=1.5)
    assert "Deltas" in reader(oracle).parse(picture_of(page), min_confidence=0.25).text
    sure = reader(oracle).parse(picture_of(page), min_confidence=0.25)
    confidences = {leaf.text: leaf.confidence for leaf in sure.tree.walk() if leaf.text}
    assert confidences["Deltas"] == pytest.approx(0.8**6)
    assert confidences["Sources and springs"] == pytest.approx(1)
    assert sure.left_out == ()
    words = {word.text: word.confidence for leaf in sure.tree.walk() for word in leaf.words}
    assert (words["Deltas"], words["Printed"]) == (pytest.approx(0.8**6), pytest.approx(0.99**7))


@pytest.mark.parametrize("degrees", [3, 90])
def test_a_left_out_word_is_where_it_would_be_in_the_tree(page: Screenshot, degrees: int):
    image, found = turned(page, math.radians(degrees))

    def read(**options: Any) -> Reading:
        upright = true_regions(page) if degrees == 90 else ()
        return reader(OracleReader(found, upright=upright, unsure={"Deltas": 0.8})).parse(image, **options)

    (kept,) = (word for leaf in read(min_confidence=0).tree.walk() for word in leaf.words if word.text == "Deltas")
    (left_out,) = read().left_out
    assert (left_out.text, left_out.box) == (kept.text, kept.box)


def test_of_a_region_only_its_words_and_pictures_are_read_in_the_page_s_pixels(page: Screenshot):
    box = next(node.box for node in page.root.walk() if node.text == "All about rivers")
    assert box is not None
    region = Box(box.x, box.y, box.width * 0.6, box.height + 2)

    seen = max(math.floor(region.x) - DETECTION_MARGIN, 0), max(math.floor(region.y) - DETECTION_MARGIN, 0)
    title = next(one for one in true_regions(page) if one.line and one.line.text == "All about rivers")
    # The detector is given the part around the region.
    oracle = OracleReader([title.rotated(0, seen, (-seen[0], -seen[1]))])
    reading = reader(oracle).parse(picture_of(page), region=region)
    assert leaves(reading.tree) == ["All about"]
    assert reading.tree.box is not None
    assert reading.tree.box.x == pytest.approx(box.x, abs=0.5)
    assert reading.tree.box.y == pytest.approx(box.y, abs=0.5)
    assert (reading.width, reading.height) == (page.width, page.height)


def test_many_pictures_give_many_readings_and_lines_are_counted(page: Screenshot):
    counted: list[tuple[int, int]] = []
    image = picture_of(page)
    readings = reader(OracleReader(true_regions(page))).parse(
        [image, image], progress=lambda *done: counted.append(done)
    )
    assert [one.text for one in readings] == [reader(OracleReader(true_regions(page))).parse(image).text] * 2
    lines = 2 * len(text_lines(page.root))
    assert counted == [(lines, lines)]
    assert reader(OracleReader([])).parse([]) == []


@pytest.mark.parametrize("size", [(1, 1), (400, 300), (3, 16_000)])
def test_a_picture_without_lines_is_an_empty_reading(size: tuple[int, int]):
    reading = reader(OracleReader([])).parse(Image.new("RGB", size, "navy"))
    assert reading.text == "<>" or reading.text == ""
    assert reading.tree.children == () and reading.boxes == () and reading.score == 0


def test_lines_without_a_word_leave_nothing_behind(page: Screenshot):
    silent = [TrueRegion(one.region, one.line and type(one.line)("", (), 0.0)) for one in true_regions(page)]
    reading = reader(OracleReader(silent)).parse(picture_of(page))
    assert leaves(reading.tree) == ["[picture]"]


def test_what_a_reader_of_pages_cannot_do_is_said_in_a_sentence():
    pages = reader(OracleReader([]))
    image = Image.new("RGB", (40, 40))
    with pytest.raises(ValueError, match=r"the truth reads pages and answers no questions.*pix2struct-docvqa-base"):
        pages.read(image, "What is shown?")
    assert pages.read(image, "").text == pages.read([image], [""])[0].text
    for ask in (pages.stream, pages.sample):
        with pytest.raises(ValueError, match="load a checkpoint for that"):
            ask(image)
    with pytest.raises(ValueError, match="scores no texts"):
        pages.score(image, ["a"])
    with pytest.raises(ValueError, match="beams and max_patches cannot be given"):
        pages.parse(image, beams=4, max_patches=8)
    for threshold in (math.nan, 2, -0.1, True, "a"):
        with pytest.raises(ValueError, match=r"^min_confidence must be a number from 0 to 1, got "):
            pages.parse(image, min_confidence=threshold)  # type: ignore[arg-type]
    for wrong in (Box(0, 0, 41, 10), Box(math.inf, 0, 1, 1), Box(math.nan, 0, 1, 1), Box(0, 0, math.nan, 1)):
        with pytest.raises(ValueError, match="must lie inside the picture"):
            pages.parse(image, region=wrong)


def test_a_folder_of_weights_is_a_reader_and_takes_no_options_of_checkpoints(weights: Path, page: Screenshot):
    found = pixread.load(weights, device="cpu", dtype="float32")
    assert isinstance(found, PageReader)
    image = picture_of(page)
    assert (found.parse(image).width, found.name) == (image.width, str(weights))
    with pytest.raises(ValueError, match="max_patches and like can only be given for a checkpoint"):
        pixread.load(weights, max_patches=8, like="transformers")
    with pytest.raises(ValueError, match="computes in auto, float32, bfloat16, got int8"):
        pixread.load(weights, dtype="int8")
    with pytest.raises(ValueError, match="the device 'abacus' cannot be used"):
        pixread.load(weights, device="abacus")


def test_a_folder_of_weights_is_no_checkpoint_and_has_those_of_both_networks(weights: Path, tmp_path: Path):
    with pytest.raises(ValueError, match="holds a page reader, where a checkpoint is wanted"):
        resolve(weights)
    shutil.copy(weights / PAGE_READER[0], tmp_path)
    with pytest.raises(ValueError, match=f"^no line recogniser at {tmp_path}/{PAGE_READER[1]}"):
        pixread.load(tmp_path, device="cpu")
