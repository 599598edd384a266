"""A checkpoint that was trained on lines cut out (as TrOCR is), where a page reader wants a line recogniser."""

from __future__ import annotations

import math
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
    """A generated text says nothing of positions: its characters are taken to be of one width."""
    probabilities = _character_probabilities(answer)
    # White space is one blank between words, and none at the ends.
    kept = [
        (" " if sign.isspace() else sign, probability)
        for number, (sign, probability) in enumerate(zip(answer.text, probabilities, strict=True))
        if not sign.isspace() or (answer.text[:number].strip() and not answer.text[number - 1].isspace())
    ]
    if kept and kept[-1][0] == " ":
        kept.pop()
    text = "".join(sign for sign, _ in kept)
    if not text or any(script_of_sign(sign) in without for sign in text):
        return RecognisedLine("", (), 0.0)
    characters = [
        Character(number / len(kept), (number + 1) / len(kept), probability)
        for number, (_, probability) in enumerate(kept)
    ]
    return RecognisedLine(text, tuple(characters), math.exp(math.fsum(answer.log_probs)))


def _character_probabilities(answer: Answer) -> list[float]:
    """So that their product over a word is that of the probabilities of its tokens.

    Where it is not known which characters a token spelled, all have the same share.
    """
    if not answer.spans:
        return [math.exp(math.fsum(answer.log_probs) / max(len(answer.text), 1))] * len(answer.text)
    log_probs = [0.0] * len(answer.text)
    for (start, end), log_prob in zip(answer.spans, answer.log_probs, strict=False):  # the end token spells nothing
        for number in range(start, end):
            log_probs[number] += log_prob / (end - start)
    return [math.exp(log_prob) for log_prob in log_probs]
