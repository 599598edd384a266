"""Which sets a fine-tuning run learns from and is scored on, and what is said where they lack."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from pixread.records import Example
from pixread.shards import ShardSet
from pixread.tasks import TASKS
from pixread.train.data import Shards, task_source
from pixread.train.prepared import find_prepared, with_task_settings
from pixread.train.recipes import make_recipe
from tests.train.sets import example, write_parts, write_set, write_task

TUNING = make_recipe("finetune-laptop", {"max_tokens": "63"})


def test_sets_are_told_apart_by_what_their_manifests_say(tmp_path: Path) -> None:
    data = write_parts(tmp_path)
    found = find_prepared(data, TUNING)
    assert found.task == "chartqa"
    assert found.train == (tmp_path / "train-human", tmp_path / "train-augmented")
    assert found.val == {"human": (tmp_path / "val-human",), "augmented": (tmp_path / "val-augmented",)}
    assert found.has_questions


def test_a_task_without_questions_is_seen(tmp_path: Path) -> None:
    assert not find_prepared(write_task(tmp_path, question=""), TUNING).has_questions


def test_the_task_decides_what_the_recipe_leaves_open(tmp_path: Path) -> None:
    prepared = find_prepared(write_task(tmp_path), TUNING)
    assert with_task_settings(TUNING, prepared) == replace(TUNING, task="docvqa")
    open_ended = replace(TUNING, max_tokens=0)
    assert with_task_settings(open_ended, prepared).max_tokens == TASKS["docvqa"].max_new_tokens


def test_parts_take_turns_whatever_their_size(tmp_path: Path) -> None:
    """Two parts of 4 and 8 examples: in 16 pictures the small one is passed twice, the large one once."""
    parts = find_prepared(write_parts(tmp_path), TUNING).train
    source = task_source(TUNING, parts)
    targets = [int(source.item(position, random.Random(0)).target) for position in range(16)]
    human, augmented = targets[0::2], targets[1::2]
    assert sorted(human[:4]) == sorted(human[4:]) == [0, 1, 2, 3]
    assert sorted(augmented) == list(range(100, 108))
    assert human[:4] != human[4:], "each pass has an order of its own"


def test_one_target_is_drawn_each_pass(tmp_path: Path) -> None:
    several = replace(example(0), targets=("one", "two", "three"))
    folder = write_set(tmp_path / "train", [several], task="docvqa", split="train", part="")
    source = Shards(ShardSet(folder), seed=0)
    drawn = {source.item(position, random.Random(position)).target for position in range(30)}
    assert drawn == {"one", "two", "three"}


def write_other(out: Path, examples: list[Example], **about: str) -> list[Path]:
    return [write_set(out / "train", examples, **about)]


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    data = write_parts(tmp_path / "chartqa")
    train, val = data[:2], data[2:]
    docvqa = write_task(tmp_path / "docvqa")
    crops = write_other(tmp_path / "crops", [example(0)], target="crops")
    for given, recipe, sentence in (
        ([], TUNING, "fine-tuning needs the shards of a task; prepare it and name its folder with --data"),
        (val, TUNING, "there is nothing to learn from: none of .*val-human, .*val-augmented is a train set"),
        (
            train,
            TUNING,
            "nothing to choose the best checkpoint by: none of .* is a val set; prepare one, or do without ",
        ),
        (crops, TUNING, r"crops.train was not written by pixread prepare, so it cannot be fine-tuned on"),
        ([*data, *docvqa], TUNING, "one run learns one task, --data holds chartqa, docvqa"),
        (data, replace(TUNING, task="docvqa"), "this recipe is for the task docvqa, but .*train-human holds chartqa"),
        (data, replace(TUNING, best_part="robot"), "best_part is robot, but the val sets have human, augmented"),
    ):
        with pytest.raises(ValueError, match=sentence):
            find_prepared(given, recipe)
    assert find_prepared(train, replace(TUNING, evaluate_examples=0)).val == {}


def test_a_task_that_is_not_known_is_said(tmp_path: Path) -> None:
    prepared = find_prepared(write_task(tmp_path, task="nope"), TUNING)
    with pytest.raises(ValueError, match=r"no task 'nope'; the tasks are .*docvqa"):
        with_task_settings(TUNING, prepared)
