"""Object detection: predicted boxes against true boxes."""

from __future__ import annotations

from collections.abc import Sequence

from pixread.records import Box

# Intersection over union from which two boxes match, as in PASCAL VOC (Everingham et al. 2010).
MATCH_THRESHOLD = 0.5


def intersection_over_union(a: Box, b: Box) -> float:
    """0..1; two boxes without area do not overlap."""
    common = a.intersect(b)
    return common.area / (a.area + b.area - common.area) if common else 0.0


def num_matched(predicted: Sequence[Box], truth: Sequence[Box], *, threshold: float = MATCH_THRESHOLD) -> int:
    """How many of the predicted boxes are a true one: each is matched once at most, those that overlap most first."""
    pairs = sorted(
        (-iou, predicted_index, true_index)
        for predicted_index, box in enumerate(predicted)
        for true_index, true_box in enumerate(truth)
        if (iou := intersection_over_union(box, true_box)) >= threshold
    )
    matched_predicted, matched_true = set[int](), set[int]()
    for _, predicted_index, true_index in pairs:
        if predicted_index not in matched_predicted and true_index not in matched_true:
            matched_predicted.add(predicted_index)
            matched_true.add(true_index)
    return len(matched_predicted)
