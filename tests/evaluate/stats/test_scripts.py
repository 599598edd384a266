"""The script of a page."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

import pytest
from safetensors import safe_open

from pixread.evaluate.stats.scripts import MIN_SHARE, READ_SCRIPTS, script_of
from pixread.recognition.scripts import script_of_sign


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world! 123", "latin"),
        ("naïve Übergröße Łódź", "latin"),  # accents
        ("Ｆｕｌｌ ｗｉｄｔｈ", "latin"),  # full-width forms
        ("Привет", "cyrillic"),
        ("महाभारत", "devanagari"),
        ("αβγ abcd", "mixed"),
        ("こんにちは", "unread"),
        ("αβγ abcd مرحبا", "unread"),
        ("123 + 456 = ?!", "none"),
        ("", "none"),
    ],
)
def test_script(text: str, expected: str):
    assert script_of(text) == expected


def test_a_page_with_a_share_of_japanese_is_not_latin():
    """Bug: pages of a manual in Japanese, half of whose letters were of commands and names, counted as Latin."""
    japanese = "これは日本語の文章です"
    assert script_of("command " * 40 + japanese) == "unread"
    assert script_of("command " * 80 + japanese) == "latin"


@pytest.mark.parametrize(("num_other", "expected"), [(2, "latin"), (3, "mixed")])
def test_letters_are_counted_to_the_least_share(num_other: int, expected: str):
    assert MIN_SHARE == 0.98
    assert script_of("a" * (100 - num_other) + " " + "я" * num_other) == expected


def test_the_scripts_that_are_read_are_those_of_the_shipped_alphabet():
    with safe_open(str(files("pixread") / "assets" / "line-recogniser.safetensors"), framework="np") as opened:
        characters = json.loads(opened.metadata()["config"])["characters"]
    counts = Counter(script for char in characters if (script := script_of_sign(char)) is not None)
    assert counts.keys() >= set(READ_SCRIPTS)
    others = {script: count for script, count in counts.items() if script not in READ_SCRIPTS}
    assert not others
