"""Where spans of one style end within the lines of a paragraph: at a link, at words in bold, at code.

One small classifier compares two consecutive tokens. The style of one short word is uncertain, so a second one compares
the mean styles of the spans that the first one's boundaries would make.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from pixread.arrays import Bitmap, Floats, Ints
from pixread.assembly.classifier import MlpClassifier, load_classifier
from pixread.assembly.style.features import DIFFERENCE_FEATURES, MEASURES, StyleFeatures, style_differences
from pixread.assembly.style.network import STYLES, prefix_sums

BOUNDARY_LOGIT = 0.0  # of the first classifier, above which the second compares spans that end there
SPAN_END_LOGIT = 1.0  # of the second, above which a span ends: a span cut in two costs a tree more than two joined
MAX_LOGIT = 8.0  # at which logits are clipped as features
NEIGHBOUR_OFFSETS = (-2, -1, 0, 1, 2)  # boundaries whose logits are features of a boundary

_COMPARED = (*MEASURES, *STYLES, "ink_r", "ink_g", "ink_b", "paper_r", "paper_g", "paper_b", "underlined")
# The columns of `span_features`: left, right are the spans that end and begin at a boundary, outer ones those beyond.
SPAN_FEATURES = (
    *DIFFERENCE_FEATURES,
    *(f"left_to_right_{name}" for name in _COMPARED),
    *(f"left_to_outer_right_{name}" for name in _COMPARED),
    *(f"right_to_outer_left_{name}" for name in _COMPARED),
    "left_log_length",
    "right_log_length",
    "has_outer_left",
    "has_outer_right",
    *(f"boundary_logit_{offset:+d}" for offset in NEIGHBOUR_OFFSETS),
)


def find_span_ends(paragraphs: Sequence[Sequence[StyleFeatures]]) -> list[Bitmap]:
    """Whether a span ends behind each token but the last, of the lines of each paragraph."""
    differences = [token_differences(lines) for lines in paragraphs]
    logits = _paragraph_logits(load_classifier("leaves", DIFFERENCE_FEATURES), differences)
    features = [span_features(*arguments) for arguments in zip(paragraphs, differences, logits, strict=True)]
    logits = _paragraph_logits(load_classifier("texts", SPAN_FEATURES), features)
    return [paragraph > SPAN_END_LOGIT for paragraph in logits]


def token_differences(lines: Sequence[StyleFeatures]) -> Floats:
    """How each token of a paragraph's lines differs from the next. -> (tokens - 1, features)

    The columns are `DIFFERENCE_FEATURES`.
    """
    differences = []
    for number, line in enumerate(lines):
        if number:
            above = lines[number - 1]
            differences.append(style_differences(above, np.array([len(above.tokens) - 1]), line, np.array([0])))
        at = np.arange(len(line.tokens) - 1)
        differences.append(style_differences(line, at, line, at + 1))
    return np.concatenate(differences)


def span_features(lines: Sequence[StyleFeatures], differences: Floats, logits: Floats) -> Floats:
    """How the spans on both sides of each boundary differ where the logits divide a paragraph.

    differences: of the tokens, (tokens - 1, features). logits: (tokens - 1,). -> (tokens - 1, features), whose columns
    are `SPAN_FEATURES`.
    """
    compared = np.concatenate([_compared_features(line) for line in lines])
    lengths = np.array([float(len(token)) for line in lines for token in line.tokens])
    sums, length_sums = prefix_sums(compared * lengths[:, None]), prefix_sums(lengths)
    count = len(lengths)

    def mean(first: Ints, last: Ints) -> Floats:
        """Over the tokens from `first` to before `last`, weighted by their lengths."""
        return np.asarray((sums[last] - sums[first]) / np.maximum(length_sums[last] - length_sums[first], 1)[:, None])

    edges = np.concatenate([[0], np.flatnonzero(logits > BOUNDARY_LOGIT) + 1, [count]])
    boundaries = np.arange(1, count)
    before = np.searchsorted(edges, boundaries) - 1  # of `edges`: where the span begins that ends here, or would
    behind = np.minimum(np.searchsorted(edges, boundaries, side="right"), len(edges) - 1)
    left, right = edges[before], edges[behind]
    outer_left, outer_right = edges[np.maximum(before - 1, 0)], edges[np.minimum(behind + 1, len(edges) - 1)]
    mean_left, mean_right = mean(left, boundaries), mean(boundaries, right)
    has_outer_left, has_outer_right = outer_left < left, outer_right > right
    width = max(NEIGHBOUR_OFFSETS)
    padded = np.pad(np.clip(logits, -MAX_LOGIT, MAX_LOGIT), width, constant_values=-MAX_LOGIT)
    columns = [
        np.log(length_sums[boundaries] - length_sums[left]),
        np.log(length_sums[right] - length_sums[boundaries]),
        has_outer_left,
        has_outer_right,
        *(padded[width + offset : width + offset + count - 1] for offset in NEIGHBOUR_OFFSETS),
    ]
    # A link in a sentence: the span before it has the style of the span behind.
    span_differences = [
        np.abs(mean_left - mean_right),
        np.abs(mean_left - mean(right, outer_right)) * has_outer_right[:, None],
        np.abs(mean_right - mean(outer_left, left)) * has_outer_left[:, None],
    ]
    return np.concatenate([differences, *span_differences, np.stack(columns, axis=1)], axis=1)


def _compared_features(line: StyleFeatures) -> Floats:
    """The features whose means over spans are compared. -> (tokens, len(_COMPARED))"""
    colours = np.concatenate([line.ink, line.paper], axis=1) / 255
    return np.concatenate([line.measures, line.styles, colours, line.underlined[:, None]], axis=1)


def _paragraph_logits(classifier: MlpClassifier, features: Sequence[Floats]) -> list[Floats]:
    """The logits of each paragraph's boundaries, computed at once."""
    if not features:
        return []
    logits = classifier.logits(np.concatenate(features))
    edges = np.cumsum([0, *map(len, features)])
    return [logits[first:last] for first, last in pairwise(edges.tolist())]
