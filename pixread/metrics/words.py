"""Word precision, recall and F1: which words were read, wherever they stand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordScore:
    """Shares in 0..1: of the predicted words that are true, of the true words that were predicted, and their F1."""

    precision: float
    recall: float
    f1: float


def word_score(prediction: str, truth: str) -> WordScore:
    """Compares two texts as multisets of words, case-sensitively; a word is what stands between white space.

    Order does not count, repetition does: a word predicted twice that stands once in the truth is right once. A text
    written without spaces (Chinese, Japanese, Thai) is few and long words; `edit_similarity` says more about it.

    Where both texts hold no word, nothing was missed and nothing invented: all three are 1. Where only one of them
    holds none, nothing agrees: all three are 0.
    """
    predicted, true = Counter(prediction.split()), Counter(truth.split())
    num_predicted, num_true = predicted.total(), true.total()
    if num_predicted == 0 and num_true == 0:
        return WordScore(1.0, 1.0, 1.0)
    num_common = (predicted & true).total()
    if num_common == 0:
        return WordScore(0.0, 0.0, 0.0)
    # 2PR/(P+R) with P and R filled in: one division, so that equal texts give exactly 1.
    return WordScore(num_common / num_predicted, num_common / num_true, 2 * num_common / (num_predicted + num_true))
