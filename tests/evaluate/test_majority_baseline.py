"""The baseline that looks at nothing."""

from __future__ import annotations

import pytest

from pixread.evaluate.majority_baseline import majority_answer
from pixread.shards import write_shards
from tests.evaluate.scripted_reader import make_example


def prepared(folder, **sets):
    for name, targets in sets.items():
        examples = [make_example(at, *texts) for at, texts in enumerate(targets)]
        write_shards(examples, folder / name.replace("_", "-"), seed=0, about={"task": "own"})
    return [folder / "val"]


def test_an_answer_counts_once_an_example_and_over_all_parts(tmp_path):
    sets = prepared(
        tmp_path, train_a=[["x", "x", "x", "no"]], train_b=[["no", "yes"], ["yes"], ["no"]], val=[["x"], ["x"], ["x"]]
    )
    assert majority_answer(sets) == "no"


def test_without_train_sets_it_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"has no train set, which the majority answer comes from$"):
        majority_answer(prepared(tmp_path, val=[["x"]]))
    with pytest.raises(ValueError, match=r"comes from the train sets beside a folder of shards, and none was given$"):
        majority_answer([])
