"""Lines drawn in fonts. Only the shipped font is used, so that the tests are the same on every machine."""

import random

import numpy as np
import pytest

from pixread.recognition.ctc.alphabet import clean_text
from pixread.targets.fonts import SHIPPED
from pixread.train.lines.drawn import Cut, FontChoice, LineArtist
from pixread.train.lines.scripts import alphabet_of, read_scripts

SCRIPTS = read_scripts("latin,cyrillic,greek")
ALPHABET = alphabet_of(SCRIPTS)


@pytest.fixture
def artist(monkeypatch: pytest.MonkeyPatch) -> LineArtist:
    monkeypatch.setattr("pixread.train.lines.drawn.FOLDERS", (str(SHIPPED),))
    return LineArtist(SCRIPTS, ALPHABET, ["vocabulary", "naïve", "漢字"])


def lines(artist: LineArtist, script: str, count: int, *, seed: int = 0) -> list[Cut]:
    rng = random.Random(seed)
    return [cut for _ in range(count) if (cut := artist.line(rng, script)) is not None]


@pytest.mark.parametrize("script", ["latin", "cyrillic", "greek"])
def test_lines_can_be_spelled_and_seen(artist: LineArtist, script: str):
    drawn = lines(artist, script, 120)
    assert len(drawn) > 80
    for cut in drawn:
        labels = ALPHABET.encode(cut.text)
        assert labels and ALPHABET.unknown not in labels and cut.text == clean_text(cut.text)
        assert cut.pixels.dtype == np.uint8 and cut.pixels.shape[2] == 3
        assert np.ptp(cut.pixels.reshape(-1, 3), axis=0).max() >= 30, cut.text


def test_the_same_random_numbers_give_the_same_lines(artist: LineArtist):
    first, again = lines(artist, "latin", 10), lines(artist, "latin", 10)
    assert [cut.text for cut in first] == [cut.text for cut in again]
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(first, again, strict=True))


def test_lines_of_other_scripts_hold_latin_words_and_numbers_now_and_then(artist: LineArtist):
    texts = [cut.text for cut in lines(artist, "cyrillic", 300)]
    with_latin = [text for text in texts if any(char.isascii() and char.isalnum() for char in text)]
    assert 0.1 < len(with_latin) / len(texts) < 0.7


def test_scripts_that_are_not_learnt_are_drawn_as_unknown(artist: LineArtist):
    """The shipped font has Hebrew letters."""
    assert "hebrew" in artist.unread
    rng = random.Random(0)
    cuts = [cut for _ in range(60) if (cut := artist.unread_line(rng)) is not None]
    assert cuts and all(ALPHABET.unknown in (ALPHABET.encode(cut.text) or []) for cut in cuts)


def test_text_stands_out_from_the_picture_under_it(artist: LineArtist):
    rng, picture = random.Random(0), np.full((100, 2000, 3), 200, np.uint8)
    drawn = [cut for _ in range(40) if (cut := artist.line(rng, "latin", picture)) is not None]
    on_picture = [cut for cut in drawn if np.median(cut.pixels) == 200]
    assert on_picture and all(cut.pixels.min() <= 150 for cut in on_picture)


def test_a_script_without_a_font_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pixread.train.lines.drawn.FOLDERS", (str(SHIPPED),))
    scripts = read_scripts("latin,georgian")
    with pytest.raises(ValueError, match="no installed font draws georgian"):
        LineArtist(scripts, alphabet_of(scripts), [])


def test_a_family_of_many_styles_weighs_no_more_than_one_of_few():
    many = [f"/fonts/Many-{number}.ttf" for number in range(70)]
    choice, rng = FontChoice.of([*many, "/fonts/Few-Regular.ttf"]), random.Random(0)
    few = sum(choice.draw(rng) == "/fonts/Few-Regular.ttf" for _ in range(400))
    assert few == pytest.approx(200, rel=0.25)
