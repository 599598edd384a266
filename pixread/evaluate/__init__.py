"""A shard set and a reader in; a table of scores, every prediction, and a report to look at out.

`evaluate` runs the reader over the examples of one task (`EVALUATION_TASKS`), scores each and writes `metrics.json`,
`predictions.jsonl` and `report.html`; `table` shows the metrics in a terminal. `quick_score` gives the scores alone.
"""

from pixread.evaluate.run import evaluate
from pixread.evaluate.scoring import quick_score
from pixread.evaluate.shard_sets import find_shard_sets
from pixread.evaluate.stats.summary import table
from pixread.evaluate.tasks.registry import EVALUATION_TASKS
from pixread.evaluate.tasks.task import ReaderProtocol

__all__ = ["EVALUATION_TASKS", "ReaderProtocol", "evaluate", "find_shard_sets", "quick_score", "table"]
