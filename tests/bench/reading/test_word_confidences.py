"""From words with confidences to reliability tables and diagrams: cases that a person can check."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pixread.bench.reading.condition_figures import matrix_figures
from pixread.bench.reading.read_figures import figures_of, metrics_of
from pixread.bench.reading.readers import words_of_reading
from pixread.bench.reading.results import Journal, PageResult, page_result
from pixread.bench.reading.word_confidences import (
    ERROR,
    reliability_html,
    reliability_json,
    reliability_of,
    reliability_tables,
)
from pixread.markup import serialise
from pixread.records import Box, Mark, Node, Reading, UnsureWord, Word
from tests.bench.reading.written import PHOTO, example_of, page

PAGE = example_of(replace(page("a/one.html", "one two", "Three four"), marks=(Mark("picture", PHOTO),)))
FIRST, SECOND = PAGE.meta["lines"]
WORDS = [
    ("one", FIRST, 0.999, False),
    ("tvvo", FIRST, 0.96, False),
    ("Three", SECOND, 0.97, False),
    ("four", SECOND, 0.3, True),  # right, and left out
    ("EXIT", [260, 160, 60, 20], 0.97, False),  # on the photograph
]
OUTPUT = {"lines": [("one tvvo", FIRST), ("Three", SECOND)], "seconds": 1.0, "memory_mib": None}


def result(**outputs: Mapping[str, Any]) -> PageResult:
    return page_result(0, PAGE, {"pixread": OUTPUT | {"words": WORDS}, "Other": OUTPUT} | outputs)


def test_left_out_words_count_and_those_on_pictures_do_not():
    words = result().readings["pixread"].words
    assert [one.is_right for one in words] == [True, False, True, True, None]
    reliability = reliability_of([result(), result()])
    assert list(reliability) == ["pixread"], "the other reader tells no confidences"
    assert [(one.low, one.count, one.score) for one in reliability["pixread"]] == [
        (0.2, 2, 1.0),
        (0.95, 4, 0.5),
        (0.99, 2, 1.0),
    ]
    found = reliability_json(reliability)["pixread"]
    assert (found["words"], found["error"]) == (8, pytest.approx((2 * 0.7 + 4 * 0.465 + 2 * 0.001) / 8))


def test_the_scores_are_of_what_is_not_left_out():
    """F1 stays that of the lines, whatever confidences are told beside them."""
    ours, theirs = (result().readings[name] for name in ("pixread", "Other"))
    assert (ours.scores, ours.errors, ours.text) == (theirs.scores, theirs.errors, theirs.text)
    assert ours.scores["recall"] == 0.5


def test_tables_and_figures():
    (table,) = reliability_tables(reliability_of([result()]))
    assert table.title == "Words of pixread by confidence"
    assert table.rows[1] == ("0.2 to 0.4", "1", "0.300", "1.000")
    assert table.rows[2] == ("0.4 to 0.6", "0", "-", "-")
    assert table.rows[-1] == ("all", "4", "0.807", "0.750")
    error = reliability_json(reliability_of([result()]))["pixread"]["error"]
    figures = figures_of([result()], metrics_of([result()], [PAGE]))
    assert [(one.variant, one.median) for one in figures if one.name == ERROR] == [("pixread", error)]
    cells = [one for one in matrix_figures({"half size": [result()]}) if one.case == ERROR.capitalize()]
    assert [(one.variant, one.name, one.median) for one in cells] == [("pixread", "half size", error)]


def test_the_diagram_has_a_bar_for_each_bin_with_words():
    html = reliability_html(reliability_of([result(**{"<b>": OUTPUT | {"words": WORDS[:1]}})]))
    cards = ET.fromstring(html)
    assert "&lt;b&gt;" in html
    bars = [[float(bar.attrib["height"]) for bar in svg.findall("rect")] for svg in cards.iter("svg")]
    assert bars == [[300, 150, 300], [300]]
    assert reliability_html(reliability_of([result(pixread=OUTPUT)])) == ""


def test_words_between_blanks_have_the_confidence_of_their_tokens():
    """Punctuation is a token of its own in trees; the word is one again."""
    tokens = [("link", 0, 0.9), (",", 10, 0.9), ("rest", 25, 0.8)]
    link, comma, rest = (Word(text, Box(x, 0, 10, 9), 0, confidence=sure) for text, x, sure in tokens)
    tree = Node(children=(Node(text="link", words=(link,)), Node(text=", rest", words=(comma, rest))))
    unsure = UnsureWord("il", Box(50, 0, 9, 9), 0.1)
    reading = Reading(serialise(tree), tree, 0.0, 99, 9, 1.0, left_out=(unsure,))
    assert words_of_reading(reading) == [
        ("link,", [0, 0, 20, 9], 0.9, False),
        ("rest", [25, 0, 10, 9], 0.8, False),
        ("il", [50, 0, 9, 9], 0.1, True),
    ]
    plain = Node(text="no words")
    assert words_of_reading(replace(reading, tree=plain, left_out=())) == []


def test_words_are_kept_with_their_page(tmp_path: Path):
    Journal(tmp_path, {}, resume=False).add(result())
    (kept,) = Journal(tmp_path, {}, resume=True).results
    assert kept.readings["pixread"].words == result().readings["pixread"].words
