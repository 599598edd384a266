"""The majority baseline: a reader that ignores the picture and gives the most frequent answer of the training split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from pixread.evaluate.shard_sets import sibling_sets
from pixread.records import Box, Node, Reading
from pixread.shards import ShardSet

TRAIN = "train"


def majority_answer(sets: Sequence[Path]) -> str:
    """The answer that most examples of the train sets beside the given ones accept; of several, the first met.

    Raises ValueError, in one sentence, where there is no train set to take it from.
    """
    if not sets:
        raise ValueError("the majority answer comes from the train sets beside a folder of shards, and none was given")
    train_sets = sibling_sets(sets, TRAIN)
    counts = Counter(answer for path in train_sets for targets in ShardSet(path).targets() for answer in set(targets))
    if not counts:
        raise ValueError(f"{sets[0].parent} has no train set, which the majority answer comes from")
    return counts.most_common(1)[0][0]


class ConstantReader:
    """Gives one answer to everything, and is as sure of it as can be."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.name = f"always {answer!r}"

    def read(
        self, images: list[Image.Image], question: list[str] | None = None, /, *, max_new_tokens: int | None = None
    ) -> list[Reading]:
        return [Reading(self.answer, Node(), 0.0, image.width, image.height, 0.0, log_prob=0.0) for image in images]

    def parse(self, images: list[Image.Image], /, *, region: list[Box] | None = None) -> list[Reading]:
        return self.read(images)
