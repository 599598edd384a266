"""Visibility: words that the pixels do not show, as white on white, behind a mask or a blur, or without glyphs.

Styles alone cannot tell: what a word stands on may be a picture, a gradient, or nothing because it failed to load.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pixread.records import Box, Mark, Node, Word
from pixread.render.simplify import union

MIN_CONTRAST = 16  # levels of a channel: what differs less from what it stands on is visible to nobody
# Writing has edges: share of its contrast that lies between pixels a twentieth of its size apart. Sharp text has .4 and
# more; behind a Gaussian blur of a fifth of its size, as it is laid over paywalled text, it falls below.
MIN_EDGE_SHARE = 0.15
_EDGE_EM = 0.05
# Levels between neighbouring pixels that are an edge whatever else the box holds.
_STRONG_EDGE = 64


def without_invisible_words(node: Node, pixels: np.ndarray) -> Node:
    """The tree without the words that do not show. pixels: (H, W, 3) uint8 of the page.

    Nodes left without children, and texts left without words, are for `simplify` to take away.
    """
    if node.words:
        return _with_words(node, [word for word in node.words if _is_visible(pixels, word.box)])
    return replace(node, children=tuple(without_invisible_words(child, pixels) for child in node.children))


def invisible_word_marks(before: Node, after: Node) -> tuple[Mark, ...]:
    """Where the words stand that `without_invisible_words` has taken away: a trace of them may be visible."""
    visible = {id(word) for node in after.walk() for word in node.words}
    return tuple(Mark("unread", word.box) for node in before.walk() for word in node.words if id(word) not in visible)


def _with_words(leaf: Node, visible: list[Word]) -> Node:
    if len(visible) == len(leaf.words):
        return leaf
    if not visible:
        return Node(box=leaf.box)
    text, source, end, has_blank = "", leaf.text or "", 0, False
    visible_ids = {id(word) for word in visible}
    for word in leaf.words:
        start = source.find(word.text, end)
        has_blank = has_blank or start > end
        end = start + len(word.text)
        if id(word) in visible_ids:
            text += (" " if text and has_blank else "") + word.text
            has_blank = False
    return replace(leaf, text=text, words=tuple(visible), box=union([word.box for word in visible]))


def _is_visible(pixels: np.ndarray, box: Box) -> bool:
    """Whether the box holds edges; a box outside of the picture counts as visible."""
    part = pixels[max(0, int(box.y)) : int(box.bottom) + 1, max(0, int(box.x)) : int(box.right) + 1]
    if not part.size:
        return True
    if _has_strong_edge(part):
        return True
    part = part.astype(np.int16)
    contrast = int((part.max(axis=(0, 1)) - part.min(axis=(0, 1))).max())
    if contrast < MIN_CONTRAST:
        return False
    step = max(1, round(_EDGE_EM * min(box.width, box.height)))
    edges = [abs(part[step:] - part[:-step]), abs(part[:, step:] - part[:, :-step])]
    return max(int(edge.max()) for edge in edges if edge.size) >= MIN_EDGE_SHARE * contrast


def _has_strong_edge(part: np.ndarray) -> bool:
    """Whether a few rows of green alone tell that something is written: nearly every word, in a fifth of the time."""
    rows = part[:: max(1, len(part) // 6), :, 1].astype(np.int16)
    return rows.shape[1] > 1 and int(abs(rows[:, 1:] - rows[:, :-1]).max()) >= _STRONG_EDGE
