"""A shard set and a reader in; a table of scores, every prediction, and a report to look at out.

`evaluate` runs the reader over the examples of one task (`TASKS`), scores each and writes `metrics.json`,
`predictions.jsonl` and `report.html`; `table` shows the metrics in a terminal.
"""

from pixread.evaluate.run import evaluate
from pixread.evaluate.summary import table
from pixread.evaluate.tasks import TASKS, Reads

__all__ = ["TASKS", "Reads", "evaluate", "table"]
