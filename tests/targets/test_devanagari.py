import itertools
import random
import unicodedata
from collections import Counter

import pytest
from PIL import features

from pixread.targets import devanagari
from pixread.targets.fonts import can_draw, find_fonts
from pixread.targets.warmup import WarmupSettings, sample
from pixread.targets.words import random_text


def _texts(count: int) -> list[str]:
    return [random_text(random.Random(seed), max_chars=26, word=devanagari.random_word) for seed in range(count)]


def test_all_letters_signs_and_ligatures_come_up() -> None:
    written = "".join(_texts(4000))
    rare = set("ऌॠऍऎऒॢॣ॰")
    assert set(devanagari.ALPHABET) - rare <= set(written)
    assert all(cluster in written for cluster in devanagari.CLUSTERS)


def test_texts_are_hard_to_guess_and_within_length() -> None:
    texts = _texts(2000)
    assert max(map(len, texts)) <= 26 and min(map(len, texts)) >= 1
    words = Counter(word for text in texts for word in text.split())
    assert len(words) / sum(words.values()) > 0.7


def test_words_of_a_vocabulary_are_drawn() -> None:
    drawn = Counter(devanagari.random_word(random.Random(seed), ["पुस्तक"]) for seed in range(500))
    assert drawn["पुस्तक"] > 100


def test_signs_follow_a_letter() -> None:
    """A vowel sign alone would be drawn on a dotted circle, which no page shows."""
    for seed in range(2000):
        word = devanagari.random_word(random.Random(seed))
        letters = [char for char in word if unicodedata.category(char) != "Po" and char not in "()[]“”''‘’"]
        assert not letters or not unicodedata.category(letters[0]).startswith("M"), word


def test_fonts_of_the_script_draw_it_and_marks_have_no_width_of_their_own() -> None:
    try:
        fonts = find_fonts(probe=devanagari.PROBE)
    except ValueError:
        pytest.skip("no font with Devanagari is installed")
    if not features.check("raqm"):
        with pytest.raises(ValueError, match="Pillow needs its Raqm layout, which needs libfribidi"):
            WarmupSettings(fonts=fonts, script="devanagari")
        return
    assert all(can_draw(file, letter) for file in fonts for letter in devanagari.PROBE)
    settings = WarmupSettings(fonts=fonts, layout="line", max_chars=20, markup=True, script="devanagari", smooth=0.5)
    for seed in range(40):
        drawn = sample(settings, random.Random(seed))
        assert len(drawn.centres) == len(drawn.target)
        text, places = drawn.target[1:-1], drawn.centres[1:-1]
        assert all(0 <= place <= drawn.image.width for place in places)
        assert all(a <= b for a, b in itertools.pairwise(places)), text
