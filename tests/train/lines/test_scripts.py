"""Alphabets and invented words."""

import random
import unicodedata
from collections import Counter

import pytest

from pixread.recognition.ctc.alphabet import clean_text
from pixread.recognition.scripts import script_of_sign, settle_scripts
from pixread.targets.words import ALPHABET as LATIN_READER
from pixread.train.lines.scripts import DESCRIBED, SYMBOLS, alphabet_of, read_scripts, script_named

DEFAULT = "latin,cyrillic,greek,devanagari"


@pytest.mark.parametrize("name", [*DESCRIBED, "georgian", "armenian", "thai"])
def test_the_alphabet_spells_the_words_of_the_script(name: str):
    rng, script = random.Random(0), script_named(name)
    alphabet = alphabet_of([script])
    words = [clean_text(script.word(rng, ())) for _ in range(400)]
    spelled = [
        word for word in words if (labels := alphabet.encode(word)) is not None and alphabet.unknown not in labels
    ]
    assert len(spelled) >= 0.97 * len(words)  # combining marks may compose to letters that are not in it
    assert len(set(words)) > 300


@pytest.mark.parametrize("name", ["cyrillic", "greek", "georgian"])
def test_every_letter_of_a_script_comes_up(name: str):
    rng, script = random.Random(0), script_named(name)
    seen = set("".join(script.word(rng, ()) for _ in range(6000)))
    missing = {char for char in script.letters if char.isalpha() and char.islower()} - seen
    assert not missing


def test_the_default_alphabet_has_the_letters_of_many_languages():
    alphabet = alphabet_of(read_scripts(DEFAULT))
    texts = ("Tiếng Việt ở Huế", "ığüşöç İstanbul", "Ærøskøbing ÿ Œuvre", "Żółć šťastný țară", "ЇжаҚазақ Љубав ўсё")
    for text in (*texts, "Ελλάδα ΐ ός", "हिन्दी क्षत्रिय", "→ € ₹ “quoted” … • ½", LATIN_READER.replace("\u00a0", " ")):
        labels = alphabet.encode(clean_text(text))
        assert labels is not None and alphabet.unknown not in labels, text
    assert all(unicodedata.normalize("NFC", char) == char for char in alphabet.characters)


def test_invented_words_are_of_one_script_as_the_decoder_settles_them():
    """A label that the decoder would change could never be read right."""
    rng = random.Random(1)
    for name in ("cyrillic", "greek"):
        words = [DESCRIBED[name].word(rng, ()) for _ in range(500)]
        told = [word for word in words if any(script_of_sign(char) == name.upper() for char in settle_scripts(word))]
        assert sum(settle_scripts(word) == word for word in told) >= 0.99 * len(told)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ("", "at least one script"),
        ("klingon", "names of scripts as in Unicode"),
        ("latin,arabic", "from left to right, and arabic is not"),
        ("cjk", "up to 1500 letters"),
    ],
)
def test_scripts_that_cannot_be_learnt_are_refused_in_a_sentence(names: str, told: str):
    with pytest.raises(ValueError, match=told):
        read_scripts(names)


def test_symbols_are_each_one_character_of_the_alphabet():
    alphabet = alphabet_of([DESCRIBED["latin"]])
    kept = [char for char in SYMBOLS if unicodedata.normalize("NFC", char) == char]
    assert all(char in alphabet.classes for char in kept) and len(kept) >= len(SYMBOLS) - 2


def test_accents_are_as_common_as_in_the_languages_of_the_web() -> None:
    """Clean German text lost "fährt" and "größere": no accent was likelier than another."""
    rng = random.Random(0)
    counts = Counter(char for _ in range(6000) for char in DESCRIBED["latin"].word(rng, ()))
    for common, rare in (("ä", "ã"), ("ü", "û"), ("ñ", "ň"), ("ß", "ş"), ("é", "ẽ")):
        assert counts[common] > counts[rare]
    assert min(counts[char] for char in "äöüßñçéèàáíóú") > 10
