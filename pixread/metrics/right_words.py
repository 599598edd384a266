"""Which of the words that were read are right, one by one: what confidences are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pixread.metrics.unscored import Quad, are_inside
from pixread.records import Box


def right_words(read: Sequence[tuple[str, Box | None]], truth: Sequence[tuple[str, Quad | None]]) -> list[bool]:
    """Which words are right: of each as many as the truth has, as `word_score` counts them.

    read: words, each with its box, or None where that is not known. truth: lines of words with their convex quads, or
    None. Where a word was read more often than the truth has it, those are right whose middle stands on a line of the
    truth with that word, and of the others the first ones.
    """
    left = [Counter(text.split()) for text, _ in truth]
    right = [False] * len(read)
    for at, lines in enumerate(_lines_below([box for _, box in read], [quad for _, quad in truth])):
        word = read[at][0]
        for line in lines:
            if left[line][word] > 0:
                left[line][word] -= 1
                right[at] = True
                break
    elsewhere = sum(left, Counter[str]())
    for at, (word, _) in enumerate(read):
        if not right[at] and elsewhere[word] > 0:
            elsewhere[word] -= 1
            right[at] = True
    return right


def _lines_below(boxes: Sequence[Box | None], quads: Sequence[Quad | None]) -> list[list[int]]:
    """Of each box the numbers of the quads that hold its middle."""
    placed = [number for number, quad in enumerate(quads) if quad is not None]
    corners = np.array([quads[number] for number in placed], dtype=np.float64).reshape(-1, 4, 2)
    groups = []
    for box in boxes:
        if box is None:
            groups.append(list[int]())
            continue
        middle = np.array([[box.x + box.width / 2, box.y + box.height / 2]])
        groups.append([placed[number] for number in np.flatnonzero(are_inside(middle, corners)[0]).tolist()])
    return groups
