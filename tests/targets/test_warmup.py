"""The reading curriculum: text nobody can guess, drawn in many ways, with its truth beside it."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from pixread.targets.fonts import can_draw, drawable, find_fonts, weigh_screen_fonts
from pixread.targets.warmup import WarmupSettings, sample
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


def test_the_same_seed_draws_the_same_picture(fonts: tuple[str, ...]) -> None:
    settings = WarmupSettings(fonts=fonts, max_chars=30)
    first, second, other = (sample(settings, random.Random(seed)) for seed in (1, 1, 2))
    assert first.target == second.target != other.target
    np.testing.assert_array_equal(np.asarray(first.image), np.asarray(second.image))


def test_pages_are_white_and_as_wide_as_the_paper_says(fonts: tuple[str, ...]) -> None:
    for seed in range(20):
        drawn = sample(WarmupSettings(fonts=fonts), random.Random(seed))
        image, text = drawn.image, drawn.target
        pixels = np.asarray(image)
        assert image.width == 640
        assert pixels[0].min() == 255 and pixels[:, -1].min() == 255, "no text is cut off"
        assert pixels.min() < 255, f"{text!r} left no trace"


def test_texts_are_hard_to_guess_and_within_length() -> None:
    """A reader that has seen some texts must not be able to recite them."""
    texts = [random_text(random.Random(seed), max_chars=40, vocabulary=["page"]) for seed in range(2000)]
    assert max(map(len, texts)) <= 40 and min(map(len, texts)) >= 1
    words = Counter(word for text in texts for word in text.split())
    assert words.most_common(1)[0][1] / sum(words.values()) < 0.35
    assert len(words) / sum(words.values()) > 0.4
    assert len(set("".join(texts)) & set(ALPHABET)) > 120, "most characters occur"


def test_bad_settings_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="at least one font file, got none"):
        WarmupSettings(fonts=())
    with pytest.raises(ValueError, match=r"sizes rise from 4 px, got 128 and \(9, 5\)"):
        WarmupSettings(fonts=("a.ttf",), sizes=(9, 5))
