"""Short lines turned to the slope that the lines round them have."""

from __future__ import annotations

import math

import numpy as np

from pixread.arrays import Floats
from pixread.layout.learned.decode import Lines

FEWEST = 3  # lines that say how a page is turned
SPREAD = 0.15  # font sizes that the ends of a line are uncertain across it
MIN_UNCERTAINTY = 0.001  # rad, uncertainty of the longest lines
TILT_SPREAD = 0.003  # rad, how far lines of one page differ truly
PRIOR_SPREAD = 0.002  # rad, uncertainty of the slope that the page gives
STRAIGHT = 0.0015  # rad, slope of a page below which it counts as not turned
OUTLIER = 4.0  # standard deviations from which a line is turned by itself
OUTLIER_FLOOR = 0.01  # rad
ROBUST = 1.5  # standard deviations, from which lines count less (Huber)
ROUNDS = 6  # of reweighting
GRADIENT_PENALTY = 1e4  # per squared rad over the page: perspective changes slopes little


def steady_lines(lines: Lines, *, width: float, height: float) -> Lines:
    """The lines with slopes drawn towards a plane that is fitted through the slopes of all, a plane a quarter turn.

    width, height: of the picture, in the pixels of the lines.
    """
    if len(lines) < FEWEST:
        return lines
    middle, half = (lines.start + lines.end) / 2, lines.length / 2
    angle = np.arctan2(lines.direction[:, 1], lines.direction[:, 0])
    quarter = np.round(angle / (math.pi / 2)) * (math.pi / 2)
    spread = SPREAD * lines.height / np.maximum(2 * half, 1e-6) + MIN_UNCERTAINTY
    place = np.stack([np.ones(len(lines)), middle[:, 0] / width - 0.5, middle[:, 1] / height - 0.5], axis=1)
    steadied = angle.copy()
    for turn in np.unique(quarter):
        chosen = quarter == turn
        if chosen.sum() >= FEWEST:
            steadied[chosen] = turn + _towards_plane(angle[chosen] - turn, spread[chosen], place[chosen])
    step = np.stack([np.cos(steadied), np.sin(steadied)], axis=1) * half[:, None]
    return Lines(middle - step, middle + step, lines.height, lines.score)


def _towards_plane(angle: Floats, spread: Floats, place: Floats) -> Floats:
    """angle, spread: (N,) rad; place: (N, 3). -> angles (N,)."""
    total = np.hypot(spread, TILT_SPREAD)
    robust = np.ones(len(angle))
    plane = np.zeros(3)
    for _ in range(ROUNDS):
        weight = (robust / total**2)[:, None]
        normal = (place * weight).T @ place + np.diag([1.0, GRADIENT_PENALTY, GRADIENT_PENALTY])
        plane = np.linalg.solve(normal, (place * weight).T @ angle)
        robust = 1 / np.maximum(1, np.abs(angle - place @ plane) / total / ROBUST) ** 2
    prior = place @ plane
    prior = np.where(np.abs(prior) < STRAIGHT, 0, prior)
    blended = (angle / spread**2 + prior / PRIOR_SPREAD**2) / (1 / spread**2 + 1 / PRIOR_SPREAD**2)
    alone = np.abs(angle - prior) > OUTLIER * np.hypot(spread, OUTLIER_FLOOR)
    return np.where(alone, angle, blended)
