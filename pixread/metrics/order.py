"""Reading order: whether what was read stands in the order of the truth."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence


def order_agreement(prediction: Sequence[str], truth: Sequence[str]) -> float | None:
    """Kendall's tau (1938) between the two orders of the words that occur exactly once in both.

    1 is the same order, -1 the opposite one, and chance gives 0: the pairs of words that stand in the same order less
    those that do not, over all pairs. Used so for the order of sentences by Lapata (2006, "Automatic evaluation of
    information ordering"). What was missed or invented plays no part. None where fewer than two words can be compared.
    """
    places = {word: place for place, word in enumerate(truth)}
    counts, true_counts = Counter(prediction), Counter(truth)
    order = [places[word] for word in prediction if counts[word] == 1 == true_counts[word]]
    if len(order) < 2:
        return None
    passed: list[int] = []  # places met so far, ascending
    num_swapped = 0
    for place in order:
        num_swapped += len(passed) - bisect_left(passed, place)
        insort(passed, place)
    return 1 - 4 * num_swapped / (len(order) * (len(order) - 1))
