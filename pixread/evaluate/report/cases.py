"""One case of a report: the picture as the reader got it, the question, the truth and the answer."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple

from PIL import Image

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.report.diff import DiffToken, indented, word_diff
from pixread.evaluate.stats.comparison import PredictionPair
from pixread.evaluate.stats.summary import format_score, metric_label
from pixread.evaluate.tasks.finetuning import RIGHT
from pixread.images.draw import draw_boxes
from pixread.images.open import open_picture
from pixread.markup import parse
from pixread.records import Box, Example, UnsureWord

CONTEXT = 48  # pixels of the page shown round a region
MAX_WIDTH, MAX_HEIGHT = 800, 4000  # pixels of an embedded picture
BRIEF = 120  # characters; texts up to that leave more room to the picture
WIDE = 3.0  # pictures this many times wider than high stand above their texts, others beside them
MAX_CHARS = 20_000  # of a text shown in full
MAX_TARGETS = 8


class Outline(NamedTuple):
    """A box on a picture. kind: its class in the style sheet. label: what is written above it."""

    kind: str
    box: Box
    label: str = ""


LEGEND = (
    '<p class="about legend"><mark class="wrong">missed</mark> in the truth, <mark class="wrong">invented</mark> '
    'in the prediction, <mark class="moved">moved</mark> in both: read, but at another point. On the picture: what '
    "was requested in blue, what the reader cut out in pink, the right candidate where another was chosen in green.</p>"
)


@dataclass(frozen=True, slots=True)
class CaseRenderer:
    """Makes the HTML of cases."""

    metrics: Mapping[str, Any]
    examples: Sequence[Example]
    right: Mapping[str, int] = field(default_factory=dict)  # of each group of candidates, the index of a right one
    unsure: Mapping[int, Sequence[UnsureWord]] = field(default_factory=dict)  # by index, words that were left out

    @classmethod
    def of(
        cls,
        metrics: Mapping[str, Any],
        examples: Sequence[Example],
        predictions: Sequence[Prediction],
        *,
        unsure: Mapping[int, Sequence[UnsureWord]] | None = None,
    ) -> CaseRenderer:
        right = {
            prediction.choice: prediction.index
            for prediction in predictions
            if prediction.choice and prediction.targets[0] == RIGHT
        }
        return cls(metrics, examples, right, unsure or {})

    def html(self, prediction: Prediction) -> str:
        """An article about one prediction."""
        return self._article(prediction, self._answer("Prediction", prediction), self._facts(prediction))

    def pair(self, pair: PredictionPair, *, against: str) -> str:
        """An article about what two readers said to the same example."""
        baseline = f"{against}: {format_score(self.metrics, pair.baseline.scores[self.metrics['main']])}"
        facts = f'{self._facts(pair.model)}<span class="chip">{escape(baseline)}</span>'
        answers = self._answer("Prediction", pair.model) + self._answer(f"Prediction of {against}", pair.baseline)
        return self._article(pair.model, answers, facts)

    def _article(self, prediction: Prediction, answers: str, facts: str) -> str:
        picture, is_wide = self._picture(prediction)
        source = f"<span>{escape(prediction.source)}</span>" if prediction.source not in prediction.id else ""
        shape = "wide" if is_wide else "brief" if self._is_brief(prediction) else ""
        question = f'<p class="question">{escape(prediction.prompt)}</p>' if prediction.prompt else ""
        return (
            f"<article><header><strong>{escape(prediction.id)}</strong>{source}{facts}</header>{question}"
            f'<div class="case {shape}"><div class="picture">{picture}</div>'
            f"<div><h3>Truth</h3>{self._truth(prediction)}</div><div>{answers}</div></div></article>"
        )

    def _is_brief(self, prediction: Prediction) -> bool:
        return max(map(len, (prediction.prediction, *prediction.targets))) <= BRIEF

    def _facts(self, prediction: Prediction) -> str:
        main = self.metrics["main"]
        chips = "".join(
            f'<span class="chip{" main" if name == main else ""}">{escape(metric_label(name))} '
            f"{format_score(self.metrics, value)}</span>"
            for name, value in sorted(prediction.scores.items(), key=lambda item: item[0] != main)
        )
        part = f"<span>{escape(prediction.part)}</span>" if prediction.part else ""
        return (
            f"{chips}{part}<span>confidence {100 * prediction.confidence:.0f} %</span>"
            f"<span>{prediction.seconds:.2f} s</span>"
        )

    def _texts(self, prediction: Prediction) -> tuple[list[DiffToken], list[DiffToken]]:
        truth, answer = prediction.targets[prediction.target], prediction.prediction
        if self.metrics["task"] == "parse":
            truth, answer = indented(parse(truth)), indented(parse(answer))
        return word_diff(_truncated(truth), _truncated(answer))

    def _truth(self, prediction: Prediction) -> str:
        """The target that agrees best, and the others below it."""
        others = [target for at, target in enumerate(prediction.targets) if at != prediction.target]
        rows = "".join(f"<li>{escape(_truncated(target))}</li>" for target in list(dict.fromkeys(others))[:MAX_TARGETS])
        also = f'<h3 class="also">or</h3><ul class="targets">{rows}</ul>' if rows else ""
        return _text(self._texts(prediction)[0]) + also

    def _answer(self, title: str, prediction: Prediction) -> str:
        return f"<h3>{escape(title)}</h3>{_text(self._texts(prediction)[1])}"

    def _picture(self, prediction: Prediction) -> tuple[str, bool]:
        """The picture as the reader got it, a region with some context, boxes on top; and whether it is wide."""
        example = self.examples[prediction.index]
        image = open_picture(example.image, name=example.id)
        image = draw_boxes(image, [drawn for drawn in example.boxes if drawn.kind != "region"])
        regions = _regions(example)
        window = _window(image.size, regions if self.metrics["task"] == "parse" else [])
        outlines = [Outline("requested", box) for box in regions]
        outlines += [Outline("read", Box(*box)) for box in prediction.boxes]
        outlines += [
            Outline("unsure", word.box, f"{100 * word.confidence:.0f}")
            for word in self.unsure.get(prediction.index, ())
        ]
        right = self.right.get(prediction.choice, prediction.index)
        if right != prediction.index:
            outlines += [Outline("right", box) for box in _regions(self.examples[right])]
        return _figure(image, window, outlines), window[2] - window[0] >= WIDE * (window[3] - window[1])


def _regions(example: Example) -> list[Box]:
    return [drawn.box for drawn in example.boxes if drawn.kind == "region"]


def _truncated(text: str) -> str:
    return text if len(text) <= MAX_CHARS else text[:MAX_CHARS] + " …"


def _text(tokens: Iterable[DiffToken]) -> str:
    html = "".join(
        escape(token.text)
        if token.mark in {"space", "same"}
        else f'<mark class="{token.mark}">{escape(token.text)}</mark>'
        for token in tokens
    )
    return f"<pre>{html}</pre>" if html.strip() else '<p class="nothing">nothing</p>'


def _figure(image: Image.Image, window: tuple[int, int, int, int], outlines: Sequence[Outline]) -> str:
    left, top, right, bottom = window
    part = image.crop(window)
    part.thumbnail((MAX_WIDTH, MAX_HEIGHT), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    part.save(stream, "WEBP", quality=75, method=2)  # twice as fast as the default, hardly larger
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    drawn = "".join(_drawn(outline, left, top) for outline in outlines)
    return (
        f'<figure><img src="data:image/webp;base64,{data}" width="{part.width}" height="{part.height}" alt="">'
        f'<svg viewBox="0 0 {right - left} {bottom - top}">{drawn}</svg></figure>'
    )


def _drawn(outline: Outline, left: float, top: float) -> str:
    box, x, y = outline.box, outline.box.x - left, outline.box.y - top
    rect = f'<rect class="{outline.kind}" x="{x:g}" y="{y:g}" width="{box.width:g}" height="{box.height:g}"/>'
    return rect + (f'<text x="{x:g}" y="{y - 2:g}">{escape(outline.label)}</text>' if outline.label else "")


def _window(size: tuple[int, int], regions: Sequence[Box]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is shown: all of the picture, or the first region and its surroundings."""
    width, height = size
    if not regions:
        return 0, 0, width, height
    box = regions[0]
    left, top = max(0, int(box.x) - CONTEXT), max(0, int(box.y) - CONTEXT)
    return (
        left,
        top,
        max(left + 1, min(width, int(box.right) + CONTEXT)),
        max(top + 1, min(height, int(box.bottom) + CONTEXT)),
    )
