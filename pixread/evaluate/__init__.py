"""A shard set and a reader in; a table of scores, every prediction, and a report to look at out.

`evaluate` runs the reader over the examples of one task (`EXAMS`), scores each and writes `metrics.json`,
`predictions.jsonl` and `report.html`; `table` shows the metrics in a terminal. `quick_score` gives the scores alone.
"""

from pixread.evaluate.exam import Reads
from pixread.evaluate.exams import EXAMS
from pixread.evaluate.quick import quick_score
from pixread.evaluate.run import evaluate
from pixread.evaluate.sets import find_sets
from pixread.evaluate.summary import table

__all__ = ["EXAMS", "Reads", "evaluate", "find_sets", "quick_score", "table"]
