"""Lines that a checkpoint generates, as a page reader takes them: text, positions and how likely each word is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import pytest
from PIL import Image

from pixread.generate.options import DecodingOptions
from pixread.reader.checkpoint_recogniser import CheckpointRecogniser
from pixread.reader.single_pass import SinglePass
from pixread.records import Answer, RecognisedLine


@dataclass
class ScriptedPass:
    """Gives the answers in turn."""

    given: list[Answer]

    def answers(self, requests: Sequence[Any], options: DecodingOptions, *, progress: Any = None) -> list[Answer]:
        return self.given[: len(requests)]


def line_of(answer: Answer, *, without: tuple[str, ...] = ()) -> RecognisedLine:
    recogniser = CheckpointRecogniser(cast("SinglePass", ScriptedPass([answer])), DecodingOptions())
    [line] = recogniser.recognise([Image.new("RGB", (40, 20))], without=without)
    return line


def test_a_word_is_as_likely_right_as_its_tokens_together():
    """A mean for every character, multiplied over the word, made long words unsure."""
    spans = ((0, 3), (3, 12), (12, 17))  # "See", " document", "ation"
    answer = Answer("See documentation", (-0.1, -0.2, -0.3, -0.05), spans)
    line = line_of(answer)
    first, second = line.words
    assert (first.text, second.text) == ("See", "documentation")
    assert first.confidence == pytest.approx(math.exp(-0.1))
    # The blank has its share of the token that it begins.
    assert second.confidence == pytest.approx(math.exp(-0.2 * 8 / 9 - 0.3))
    assert line.confidence == pytest.approx(math.exp(-0.65))


def test_characters_lie_side_by_side_and_white_space_is_one_blank():
    line = line_of(Answer(" a \n b\t", (-0.7,), ()))
    assert line.text == "a b"
    assert [(character.start, character.end) for character in line.characters] == [
        pytest.approx((0, 1 / 3)),
        pytest.approx((1 / 3, 2 / 3)),
        pytest.approx((2 / 3, 1)),
    ]


def test_bytes_that_make_no_character_leave_all_characters_the_same_share():
    [word] = line_of(Answer("ab", (-0.2, -0.4), ())).words
    assert word.confidence == pytest.approx(math.exp(-0.6))


@pytest.mark.parametrize(("text", "without"), [("", ()), (" ", ()), ("aб", ("CYRILLIC",))])
def test_nothing_and_what_may_not_be_read_are_empty(text: str, without: tuple[str, ...]):
    assert line_of(Answer(text, (-0.1,)), without=without) == RecognisedLine("", (), 0.0)
