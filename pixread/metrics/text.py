"""Scores of a predicted text against the true one. Characters are Unicode code points.

Exact match, edit similarity and character error rate, ANLS (by its paper and by its organisers), relaxed accuracy of
ChartQA, words found wherever they stand, and the order in which they were read.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

# From this normalised distance on an answer is another answer and not a misread one (tau of the paper of ANLS).
ANLS_THRESHOLD = 0.5
# How far a number may be from the true one in relaxed accuracy, as a share of the true one.
RELAXED_TOLERANCE = 0.05


def exact_match(prediction: str, truth: str) -> float:
    """1.0 where both strings are the same, character by character (case and white space included), else 0.0."""
    return float(prediction == truth)


def edit_similarity(prediction: str, truth: str) -> float:
    """1 - edit distance / length of the longer string, in 0..1; symmetric; two empty strings are equal, hence 1."""
    return Levenshtein.normalized_similarity(prediction, truth)


def character_error_rate(prediction: str, truth: str) -> float:
    """Edit distance per character of the truth: 0 is perfect, above 1 is more invented than there is to read.

    An empty truth counts as one character long, so that n invented characters give n and not a division by zero.
    """
    return Levenshtein.distance(prediction, truth) / max(1, len(truth))


def anls(prediction: str, target: str) -> float:
    """Average normalised Levenshtein similarity, by the paper; case is ignored.

    1 - edit distance / length of the longer string where that is above 0.5, else 0. It differs from `anls_docvqa` where
    half of an answer is right, and in white space.

    Biten et al. 2019, "Scene text visual question answering", equation 1, as Pix2Struct's `metrics.py` (`anls_metric`)
    has it, for one target; the best of all targets is the score of an example. Exactly half the length scores 0.

    White space counts, at the ends too. Two empty strings are equal, hence 1 (Pix2Struct divides by zero).
    """
    distance = Levenshtein.normalized_distance(prediction.lower(), target.lower())
    return 1.0 - distance if distance < ANLS_THRESHOLD else 0.0


def anls_docvqa(prediction: str, target: str) -> float:
    """`anls` as the evaluation script counts that the organisers give out (Robust Reading Competition, InfographicVQA).

    A distance of exactly half the length scores 0.5. White space at the ends does not count, and any within is one
    blank, but the length is that of the strings as they were given (in capitals, so that "ß" is two long). Two strings
    without characters score 1.
    """
    distance = Levenshtein.distance(_normalised(prediction), _normalised(target))
    length = max(len(prediction.upper()), len(target.upper()))
    similarity = 1.0 - (distance / length if length else 0.0)
    return similarity if similarity >= ANLS_THRESHOLD else 0.0


def _normalised(text: str) -> str:
    return " ".join(text.lower().split())


def relaxed_accuracy(prediction: str, target: str) -> float:
    """1.0 where both are numbers at most 5 % of the target apart, or else the same text but for case; 0.0 elsewhere.

    Masry et al. 2022, "ChartQA", section 5.1, as Pix2Struct's `metrics.py` has it, for one target. A number is what
    Python's `float` reads: `1e5`, `1_000`, the digits of other scripts and white space around it are numbers, `1,000`
    and `$5` are text. Per cent at the end divide by 100: `5%` is `0.05` and not `5`.

    A target of 0 has no 5 %: it is compared as text, so that `0.0` is not `0`. `nan` and `inf` are numbers to `float`,
    and as targets no number is near them, they themselves included: 0.
    """
    number, true = _parsed_number(prediction), _parsed_number(target)
    if number is not None and true:
        return float(abs(number - true) / abs(true) <= RELAXED_TOLERANCE)
    return float(prediction.lower() == target.lower())


def _parsed_number(text: str) -> float | None:
    try:
        return float(text.rstrip("%")) / 100.0 if text.endswith("%") else float(text)
    except ValueError:
        return None


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


def order_agreement(prediction: Sequence[str], truth: Sequence[str]) -> float | None:
    """Kendall's tau (1938) between the two orders of the words that occur exactly once in both.

    1 is the same order, -1 the opposite one, and chance gives 0: the pairs of words that stand in the same order less
    those that do not, over all pairs. Used so for the order of sentences by Lapata (2006, "Automatic evaluation of
    information ordering"). What was missed or invented plays no part. None where fewer than two words can be compared.
    """
    ranks = {word: rank for rank, word in enumerate(truth)}
    counts, true_counts = Counter(prediction), Counter(truth)
    order = [ranks[word] for word in prediction if counts[word] == 1 == true_counts[word]]
    if len(order) < 2:
        return None
    sorted_ranks: list[int] = []  # ranks so far, ascending
    num_swapped = 0
    for rank in order:
        num_swapped += len(sorted_ranks) - bisect_left(sorted_ranks, rank)
        insort(sorted_ranks, rank)
    return 1 - 4 * num_swapped / (len(order) * (len(order) - 1))
