"""Pure functions from a prediction and its truth (strings or trees) to numbers; nothing here knows a model or a file.

Every similarity lies in 0..1, higher is better, and is 1 for two equal arguments, two empty ones included; relaxed
accuracy has one exception (docs/metrics.md). CIDEr is a similarity of a whole corpus and lies in 0..10; the agreement
of orders lies in -1..1. The character error rate is 0 where all is right and has no upper end.
"""

from pixread.metrics.calibration import CalibrationBin, calibration_bins, expected_calibration_error
from pixread.metrics.cider import cider
from pixread.metrics.detection import num_matched
from pixread.metrics.groups import Candidate, group_accuracy, ranked_first
from pixread.metrics.ptb import ptb_tokenize
from pixread.metrics.right_words import right_words
from pixread.metrics.text import (
    WordScore,
    anls,
    anls_docvqa,
    character_error_rate,
    edit_similarity,
    exact_match,
    order_agreement,
    relaxed_accuracy,
    word_score,
)
from pixread.metrics.tree import TreeScore, tree_similarity
from pixread.metrics.unscored import are_unscored, counted, scored_lines
from pixread.metrics.word_errors import CAUSES, Line, WordError, word_errors

__all__ = [
    "CAUSES",
    "CalibrationBin",
    "Candidate",
    "Line",
    "TreeScore",
    "WordError",
    "WordScore",
    "anls",
    "anls_docvqa",
    "are_unscored",
    "calibration_bins",
    "character_error_rate",
    "cider",
    "counted",
    "edit_similarity",
    "exact_match",
    "expected_calibration_error",
    "group_accuracy",
    "num_matched",
    "order_agreement",
    "ptb_tokenize",
    "ranked_first",
    "relaxed_accuracy",
    "right_words",
    "scored_lines",
    "tree_similarity",
    "word_errors",
    "word_score",
]
