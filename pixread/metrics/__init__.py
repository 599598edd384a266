"""Pure functions from a prediction and its truth (strings or trees) to numbers; nothing here knows a model or a file.

Every similarity lies in 0..1, higher is better, and is 1 for two equal arguments, two empty ones included.
The character error rate is the exception: 0 is perfect and it has no upper end.
"""

from pixread.metrics.edit import character_error_rate, edit_similarity
from pixread.metrics.exact import exact_match
from pixread.metrics.tree import TreeScore, tree_similarity
from pixread.metrics.words import WordScore, word_score

__all__ = [
    "TreeScore",
    "WordScore",
    "character_error_rate",
    "edit_similarity",
    "exact_match",
    "tree_similarity",
    "word_score",
]
