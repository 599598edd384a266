"""Scores without files."""

from __future__ import annotations

import pytest

from pixread.evaluate import quick_score
from pixread.shards import write_shards
from tests.evaluate.scripted_reader import ScriptedReader, make_example


def test_folders_are_scored_one_after_the_other_and_limited(tmp_path):
    for name, numbers in (("a", (0, 1)), ("b", (2, 3))):
        write_shards([make_example(at, f"t{at}") for at in numbers], tmp_path / name, seed=0)
    reader = ScriptedReader({0: "t0", 1: "wrong", 2: "t2", 3: "t3"})
    sets = [tmp_path / "a", tmp_path / "b"]
    assert quick_score(reader, sets, task="ocrvqa") == (0.75, {"exact_match": 0.75, "anls": 0.75})
    assert quick_score(reader, sets, task="ocrvqa", limit=2)[0] == 1


def test_nothing_to_score_is_one_sentence():
    with pytest.raises(ValueError, match=r"^none of the 1 examples for the task docvqa could be scored$"):
        quick_score(ScriptedReader({}), [make_example(0, "x", image=b"torn")], task="docvqa")
