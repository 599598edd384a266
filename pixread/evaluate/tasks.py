"""What is asked of the reader, and how its answer is scored, for each kind of shard.

pages    the picture is a whole page, the target its visible lines; the reader parses the page, its text leaves count
parse    the picture is a page with a region box (and masks), the target the simplified HTML of the region
crops    the picture is one line of text, the target that text; the reader reads it in one pass
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from pixread.grammar import parse, serialise
from pixread.inputs.draw import draw_boxes
from pixread.metrics import character_error_rate, edit_similarity, exact_match, tree_similarity, word_score
from pixread.records import Box, Example, Node, Reading

Scores = dict[str, float]


class Reads(Protocol):
    """What evaluation needs of a reader: lists of pictures give lists of readings, in their order."""

    def read(self, images: list[Image.Image], /) -> list[Reading]:
        """One pass over each picture as given."""
        ...

    def parse(self, images: list[Image.Image], /, *, region: list[Box] | None = None) -> list[Reading]:
        """Each whole page, or of each the one region given."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One example as the reader gets it. image: RGB, masks drawn; region: what to read of it, None for all."""

    image: Image.Image
    region: Box | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """How one kind of example is asked and scored.

    main: the score that chooses among several targets, orders the report and gets the interval; higher is better.
    ask: the reader's answers to a batch. answer: the text of a reading that is compared. clean: the same form of a
    target. score: (answer, cleaned target) -> scores, `main` among them.
    """

    name: str
    main: str
    ask: Callable[[Reads, Sequence[Question]], list[Reading]]
    answer: Callable[[Reading], str]
    clean: Callable[[str], str]
    score: Callable[[str, str], Scores]

    def question(self, example: Example, image: Image.Image) -> Question:
        """Masks are drawn as in training; a region's outline is left to the reader, which knows its model's way."""
        masks = [drawn for drawn in example.boxes if drawn.kind == "mask"]
        regions = [drawn.box for drawn in example.boxes if drawn.kind == "region"]
        if self.name == "parse" and len(regions) != 1:
            raise ValueError(f"the parse task needs one region box in each example, {example.id} has {len(regions)}")
        return Question(draw_boxes(image, masks), regions[0] if regions else None)

    def best(self, answer: str, targets: Sequence[str]) -> tuple[int, Scores]:
        """The cleaned target that the answer agrees with best (the first of equals), and the scores against it."""
        scored = [self.score(answer, target) for target in targets]
        best = max(range(len(scored)), key=lambda number: scored[number][self.main])
        return best, scored[best]


def squeeze(text: str) -> str:
    """Every run of white space as one blank, none at the ends: how much white space a picture shows cannot be read."""
    return " ".join(text.split())


def text_lines(root: Node) -> str:
    """The text leaves of a tree, one a line, in their order; blank ones are left out."""
    return _lines("\n".join(squeeze(node.text) for node in root.walk() if node.text is not None))


def _lines(text: str) -> str:
    return "\n".join(line for line in map(squeeze, text.split("\n")) if line)


def bare(text: str) -> str:
    """A line of text without its markup: readers and shards may write a line as it is, or as simplified HTML.

    Only what is simplified HTML as `serialise` writes it (a line break off at the end is allowed) is taken for it, so
    that brackets in a line stay. Of a line that is an image the markup is kept: there is nothing else to compare.
    """
    whole = parse(text)
    if not text.startswith("<") or not serialise(whole).startswith(text):
        return squeeze(text)
    return squeeze(text_lines(whole)) or text


def _score_page(answer: str, target: str) -> Scores:
    words = word_score(answer, target)
    similarity = edit_similarity(squeeze(answer), squeeze(target))
    return {"f1": words.f1, "precision": words.precision, "recall": words.recall, "edit_similarity": similarity}


def _score_tree(answer: str, target: str) -> Scores:
    answered, true = parse(answer), parse(target)
    return {
        "edit_similarity": edit_similarity(answer, target),
        "tree_similarity": tree_similarity(answered, true).similarity,
        "exact_match": exact_match(answer, target),
        "f1": word_score(text_lines(answered), text_lines(true)).f1,
    }


def _score_line(answer: str, target: str) -> Scores:
    return {
        "edit_similarity": edit_similarity(answer, target),
        "character_error_rate": character_error_rate(answer, target),
        "exact_match": exact_match(answer, target),
        "f1": word_score(answer, target).f1,
    }


def _parse_regions(reader: Reads, questions: Sequence[Question]) -> list[Reading]:
    regions = [question.region for question in questions if question.region is not None]
    return reader.parse([question.image for question in questions], region=regions)


TASKS = {
    task.name: task
    for task in (
        Task(
            "pages",
            "f1",
            ask=lambda reader, questions: reader.parse([question.image for question in questions]),
            answer=lambda reading: text_lines(reading.tree),
            clean=_lines,
            score=_score_page,
        ),
        Task(
            "parse",
            "edit_similarity",
            ask=_parse_regions,
            # Both sides are written anew from their trees, so that escapes and brackets left open make no difference.
            answer=lambda reading: serialise(reading.tree),
            clean=lambda target: serialise(parse(target)),
            score=_score_tree,
        ),
        Task(
            "crops",
            "edit_similarity",
            ask=lambda reader, questions: reader.read([question.image for question in questions]),
            answer=lambda reading: bare(reading.text),
            clean=bare,
            score=_score_line,
        ),
    )
}
