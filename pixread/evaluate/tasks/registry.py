"""Every kind of example that can be evaluated, by its name."""

from __future__ import annotations

from pixread.evaluate.tasks.finetuning import FINETUNING_TASKS
from pixread.evaluate.tasks.rendered import RENDERED_PAGE_TASKS
from pixread.evaluate.tasks.task import EvaluationTask

EVALUATION_TASKS: dict[str, EvaluationTask] = {**RENDERED_PAGE_TASKS, **FINETUNING_TASKS}


def task_by_name(name: str) -> EvaluationTask:
    """Raises ValueError, in one sentence that lists the known ones, for an unknown name."""
    if name not in EVALUATION_TASKS:
        raise ValueError(f"unknown evaluation task {name!r}; known are {', '.join(EVALUATION_TASKS)}")
    return EVALUATION_TASKS[name]
