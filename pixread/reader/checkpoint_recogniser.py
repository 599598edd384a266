"""A checkpoint that was trained on lines cut out (as TrOCR is), where a page reader wants a line recogniser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PIL import Image

from pixread.generate.options import DecodingOptions
from pixread.reader.single_pass import SinglePass
from pixread.recognition.scripts import script_of_sign
from pixread.records import Answer, Character, RecognisedLine, Request


@dataclass(frozen=True)
class CheckpointRecogniser:
    """A `pixread.recognition.recogniser.LineRecogniser`. options: how each line is decoded."""

    single_pass: SinglePass
    options: DecodingOptions

    def recognise(
        self,
        crops: Sequence[Image.Image],
        *,
        progress: Callable[[int, int], None] | None = None,
        without: Collection[str] = (),
    ) -> list[RecognisedLine]:
        """The text of each crop; empty where it holds a sign of a script that may not be read."""
        answers = self.single_pass.answers([Request(crop) for crop in crops], self.options, progress=progress)
        return [_line_of(answer, without) for answer in answers]


def _line_of(answer: Answer, without: Collection[str]) -> RecognisedLine:
    """A generated text says nothing of places: its characters are taken to be of one width."""
    text = " ".join(answer.text.split())
    if not text or any(script_of_sign(sign) in without for sign in text):
        return RecognisedLine("", (), 0.0)
    ends = [number / len(text) for number in range(len(text) + 1)]
    characters = [Character(start, end, answer.confidence) for start, end in itertools.pairwise(ends)]
    return RecognisedLine(text, tuple(characters), answer.confidence)
