"""Boxes found against boxes that are there."""

from __future__ import annotations

from collections.abc import Sequence

from pixread.records import Box

FOUND = 0.5  # overlap from which a box counts as found, as in PASCAL VOC (Everingham et al. 2010)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1; two boxes without area do not overlap."""
    common = one.intersect(other)
    return common.area / (one.area + other.area - common.area) if common else 0.0


def num_matched(found: Sequence[Box], truth: Sequence[Box], *, least: float = FOUND) -> int:
    """How many of the found boxes are a true one: each is matched once at most, those that overlap most first."""
    pairs = sorted(
        (-share, at, place)
        for at, one in enumerate(found)
        for place, other in enumerate(truth)
        if (share := overlap(one, other)) >= least
    )
    taken_found, taken_true = set[int](), set[int]()
    for _, at, place in pairs:
        if at not in taken_found and place not in taken_true:
            taken_found.add(at)
            taken_true.add(place)
    return len(taken_found)
