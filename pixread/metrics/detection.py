"""Object detection: boxes found against true boxes."""

from __future__ import annotations

from collections.abc import Sequence

from pixread.records import Box

# Intersection over union from which a box counts as found, as in PASCAL VOC (Everingham et al. 2010).
MATCH_THRESHOLD = 0.5


def intersection_over_union(one: Box, other: Box) -> float:
    """0..1; two boxes without area do not overlap."""
    common = one.intersect(other)
    return common.area / (one.area + other.area - common.area) if common else 0.0


def num_matched(found: Sequence[Box], truth: Sequence[Box], *, threshold: float = MATCH_THRESHOLD) -> int:
    """How many of the found boxes are a true one: each is matched once at most, those that overlap most first."""
    pairs = sorted(
        (-iou, found_index, true_index)
        for found_index, box in enumerate(found)
        for true_index, true_box in enumerate(truth)
        if (iou := intersection_over_union(box, true_box)) >= threshold
    )
    matched_found, matched_true = set[int](), set[int]()
    for _, found_index, true_index in pairs:
        if found_index not in matched_found and true_index not in matched_true:
            matched_found.add(found_index)
            matched_true.add(true_index)
    return len(matched_found)
