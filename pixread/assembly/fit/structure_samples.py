"""Labelled pages -> the samples that each classifier of the assembly is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pixread.arrays import Floats
from pixread.assembly.classifier import ClassifierName, FeatureNames, load_classifier
from pixread.assembly.document import order_elements, picture_element
from pixread.assembly.fit.labelled_page import LabelledPage, token_leaves
from pixread.assembly.grouping import GROUP_FEATURES, ItemRun, candidate_runs
from pixread.assembly.paragraphs import WRAP_FEATURES, vertical_neighbours, wrap_features
from pixread.assembly.reading_order import CUT_FEATURES, CutBoxes, cut_features, reads_by_columns, xy_cut
from pixread.assembly.spans import SPAN_FEATURES, span_features, token_differences
from pixread.assembly.style.features import DIFFERENCE_FEATURES, StyleFeatures
from pixread.records import Node

MAX_PAIRS = 150  # of boxes in another order, beyond which a decision about columns weighs no more

Sample = tuple[Floats, bool, int]
"""Features, label, weight (how often it counts)."""


@dataclass(frozen=True, slots=True)
class SampleSource:
    """What a classifier is fitted to."""

    features: FeatureNames  # names of the columns
    samples: Callable[[LabelledPage], Iterator[Sample]]  # of a page


def boundary_samples(page: LabelledPage) -> Iterator[Sample]:
    """Whether a span ends between consecutive tokens of a paragraph."""
    for lines, leaves in _true_paragraphs(page):
        yield from _label_boundaries(token_differences(lines), leaves)


def span_samples(page: LabelledPage) -> Iterator[Sample]:
    """The same, with the features of the spans that the first classifier makes."""
    for lines, leaves in _true_paragraphs(page):
        differences = token_differences(lines)
        logits = load_classifier("leaves", DIFFERENCE_FEATURES).logits(differences)
        yield from _label_boundaries(span_features(lines, differences, logits), leaves)


def _true_paragraphs(page: LabelledPage) -> Iterator[tuple[list[StyleFeatures], list[int | None]]]:
    """The styles of the lines of each paragraph, and the leaf of each of their tokens."""
    styles = [line.style for line in page.lines]
    next_line = {
        upper: lower
        for upper, lower in vertical_neighbours([line.box for line in page.lines])
        if styles[upper] and styles[lower] and page.same_paragraph(page.words[upper][-1], page.words[lower][0])
    }
    for first in set(range(len(styles))) - set(next_line.values()):
        lines, leaves = [], []
        number: int | None = first
        while number is not None and (style := styles[number]) is not None:
            lines.append(style)
            leaves += token_leaves(page.lines[number], page.words[number])
            number = next_line.get(number)
        if len(leaves) > 1:
            yield lines, leaves


def _label_boundaries(features: Floats, leaves: Sequence[int | None]) -> Iterator[Sample]:
    for row, (first, second) in zip(features, pairwise(leaves), strict=True):
        if first is not None and second is not None:
            yield row, first != second, 1


def wrap_samples(page: LabelledPage) -> Iterator[Sample]:
    """Whether a line continues the one above it."""
    pairs = vertical_neighbours([line.box for line in page.lines])
    for features, (upper, lower) in zip(wrap_features(page.lines, pairs), pairs, strict=True):
        yield features, page.same_paragraph(page.words[upper][-1], page.words[lower][0]), 1


def column_samples(page: LabelledPage) -> Iterator[Sample]:
    """Whether boxes that can be cut both ways are read by columns; the true order decides the cuts below each."""
    elements, _ = order_elements(page.lines)
    numbers = {line.box: number for number, line in enumerate(page.lines)}
    positions = {
        element.zone: float(median(word.position for box in element.lines for word in page.words[numbers[box]]))
        for element in elements
    }
    samples: list[Sample] = []

    def decide(rows: list[CutBoxes], columns: list[CutBoxes], line_height: float) -> bool:
        row = {id(box): number for number, band in enumerate(rows) for box in band}
        column = {id(box): number for number, band in enumerate(columns) for box in band}
        votes: dict[int, list[bool]] = {-1: [], 1: []}  # of pairs up to the right, and down: is the left one first?
        for left in (box for band in rows for box in band):
            for right in (box for band in columns[column[id(left)] + 1 :] for box in band):
                if row[id(left)] != row[id(right)]:
                    direction = 1 if row[id(left)] < row[id(right)] else -1
                    votes[direction].append(positions[left.zone] < positions[right.zone])
        up, down = votes[-1], votes[1]
        if not up:
            return reads_by_columns(rows, columns, line_height)
        # Columns are also read one by one where the right one comes first.
        by_columns = 2 * sum(up) > len(up) or 2 * sum(down) < len(down)
        weight = max(1, round(min(len(up), MAX_PAIRS) ** 0.5))
        samples.append((cut_features(rows, columns, line_height), by_columns, weight))
        return by_columns

    line_heights = {element.zone: element.item.line_height for element in elements}
    xy_cut([element.zone for element in elements], line_heights, decide_columns=decide)
    yield from samples


def group_samples(page: LabelledPage) -> Iterator[Sample]:
    """Whether a run of elements is a node of the true tree."""
    pictures = [picture_element(picture, picture.box) for picture in page.pictures]
    elements, block_runs = order_elements(page.lines, pictures)
    numbers = {line.box: number for number, line in enumerate(page.lines)}
    leaves = [[word.leaf for box in element.lines for word in page.words[numbers[box]]] for element in elements]
    true_runs = _true_runs(page.root, leaves)
    runs, features = candidate_runs([element.item for element in elements], block_runs)
    for run, row in zip(runs, features, strict=True):
        yield row, run in true_runs, 1


def _true_runs(root: Node, leaves: Sequence[Sequence[int]]) -> set[ItemRun]:
    """The runs of elements, given by their text leaves, that are nodes of the tree; those without text do not count."""
    runs: set[ItemRun] = set()
    count = 0

    def visit(node: Node) -> set[int]:
        """The leaves below a node."""
        nonlocal count
        if node.is_text:
            count += 1
            return {count - 1}
        below = set[int]().union(*map(visit, node.children))
        inside = [at for at, own in enumerate(leaves) if own and 2 * sum(leaf in below for leaf in own) > len(own)]
        if len(inside) > 1 and len(inside) == sum(bool(own) for own in leaves[inside[0] : inside[-1] + 1]):
            runs.add((inside[0], inside[-1]))
        return below

    visit(root)
    return runs


# In the order in which they are fitted: each is fitted to pages as those before assemble them.
SAMPLE_SOURCES: Mapping[ClassifierName, SampleSource] = {
    "leaves": SampleSource(DIFFERENCE_FEATURES, boundary_samples),
    "texts": SampleSource(SPAN_FEATURES, span_samples),
    "paragraphs": SampleSource(WRAP_FEATURES, wrap_samples),
    "columns": SampleSource(CUT_FEATURES, column_samples),
    "groups": SampleSource(GROUP_FEATURES, group_samples),
}
