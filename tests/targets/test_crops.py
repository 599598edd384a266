"""pixread.targets.crops: each crop shows its words and no others."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from pixread.records import Box, Node, Word
from pixread.targets.crops import CropSettings, examples
from tests.targets.pages import WORD_HEIGHT, article, colours, screenshot, text_leaf


def texts(root, **settings):
    return [example.targets[0] for example in examples(screenshot(root), settings=CropSettings(**settings), seed=0)]


def test_each_crop_shows_its_line_alone():
    page = article()
    made = examples(page, settings=CropSettings(), seed=1)
    words = [word for node in page.root.walk() for word in node.words]
    assert " ".join(example.targets[0] for example in made) == " ".join(word.text for word in words)
    numbers = {word.text: number % 256 for number, word in enumerate(words)}
    for example in made:
        assert colours(example.image) == {numbers[text] for text in example.targets[0].split()}
        with Image.open(io.BytesIO(example.image)) as opened:
            assert list(opened.size) == example.meta["size"]
            assert WORD_HEIGHT <= opened.height <= WORD_HEIGHT + 8
    assert len({example.meta["size"][1] for example in made}) > 3  # the margin varies
    assert len({example.id for example in made}) == len(made)
    assert {example.group_id for example in made} == {page.source}


def test_the_seed_decides():
    page = article()
    settings = CropSettings(max_crops=5, max_images=1)
    first, again, other = (examples(page, settings=settings, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert [example.image for example in first] != [example.image for example in other]
    assert [len(made) for made in (first, other)] == [6, 6]


def test_words_of_several_leaves_join_as_they_are_seen():
    link = text_leaf("see", line=3)
    comma = Node(text=", now", words=(Word(",", Box(34, 10, 8, 14), 3), Word("now", Box(50, 10, 24, 14), 3)))
    assert texts(Node(children=(link, comma))) == ["see, now"]


def test_text_without_blanks_stays_without():
    words = tuple(Word(char, Box(10 + 14 * index, 10, 14, 14), 0) for index, char in enumerate("你好世界"))
    assert texts(Node(text="你好 世界", words=words)) == ["你好 世界"]


def test_wide_gaps_and_long_lines_are_parted():
    row = Node(children=(text_leaf("left cell"), text_leaf("right cell", x=200)))
    assert texts(row) == ["left cell", "right cell"]
    assert texts(text_leaf("one two three four verylongword five"), max_chars=8) == ["one two", "three", "four", "five"]


def test_cut_off_and_covered_lines_are_left_out():
    good = text_leaf("good line", y=10, line=0)
    beyond = text_leaf("over the edge", x=350, y=50, line=1)
    below, above = text_leaf("covered by another", y=100, line=2), text_leaf("menu", x=60, y=105, line=3)
    tight = text_leaf("tight lines", y=150, line=4), text_leaf("are fine", y=162, line=5)
    flat = Node(text="flat", words=(Word("flat", Box(10, 200, 40, 4), 6),))
    page = Node(children=(good, beyond, below, above, *tight, flat))
    assert texts(page) == ["good line", "tight lines", "are fine"]


def test_margins_end_at_the_next_word():
    tight = Node(children=tuple(text_leaf("line one two", y=10 + 16 * number, line=number) for number in range(8)))
    made = examples(screenshot(tight), settings=CropSettings(jitter=30, max_chars=8), seed=0)
    assert [example.targets[0] for example in made] == ["line one", "two"] * 8
    for number, example in enumerate(made):
        first = 3 * (number // 2) + 2 * (number % 2)
        assert colours(example.image) == ({first} if number % 2 else {first, first + 1})


def test_images_without_text_have_their_leaf_as_target():
    icon = Node(image="icon", box=Box(10, 10, 10, 10))
    photo = Node(image="photo", alt="A <cat>", box=Box(100, 100, 50, 40))
    banner = Node(image="banner", box=Box(0, 200, 400, 50))
    page = Node(children=(icon, photo, banner, text_leaf("on the banner", y=210)))
    assert texts(page, max_images=5) == ["on the banner", "<img_src=photo img_alt=A &lt;cat&gt;>"]
    assert texts(page) == ["on the banner"]


def test_markup_writes_a_text_leaf():
    assert texts(text_leaf("a < b"), markup=True) == ["<a &lt; b>"]
    assert texts(text_leaf("a < b")) == ["a < b"]


def test_a_page_without_text_gives_nothing():
    assert texts(Node()) == []


@pytest.mark.parametrize("wrong", [{"max_chars": 0}, {"jitter": -1}, {"max_images": -1}, {"max_crops": -2}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match="must"):
        replace(CropSettings(), **wrong)
