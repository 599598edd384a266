"""CIDEr, the measure of captions: do the words and phrases agree that tell this picture from the others?

Vedantam et al. 2015, "CIDEr: consensus-based image description evaluation", in the form that the COCO caption
evaluation gave it and `pycocoevalcap` 1.2 keeps: CIDEr-D without stemming. Each caption is a vector for each n of 1 to
4: how often an n-gram stands in it, times log(examples / examples whose references hold the n-gram). A prediction has
its cosine with each reference, where no n-gram of the prediction counts for more than it does in the reference, times
exp(-(difference of lengths)^2 / 72); the mean over n and references, times 10.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from statistics import fmean

from pixread.metrics.ptb import ptb_tokenize_all

MAX_N = 4
# Standard deviation of the length penalty, in words (sigma of the paper's equation 7).
SIGMA = 6.0

Ngram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Vector:
    """A caption: weights[n-1] of its n-grams, their norms, and its length (as bigrams, which is how it is counted)."""

    weights: list[dict[Ngram, float]]
    norms: list[float]
    length: int


def cider(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    """One score an example, in 0..10; the score of the corpus is their mean.

    The captions are tokenised here. The weight (idf) of an n-gram depends on the references of all examples, so that
    the score of an example depends on the others. One example alone scores 0 (all its idf are 0), as does an empty
    prediction. No examples give no scores.

    ValueError where there are not as many predictions as lists of references, or a list is empty.
    """
    _check(predictions, references)
    prediction_ngrams = [_ngrams(words) for words in ptb_tokenize_all(predictions)]
    all_references = iter([_ngrams(words) for words in ptb_tokenize_all(list(chain.from_iterable(references)))])
    reference_ngrams = [list(islice(all_references, len(texts))) for texts in references]
    document_counts = Counter(chain.from_iterable(set(chain.from_iterable(texts)) for texts in reference_ngrams))
    max_idf = math.log(max(1, len(references)))
    idf = {ngram: max_idf - math.log(number) for ngram, number in document_counts.items()}
    vectors = (_vector(ngrams, idf, max_idf) for ngrams in prediction_ngrams)
    return [
        10.0 * fmean(_similarity(vector, _vector(text, idf, max_idf)) for text in texts)
        for vector, texts in zip(vectors, reference_ngrams, strict=True)
    ]


def _check(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if len(predictions) != len(references):
        raise ValueError(f"There are {len(predictions)} predictions and references for {len(references)} examples.")
    for number, texts in enumerate(references):
        if isinstance(texts, str):
            raise ValueError(f"The references of example {number} are one string, not a list of strings: {texts!r}.")
        if not texts:
            raise ValueError(f"Example {number} has no references.")


def _ngrams(tokens: list[str]) -> Counter[Ngram]:
    return Counter(
        tuple(tokens[start : start + n]) for n in range(1, MAX_N + 1) for start in range(len(tokens) - n + 1)
    )


def _vector(ngrams: Counter[Ngram], idf: dict[Ngram, float], max_idf: float) -> _Vector:
    """max_idf: of an n-gram that no reference holds; it counts as if one example held it."""
    weights: list[dict[Ngram, float]] = [{} for _ in range(MAX_N)]
    for ngram, count in ngrams.items():
        weights[len(ngram) - 1][ngram] = count * idf.get(ngram, max_idf)
    norms = [math.sqrt(sum(weight * weight for weight in of_n.values())) for of_n in weights]
    return _Vector(weights, norms, sum(count for ngram, count in ngrams.items() if len(ngram) == 2))


def _similarity(prediction: _Vector, reference: _Vector) -> float:
    """The mean over n of the clipped cosines, times the length penalty; an n-gram vector of zeros agrees with none."""
    total = 0.0
    for n in range(MAX_N):
        predicted, true = prediction.weights[n], reference.weights[n]
        norm = prediction.norms[n] * reference.norms[n]
        if norm:
            shared = ((weight, true[ngram]) for ngram, weight in predicted.items() if ngram in true)
            total += sum(min(weight, true_weight) * true_weight for weight, true_weight in shared) / norm
    difference = prediction.length - reference.length
    return total / MAX_N * math.exp(-(difference**2) / (2 * SIGMA**2))
