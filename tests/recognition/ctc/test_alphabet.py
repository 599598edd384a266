"""Text -> classes."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixread.recognition.ctc.alphabet import Alphabet, clean_text

ALPHABET = Alphabet.of("abcé1.")


def test_classes_count_from_one_as_the_blank_is_zero():
    assert Alphabet("a b").encode("a b") == [1, 2, 3]
    assert Alphabet("a b").size == 5


def test_a_word_of_another_script_is_one_unknown_class_and_each_full_width_character_its_own():
    unknown = ALPHABET.unknown
    assert ALPHABET.encode("שלום") == [unknown]
    assert ALPHABET.encode("漢字") == [unknown, unknown]
    assert ALPHABET.encode("a שלום") == [ALPHABET.classes["a"], ALPHABET.classes[" "], unknown]


def test_known_letters_stay_within_a_word_of_another_script():
    a, unknown = ALPHABET.classes["a"], ALPHABET.unknown
    assert ALPHABET.encode("漢a（字") == [unknown, a, unknown, unknown]
    assert ALPHABET.encode("שלaום") == [unknown, a, unknown]


def test_signs_that_are_not_in_it_cannot_be_told():
    assert ALPHABET.encode("a ☃") is None


@settings(deadline=None)
@given(st.text(max_size=30))
def test_clean_text_is_composed_and_has_single_blanks(text: str):
    cleaned = clean_text(text)
    assert cleaned == clean_text(cleaned) == unicodedata.normalize("NFC", cleaned)
    assert "  " not in cleaned and cleaned == cleaned.strip()


@settings(deadline=None)
@given(st.text(alphabet="abcé1. ", max_size=30))
def test_classes_give_the_text_back(text: str):
    labels = ALPHABET.encode(clean_text(text))
    assert labels is not None
    assert "".join(ALPHABET.characters[label - 1] for label in labels) == clean_text(text)


def test_an_alphabet_holds_each_character_once():
    with pytest.raises(ValueError, match="once"):
        Alphabet("aab ")
