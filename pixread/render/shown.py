"""Words that the pixels do not show: white on white where a picture is missing, letters of a font that has none.

Styles alone cannot tell: what a word stands on may be a picture, a gradient, or nothing because it failed to load.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pixread.records import Box, Node

FAINTEST = 16  # levels of a channel: what differs less from what it stands on is seen by nobody


def without_unseen(node: Node, pixels: np.ndarray) -> Node:
    """The tree without the text leaves of which no word shows. pixels: (H, W, 3) uint8 of the page.

    A leaf of which some words show stays as it is. Nodes left without children are for `simplify` to take away.
    """
    if node.words:
        seen = any(_shows(pixels, word.box) for word in node.words)
        return node if seen else Node(box=node.box)
    return replace(node, children=tuple(without_unseen(child, pixels) for child in node.children))


def _shows(pixels: np.ndarray, box: Box) -> bool:
    """Whether any two pixels of the box differ; a box outside of the picture is given the benefit of the doubt."""
    part = pixels[max(0, int(box.y)) : int(box.bottom) + 1, max(0, int(box.x)) : int(box.right) + 1]
    if not part.size:
        return True
    channels = part.reshape(-1, part.shape[2])
    return int((channels.max(axis=0).astype(int) - channels.min(axis=0)).max()) >= FAINTEST
