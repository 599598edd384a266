"""Scripts whose letters hang from a line: in Devanagari a word is one piece of ink, joined along its top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pixread.inputs.components import runs

DARK = 0.35  # of the strongest ink: hairlines that fall between two rows of pixels are still ink
UPPER = 0.6  # of the height: the headline lies above; an underline lies below
JOINED = 0.75  # of the height: so long a stroke joins letters
COVERED = 0.5  # of the inked columns lie under it: so in 19 of 20 lines of Devanagari, and in 1 of 60 of Latin script


def has_headline(grey: NDArray[np.uint8]) -> bool:
    """Whether one row of strokes covers most of a line of text. grey: (H, W), cut to the height of its ink."""
    height = len(grey)
    contrast = np.abs(grey.astype(np.int16) - int(np.median(grey)))
    ink = contrast >= max(DARK * float(np.percentile(contrast, 99)), 1.0)
    row, start, end = runs(ink[: max(1, int(UPPER * height))])
    long = end - start >= JOINED * height
    covered = np.bincount(row[long], weights=(end - start)[long], minlength=1)
    return bool(covered.max() >= COVERED * max(int(ink.any(axis=0).sum()), 1))
