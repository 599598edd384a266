"""A histogram of scores as SVG."""

from __future__ import annotations

from collections.abc import Sequence

NUM_BARS = 20
_WIDTH, _HEIGHT, _ABOVE, _BELOW = 640, 220, 16, 22


def histogram(scores: Sequence[float], *, end: float = 1.0, unit: float = 1.0) -> str:
    """The SVG element: a bar for every twentieth of 0..end, its count above it; the last holds all from there on.

    unit: what scores are multiplied by where they are written.
    """
    counts = bin_counts([score / end for score in scores])
    most = max(*counts, 1)
    step = _WIDTH / NUM_BARS
    parts = []
    for number, num_scores in enumerate(counts):
        height = (_HEIGHT - _ABOVE - _BELOW) * num_scores / most
        left, top = number * step, _HEIGHT - _BELOW - height
        parts.append(f'<rect x="{left + 1:g}" y="{top:.1f}" width="{step - 2:g}" height="{height:.1f}"/>')
        if num_scores:
            parts.append(f'<text x="{left + step / 2:g}" y="{top - 4:.1f}">{num_scores}</text>')
    parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{_HEIGHT - _BELOW}" y2="{_HEIGHT - _BELOW}"/>')
    for tenth in range(0, 11, 2):
        # The outer labels are moved inwards, so that they are not cut off.
        at = min(max(_WIDTH * tenth / 10, 10), _WIDTH - 10)
        parts.append(f'<text x="{at:g}" y="{_HEIGHT - 6}">{unit * end * tenth / 10:g}</text>')
    return f'<svg class="histogram" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}</svg>'


def bin_counts(scores: Sequence[float]) -> list[int]:
    """How many scores fall into each of the NUM_BARS equal parts of 0..1."""
    counts = [0] * NUM_BARS
    for score in scores:
        counts[min(int(score * NUM_BARS), NUM_BARS - 1)] += 1
    return counts
