"""Shards made from rendered pages: what the reader gets, and how its answer is scored.

pages    the picture is a whole page, the target its visible lines; the reader parses the page, its text leaves count,
         without the words that nobody can score (`metrics/unscored.py`)
parse    the picture is a page with a region box (and masks), the target the simplified HTML of the region
crops    the picture is one line of text, the target that text; the reader reads it in one pass
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PIL import Image

from pixread.evaluate.tasks.page_lines import PageParts, lines_of
from pixread.evaluate.tasks.task import EvaluationTask, ReaderInput, ReaderProtocol, Scores, best_matching_target
from pixread.images.draw import draw_boxes
from pixread.markup import parse, serialise
from pixread.metrics import character_error_rate, edit_similarity, exact_match, tree_similarity, word_score
from pixread.records import Example, Node, Reading


def collapse_whitespace(text: str) -> str:
    """Every run of white space as one blank, none at the ends: how much white space a picture shows cannot be read."""
    return " ".join(text.split())


def text_lines(root: Node) -> str:
    """The visual lines of a tree whose leaves know their words, else its text leaves, one a line; no blank ones."""
    return _lines("\n".join(line.text for line in lines_of(root)))


def _scored_lines(reading: Reading, example: Example) -> str:
    """As `text_lines`, without the words that are not scored."""
    lines = PageParts.of(example).counted(lines_of(reading.tree), map(_lines, example.targets))
    return _lines("\n".join(line.text for line in lines))


def _lines(text: str) -> str:
    return "\n".join(line for line in map(collapse_whitespace, text.split("\n")) if line)


def strip_markup(text: str) -> str:
    """A line of text without its markup: readers and shards may write a line as it is, or as simplified HTML.

    Only what is simplified HTML as `serialise` writes it (a line break off at the end is allowed) is taken for it, so
    that brackets in a line stay. Of a line that is an image the markup is kept: there is nothing else to compare.
    """
    whole = parse(text)
    if not text.startswith("<") or not serialise(whole).startswith(text):
        return collapse_whitespace(text)
    return collapse_whitespace(text_lines(whole)) or text


def _score_page(answer: str, target: str) -> Scores:
    words = word_score(answer, target)
    similarity = edit_similarity(collapse_whitespace(answer), collapse_whitespace(target))
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


def _page_input(example: Example, image: Image.Image) -> ReaderInput:
    return ReaderInput(draw_boxes(image, [drawn for drawn in example.boxes if drawn.kind == "mask"]))


def _region_input(example: Example, image: Image.Image) -> ReaderInput:
    """Masks are drawn as in training; a region's outline is left to the reader, which knows its model's way."""
    regions = [drawn.box for drawn in example.boxes if drawn.kind == "region"]
    if len(regions) != 1:
        raise ValueError(f"the parse task needs one region box in each example, {example.id} has {len(regions)}")
    return ReaderInput(_page_input(example, image).image, region=regions[0])


def _parse_pages(reader: ReaderProtocol, inputs: Sequence[ReaderInput]) -> list[Reading]:
    return reader.parse([item.image for item in inputs])


def _parse_regions(reader: ReaderProtocol, inputs: Sequence[ReaderInput]) -> list[Reading]:
    regions = [item.region for item in inputs if item.region is not None]
    return reader.parse([item.image for item in inputs], region=regions)


def _read_lines(reader: ReaderProtocol, inputs: Sequence[ReaderInput]) -> list[Reading]:
    return reader.read([item.image for item in inputs])


def _best_target(
    score: Callable[[str, str], Scores], main_metric: str
) -> Callable[[str, Sequence[str]], tuple[int, Scores]]:
    return partial(best_matching_target, score=score, main_metric=main_metric)


_BREAKDOWNS = ("script", "masked", "site")

RENDERED_PAGE_TASKS = {
    task.name: task
    for task in (
        EvaluationTask(
            name="pages",
            title="pages",
            main_metric="f1",
            prepare=_page_input,
            infer=_parse_pages,
            extract_answer=_scored_lines,
            normalise_target=_lines,
            score_answer=_best_target(_score_page, "f1"),
            breakdowns=_BREAKDOWNS,
        ),
        EvaluationTask(
            name="parse",
            title="parse",
            main_metric="edit_similarity",
            prepare=_region_input,
            infer=_parse_regions,
            # Both sides are written anew from their trees, so that escapes and brackets left open make no difference.
            extract_answer=lambda reading, _: serialise(reading.tree),
            normalise_target=lambda target: serialise(parse(target)),
            score_answer=_best_target(_score_tree, "edit_similarity"),
            breakdowns=_BREAKDOWNS,
        ),
        EvaluationTask(
            name="crops",
            title="crops",
            main_metric="edit_similarity",
            prepare=_page_input,
            infer=_read_lines,
            extract_answer=lambda reading, _: strip_markup(reading.text),
            normalise_target=strip_markup,
            score_answer=_best_target(_score_line, "edit_similarity"),
            breakdowns=_BREAKDOWNS,
        ),
    )
}
