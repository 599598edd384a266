"""The sets of a prepared task: those to learn from, those to be scored on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pixread.shards import ShardSet
from pixread.train.recipes import ANY_TASK, Recipe


@dataclass(frozen=True, slots=True)
class PreparedSets:
    """What `pixread prepare` wrote for one task. val: by the part of the data set ("" where it has none)."""

    task: str
    train: tuple[Path, ...]
    val: dict[str, tuple[Path, ...]]
    has_questions: bool


def find_prepared(data: Sequence[Path], recipe: Recipe) -> PreparedSets:
    """The train and val sets among the shard sets of --data, by what their manifests say.

    Raises ValueError, in one sentence, where none are named, where they are not the recipe's, and where there is
    nothing to learn from or to be scored on.
    """
    if not data:
        raise ValueError("fine-tuning needs the shards of a task; prepare it and name its folder with --data")
    about = {path: ShardSet(path).manifests[0]["about"] for path in data}
    task = _task_of({path: str(manifest.get("task", "")) for path, manifest in about.items()}, recipe)
    train = tuple(path for path in data if about[path].get("split") == "train")
    if not train:
        raise ValueError(f"there is nothing to learn from: none of {_names(data)} is a train set")
    val: dict[str, tuple[Path, ...]] = {}
    for path in data:
        if about[path].get("split") == "val":
            part = str(about[path].get("part", ""))
            val[part] = (*val.get(part, ()), path)
    if recipe.evaluate_examples != 0:
        _check_scored(val, recipe, names=_names(data))
    return PreparedSets(task, train, val, has_questions=any(ShardSet(list(train)).prompts()))


def with_task_settings(recipe: Recipe, prepared: PreparedSets) -> Recipe:
    """The recipe with the task of its shards, and the length of that task's answers."""
    from pixread.tasks import TASKS

    if prepared.task not in TASKS:
        raise ValueError(f"no task {prepared.task!r}; the tasks are {', '.join(TASKS)}")
    longest = recipe.max_tokens or TASKS[prepared.task].max_new_tokens
    return replace(recipe, task=prepared.task, max_tokens=longest)


def _task_of(tasks: dict[Path, str], recipe: Recipe) -> str:
    for path, task in tasks.items():
        if not task:
            raise ValueError(f"{path} was not written by pixread prepare, so it cannot be fine-tuned on")
        if recipe.task not in (ANY_TASK, task):
            raise ValueError(f"this recipe is for the task {recipe.task}, but {path} holds {task}")
    names = sorted(set(tasks.values()))
    if len(names) > 1:
        raise ValueError(f"one run learns one task, --data holds {', '.join(names)}")
    return names[0]


def _check_scored(val: dict[str, tuple[Path, ...]], recipe: Recipe, *, names: str) -> None:
    if not val:
        raise ValueError(
            f"there is nothing to choose the best checkpoint by: none of {names} is a val set; "
            "prepare one, or do without with --set evaluate_examples=0"
        )
    if recipe.best_part and recipe.best_part not in val:
        parts = ", ".join(filter(None, val)) or "no parts"
        raise ValueError(f"best_part is {recipe.best_part}, but the val sets have {parts}")


def _names(data: Sequence[Path]) -> str:
    return ", ".join(str(path) for path in data)
