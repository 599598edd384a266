"""pixread.targets.parse: regions that fit, boxes where the text is, and the whole subtree as target."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from pixread.markup import parse, serialise
from pixread.records import Node
from pixread.targets.parse import ParseSettings, examples
from tests.targets.pages import article, colours, screenshot, text_leaf

PAGE = article()
WORDS = [word for node in PAGE.root.walk() for word in node.words]


def subtrees_within(node: Node, *, low: int, high: int) -> set[str]:
    return {text for text in map(serialise, node.walk()) if low <= len(text) <= high}


def test_the_first_region_is_the_largest_that_fits():
    fitting = subtrees_within(PAGE.root, low=12, high=500)
    made = examples(PAGE, settings=ParseSettings(max_chars=500, regions_per_page=6), seed=0)
    assert len(made[0].targets[0]) == max(map(len, fitting))
    assert {example.targets[0] for example in made} <= fitting
    assert len(made) == len({example.targets for example in made}) == 6
    assert len({example.id for example in made}) == 6


def test_a_page_that_fits_is_taken_whole():
    page = article(paragraphs=2, words=10)
    first = examples(page, settings=ParseSettings(), seed=0)[0]
    assert first.targets == (serialise(page.root),)
    assert first.image == page.png


@pytest.mark.parametrize("picture", ["page", "region"])
@hypothesis_settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), max_height=st.integers(150, 700))
def test_boxes_lie_on_the_text_of_the_region(picture, seed, max_height):
    for example in examples(PAGE, settings=ParseSettings(picture=picture, max_height=max_height), seed=seed):
        with Image.open(io.BytesIO(example.image)) as opened:
            shown = opened.convert("RGB")
        assert list(shown.size) == example.meta["size"]
        assert shown.height <= max_height
        region, *masks = example.boxes
        assert region.kind == "region"
        assert 0 <= region.box.x <= region.box.right <= shown.width
        assert 0 <= region.box.y <= region.box.bottom <= shown.height
        said = " ".join(leaf.text or "" for leaf in parse(example.targets[0]).walk()).split()
        expected = {number % 256 for number, word in enumerate(WORDS) if word.text in said}
        assert visible(shown, [region.box]) == expected
        assert visible(shown, [mask.box for mask in masks]) < expected or not masks
        for mask in masks:
            assert mask.kind == "mask"
            assert mask.box.intersect(region.box) == mask.box
        assert (example.meta["masks"], example.meta["words"]) == (len(masks), len(said))


def visible(picture: Image.Image, boxes) -> set[int]:
    return set().union(*(colours(picture.crop((box.x, box.y, box.right, box.bottom))) for box in boxes))


def test_about_half_of_the_text_is_masked():
    example = examples(PAGE, settings=ParseSettings(max_chars=2000), seed=1)[0]
    _, *masks = example.boxes
    covered = sum(mask.box.width for mask in masks) / 8
    assert covered / sum(len(word.text) + 1 for word in WORDS) == pytest.approx(0.5, abs=0.12)
    unmasked = examples(PAGE, settings=ParseSettings(max_chars=2000, mask_rate=0), seed=1)[0]
    assert (len(unmasked.boxes), unmasked.targets) == (1, example.targets)


def test_sizes_are_varied_and_the_seed_decides():
    settings = ParseSettings(regions_per_page=4)
    assert examples(PAGE, settings=settings, seed=5) == examples(PAGE, settings=settings, seed=5)
    targets = [
        tuple(example.targets[0] for example in examples(PAGE, settings=settings, seed=seed)) for seed in range(20)
    ]
    assert len(set(targets)) > 5
    assert all(min(map(len, page)) < 130 and max(map(len, page)) > 400 for page in targets)


def test_regions_need_text_and_room():
    images = Node(children=tuple(Node(image=f"picture{number}") for number in range(4)))
    assert examples(screenshot(images), settings=ParseSettings(), seed=0) == []
    tall = Node(children=(text_leaf("at the top", y=5), text_leaf("at the bottom", y=280, line=1)))
    made = examples(screenshot(tall), settings=ParseSettings(max_height=200, min_chars=5), seed=0)
    assert sorted(example.targets[0] for example in made) == ["<at the bottom>", "<at the top>"]
    assert examples(screenshot(tall), settings=ParseSettings(max_height=200, leaves=False), seed=0) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"min_chars": 2000}, "min_chars and max_chars must be 1 <= min <= max, got 2000, 1024"),
        ({"mask_rate": 1.5}, "mask_rate must be between 0 and 1, got 1.5"),
        ({"picture": "crop"}, "picture must be page or region, got 'crop'"),
        ({"margin": 2}, "margin must be more than the 2 pixels of the outline, got 2"),
        ({"regions_per_page": 0}, "max_height and regions_per_page must be at least 1"),
    ],
)
def test_settings_are_checked(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        replace(ParseSettings(), **wrong)
