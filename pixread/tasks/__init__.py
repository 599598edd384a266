"""The data sets that a reader is tuned to and scored by: one file each, from the original files to examples."""

from __future__ import annotations

from pixread.tasks import (
    ai2d,
    chartqa,
    docvqa,
    infographicvqa,
    ocrvqa,
    own,
    refexp,
    screen2words,
    textcaps,
    widget_captioning,
)
from pixread.tasks.task import HIDDEN, SPLITS, AbsentError, Skipped, Split, Task

__all__ = ["HIDDEN", "SPLITS", "TASKS", "AbsentError", "Skipped", "Split", "Task"]

_ALL = (
    textcaps.TASK,
    chartqa.TASK,
    widget_captioning.TASK,
    screen2words.TASK,
    refexp.TASK,
    docvqa.TASK,
    infographicvqa.TASK,
    ocrvqa.TASK,
    ai2d.TASK,
    own.TASK,
)

TASKS = {task.name: task for task in _ALL}
"""Every task by its name on the command line, in the paper's order; `own` is a folder of one's own."""
