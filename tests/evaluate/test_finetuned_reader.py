"""The tuned tasks from prepared shards to scores, with a reader that has really learnt them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import pixread
from pixread.evaluate import evaluate, quick_score
from pixread.evaluate.tasks.registry import EVALUATION_TASKS
from pixread.models.pix2struct.batch import collate
from pixread.models.pix2struct.processor import Pix2StructProcessor
from pixread.reader.reader import Reader
from pixread.shards import ShardSet
from pixread.train.data import Shards
from tests.evaluate.conftest import CANDIDATES, CHARTS, DIAGRAMS

QUICK: dict[str, Any] = {"batch_size": 3}


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("task", "examples"), [("chartqa", CHARTS), ("refexp", CANDIDATES), ("ai2d", DIAGRAMS)])
def test_what_was_learnt_is_given_back(learned, task, examples):
    """Asked without the question, the box or the label, the reader could not tell these examples apart."""
    main, scores = quick_score(pixread.load(learned), examples, task=task)
    assert main == scores[EVALUATION_TASKS[task].main_metric] == 1
    assert scores["exact_match"] == 1


@pytest.mark.parametrize("task", ["chartqa/val-human", "refexp/test", "ai2d/val"])
def test_the_reader_sees_the_patches_that_training_sees(prepared, tiny_checkpoint, monkeypatch, task):
    seen = []

    def collated(processor, patches, *rest):
        seen.extend(patches)
        return collate(patches, *rest)

    monkeypatch.setattr(Pix2StructProcessor, "collate", collated)
    reader = Reader.load(tiny_checkpoint)
    shards = ShardSet(prepared / task)
    quick_score(reader, shards, task=task.partition("/")[0], batch_size=1)
    source = Shards(shards, seed=0)
    items = [source.item(place, random.Random(0)) for place in range(len(shards))]
    taught = [reader.processor.inputs(item.request) for item in items]
    assert len(seen) == len(shards)
    assert numbers(seen) == numbers(taught)


def numbers(patches) -> list[tuple[bytes, ...]]:
    """Bit for bit, in an order that depends on nothing else: training shuffles."""
    return sorted((one.pixels.numpy().tobytes(), bytes(one.rows.tolist()), bytes(one.cols.tolist())) for one in patches)


def test_parts_of_a_split_are_scored_together(prepared, learned, tmp_path):
    metrics = evaluate(prepared / "chartqa", split="val", model=learned, out=tmp_path / "out", **QUICK)
    assert metrics["task"] == "chartqa"
    # All of the human part, and one of two augmented questions: the other is the same question with another answer.
    # (1999 is within 5 % of 2001.)
    assert metrics["scores"] == {"relaxed_accuracy": 1.0, "exact_match": 0.75}
    assert metrics["by_part"]["augmented"]["scores"]["exact_match"] == 0.5
    found = lines(tmp_path / "out")
    assert [(line["part"], line["prediction"]) for line in found] == [
        ("augmented", "1999"),
        ("augmented", "1999"),
        ("human", "12"),
        ("human", "Yes"),
    ]
    assert all(0 < line["confidence"] <= 1 for line in found)
    assert found[2]["prompt"] == "How many?"
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "How many?" in html
    assert "expected calibration error" in html


def test_a_choice_is_one_example(prepared, learned, tmp_path):
    metrics = evaluate(prepared / "refexp", split="test", model=learned, out=tmp_path, **QUICK)
    assert (metrics["examples"], metrics["read"]) == (1, 3)
    assert metrics["scores"] == {"group_accuracy": 1.0, "exact_match": 1.0}
    assert ["group_accuracy" in line["scores"] for line in lines(tmp_path)] == [False, True, False]


def test_hidden_answers_are_predicted_and_not_scored(prepared, learned, tmp_path):
    metrics = evaluate(prepared / "ai2d", split="test", model=learned, out=tmp_path, **QUICK)
    assert (metrics["examples"], metrics["hidden"], metrics["scores"]) == (0, 1, {})
    [line] = lines(tmp_path)
    assert (line["prediction"], line["scores"], line["hidden"]) == ("root", {}, True)
    assert "answers are not public" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_two_readers_are_compared_and_the_second_has_its_own_folder(prepared, learned, make_checkpoint, tmp_path):
    untaught, out = make_checkpoint(), tmp_path / "out"
    metrics = evaluate(prepared / "chartqa", split="val", model=learned, against=untaught, out=out, **QUICK)
    found = metrics["against"]
    assert (found["model"], found["wins"], found["losses"]) == (str(untaught), 4, 0)
    assert found["difference"] == metrics["scores"]["relaxed_accuracy"] == 1
    theirs = json.loads((out / "against" / "metrics.json").read_text(encoding="utf-8"))
    assert theirs["scores"]["relaxed_accuracy"] == 0
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "Won by most: 4 of 4" in html
    assert f"Prediction of {untaught}" in html

    # The finished evaluation serves as well as the model, and --resume asks nobody anew.
    again = evaluate(
        prepared / "chartqa", split="val", model=learned, against=out / "against", out=out, resume=True, load=refuse
    )
    assert again["against"] == found


def refuse(model):
    raise AssertionError(f"{model} was loaded although all is done")


def test_the_majority_answer_is_a_rival(prepared, learned, tmp_path):
    metrics = evaluate(prepared / "chartqa", split="val", model=learned, against="majority", out=tmp_path, **QUICK)
    assert metrics["against"]["model"] == "always 'Yes'"
    assert metrics["against"]["their_score"] == 0.25  # one of two in one of two parts
    assert [line["prediction"] for line in lines(tmp_path / "against")] == ["Yes"] * 4


@pytest.mark.parametrize(
    ("folder", "split", "sentence"),
    [
        ("ai2d", "val", r"out is an evaluation of other examples \(task chartqa, .*\), not of .*ai2d/val for the task"),
        ("chartqa", "val", r"^the evaluation in .*out lacks 2 of the 4 requested examples$"),
    ],
)
def test_an_evaluation_of_other_examples_is_no_rival(prepared, learned, tmp_path, folder, split, sentence):
    evaluate(prepared / "chartqa", split="val", model=learned, out=tmp_path / "out", limit=2, **QUICK)
    with pytest.raises(ValueError, match=sentence):
        evaluate(prepared / folder, split=split, model=learned, against=tmp_path / "out", out=tmp_path / "new")
    assert not (tmp_path / "new").exists()
