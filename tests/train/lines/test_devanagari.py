import random
import unicodedata
from collections import Counter

from pixread.train.lines import devanagari


def _texts(count: int) -> list[str]:
    rngs = map(random.Random, range(count))
    return [" ".join(devanagari.random_word(rng) for _ in range(rng.randint(1, 4))) for rng in rngs]


def test_all_letters_signs_and_ligatures_come_up() -> None:
    written = "".join(_texts(4000))
    rare = set("ऌॠऍऎऒॢॣ॰")
    assert set(devanagari.ALPHABET) - rare <= set(written)
    assert all(cluster in written for cluster in devanagari.CLUSTERS)


def test_texts_are_hard_to_guess() -> None:
    texts = _texts(2000)
    assert min(map(len, texts)) >= 1
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
