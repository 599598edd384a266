"""The reading curriculum: text nobody can guess, drawn in many ways, with its truth beside it."""

from __future__ import annotations

import io
import random
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from pixread.grammar import parse
from pixread.targets.fonts import can_draw, drawable, find_fonts, weigh_screen_fonts
from pixread.targets.warmup import WarmupSettings, estimated_centres, examples, sample
from pixread.targets.words import ALPHABET, random_text


@pytest.fixture(scope="module")
def fonts() -> tuple[str, ...]:
    from importlib.resources import files

    return find_fonts([str(files("pixread") / "assets" / "fonts")])


def test_the_shipped_font_is_found_and_draws_latin(fonts: tuple[str, ...]) -> None:
    assert any(font.endswith("LiberationSans-Regular.ttf") for font in fonts)
    assert can_draw(fonts[0], "é") and can_draw(fonts[0], " ")
    assert not can_draw(fonts[0], "漢")
    assert drawable(fonts[0], "a漢b") == "aob"


def test_no_fonts_is_one_sentence(tmp_path) -> None:
    with pytest.raises(ValueError, match="no text font with the letters AagR7e found below"):
        find_fonts([tmp_path])


def test_screen_fonts_make_up_half_of_the_draws() -> None:
    files = [f"/fonts/Odd{number}.ttf" for number in range(30)] + ["/fonts/LiberationSans-Regular.ttf"]
    weighed = Counter(weigh_screen_fonts(files))
    assert weighed["/fonts/LiberationSans-Regular.ttf"] == 32
    assert sum(weighed.values()) == 62


@pytest.mark.parametrize("layout", ["page", "line"])
def test_the_same_seed_draws_the_same_picture(fonts: tuple[str, ...], layout) -> None:
    settings = WarmupSettings(fonts=fonts, layout=layout, max_chars=30)
    first, second, other = (sample(settings, random.Random(seed)) for seed in (1, 1, 2))
    assert first.target == second.target != other.target
    assert first.centres == second.centres
    np.testing.assert_array_equal(np.asarray(first.image), np.asarray(second.image))


def test_pages_are_white_and_as_wide_as_the_paper_says(fonts: tuple[str, ...]) -> None:
    for seed in range(20):
        drawn = sample(WarmupSettings(fonts=fonts), random.Random(seed))
        image, text = drawn.image, drawn.target
        pixels = np.asarray(image)
        assert image.width == 640
        assert pixels[0].min() == 255 and pixels[:, -1].min() == 255, "no text is cut off"
        assert pixels.min() < 255, f"{text!r} left no trace"


def test_lines_show_ink_that_differs_from_the_ground(fonts: tuple[str, ...]) -> None:
    settings = WarmupSettings(fonts=fonts, layout="line", max_chars=12, sizes=(10, 30))
    for seed in range(50):
        drawn = sample(settings, random.Random(seed))
        image, text = drawn.image, drawn.target
        grey = np.asarray(image.convert("L"), dtype=int)
        assert grey.max() - grey.min() > 25, f"{text!r} cannot be seen"
        assert image.height < 60


def test_markup_gives_a_text_leaf(fonts: tuple[str, ...]) -> None:
    settings = WarmupSettings(fonts=fonts, layout="line", max_chars=20, markup=True)
    for seed in range(30):
        leaf = parse(sample(settings, random.Random(seed)).target)
        assert leaf.is_text and leaf.text


@pytest.mark.parametrize("markup", [False, True])
def test_centres_rise_from_left_to_right_within_the_picture(fonts: tuple[str, ...], markup: bool) -> None:
    settings = WarmupSettings(fonts=fonts, layout="line", max_chars=20, markup=markup)
    for seed in range(40):
        drawn = sample(settings, random.Random(seed))
        assert len(drawn.centres) == len(drawn.target)
        assert list(drawn.centres) == sorted(drawn.centres)
        assert drawn.centres[0] > 0 and drawn.centres[-1] < drawn.image.width


def test_estimated_centres_are_close_to_the_drawn_ones(fonts: tuple[str, ...]) -> None:
    settings = WarmupSettings(fonts=fonts, layout="line", max_chars=25, markup=True, sizes=(20, 20))
    for seed in range(30):
        drawn = sample(settings, random.Random(seed))
        ink = np.flatnonzero((np.diff(np.asarray(drawn.image.convert("L"), dtype=int), axis=1) != 0).any(axis=0))
        found = estimated_centres(drawn.target, left=float(ink[0]), right=float(ink[-1]))
        assert len(found) == len(drawn.centres)
        assert max(abs(a - b) for a, b in zip(found, drawn.centres, strict=True)) < 10.0


def test_only_text_leaves_have_estimated_centres() -> None:
    assert estimated_centres("<img_alt=a>", left=0.0, right=9.0) == ()
    assert len(estimated_centres("<a &lt; b>", left=0.0, right=50.0)) == len("<a &lt; b>")


def test_texts_are_hard_to_guess_and_within_length() -> None:
    """A reader that has seen some texts must not be able to recite them."""
    texts = [random_text(random.Random(seed), max_chars=40, vocabulary=["page"]) for seed in range(2000)]
    assert max(map(len, texts)) <= 40 and min(map(len, texts)) >= 1
    words = Counter(word for text in texts for word in text.split())
    assert words.most_common(1)[0][1] / sum(words.values()) < 0.35
    assert len(words) / sum(words.values()) > 0.4
    assert len(set("".join(texts)) & set(ALPHABET)) > 120, "most characters occur"


def test_examples_are_rows_of_a_shard(fonts: tuple[str, ...]) -> None:
    made = examples(WarmupSettings(fonts=fonts, layout="line"), count=3, seed=5)
    assert [example.id for example in made] == ["warmup-5-0", "warmup-5-1", "warmup-5-2"]
    assert Image.open(io.BytesIO(made[0].image)).format == "PNG"
    assert made == examples(WarmupSettings(fonts=fonts, layout="line"), count=3, seed=5)


def test_bad_settings_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="at least one font file, got none"):
        WarmupSettings(fonts=())
    with pytest.raises(ValueError, match=r"sizes rise from 4 px, got 128 and \(9, 5\)"):
        WarmupSettings(fonts=("a.ttf",), sizes=(9, 5))
