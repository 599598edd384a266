"""Shards made from rendered pages: what is asked of the reader, and how its answer is scored.

pages    the picture is a whole page, the target its visible lines; the reader parses the page, its text leaves count
parse    the picture is a page with a region box (and masks), the target the simplified HTML of the region
crops    the picture is one line of text, the target that text; the reader reads it in one pass
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PIL import Image

from pixread.evaluate.exam import Exam, Question, Reads, Scores, closest
from pixread.grammar import parse, serialise
from pixread.inputs.draw import draw_boxes
from pixread.metrics import character_error_rate, edit_similarity, exact_match, tree_similarity, word_score
from pixread.records import Example, Node, Reading
from pixread.targets.lines import text_lines as visual_lines


def squeeze(text: str) -> str:
    """Every run of white space as one blank, none at the ends: how much white space a picture shows cannot be read."""
    return " ".join(text.split())


def text_lines(root: Node) -> str:
    """The visual lines of a tree whose leaves know their words, else its text leaves, one a line; no blank ones."""
    if any(node.words for node in root.walk()):
        return _lines("\n".join(line.text for line in visual_lines(root)))
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


def _page(example: Example, image: Image.Image) -> Question:
    return Question(draw_boxes(image, [drawn for drawn in example.boxes if drawn.kind == "mask"]))


def _region(example: Example, image: Image.Image) -> Question:
    """Masks are drawn as in training; a region's outline is left to the reader, which knows its model's way."""
    regions = [drawn.box for drawn in example.boxes if drawn.kind == "region"]
    if len(regions) != 1:
        raise ValueError(f"the parse task needs one region box in each example, {example.id} has {len(regions)}")
    return Question(_page(example, image).image, region=regions[0])


def _parse_pages(reader: Reads, questions: Sequence[Question]) -> list[Reading]:
    return reader.parse([question.image for question in questions])


def _parse_regions(reader: Reads, questions: Sequence[Question]) -> list[Reading]:
    regions = [question.region for question in questions if question.region is not None]
    return reader.parse([question.image for question in questions], region=regions)


def _read_lines(reader: Reads, questions: Sequence[Question]) -> list[Reading]:
    return reader.read([question.image for question in questions])


def _graded(score: Callable[[str, str], Scores], main: str) -> Callable[[str, Sequence[str]], tuple[int, Scores]]:
    return partial(closest, score=score, main=main)


_BREAKDOWNS = ("script", "masked", "site")

RENDERED = {
    exam.name: exam
    for exam in (
        Exam(
            name="pages",
            title="pages",
            main="f1",
            question=_page,
            ask=_parse_pages,
            answer=lambda reading: text_lines(reading.tree),
            clean=_lines,
            grade=_graded(_score_page, "f1"),
            breakdowns=_BREAKDOWNS,
        ),
        Exam(
            name="parse",
            title="parse",
            main="edit_similarity",
            question=_region,
            ask=_parse_regions,
            # Both sides are written anew from their trees, so that escapes and brackets left open make no difference.
            answer=lambda reading: serialise(reading.tree),
            clean=lambda target: serialise(parse(target)),
            grade=_graded(_score_tree, "edit_similarity"),
            breakdowns=_BREAKDOWNS,
        ),
        Exam(
            name="crops",
            title="crops",
            main="edit_similarity",
            question=_page,
            ask=_read_lines,
            answer=lambda reading: bare(reading.text),
            clean=bare,
            grade=_graded(_score_line, "edit_similarity"),
            breakdowns=_BREAKDOWNS,
        ),
    )
}
