"""How the tuned tasks are asked and scored."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

import pixread
from pixread.evaluate import evaluate
from pixread.evaluate.predictions import Prediction, blank_prediction, read_lines
from pixread.evaluate.tasks.finetuning import FINETUNING_TASKS
from pixread.evaluate.tasks.task import ReaderInput
from pixread.images.draw import draw_boxes
from pixread.records import Box, DrawnBox
from pixread.tasks import TASKS
from tests.evaluate.scripted_reader import ScriptedReader, make_example


@pytest.mark.parametrize(
    ("task", "answer", "targets", "best", "expected"),
    [
        # Each score takes the best of all targets for itself.
        ("docvqa", "Dr. Schaefer", ("dr. schaefer", "Dr. Schaefer"), 1, {"anls": 1, "exact_match": 1}),
        ("docvqa", "Schaefer", ("nobody", "Schafer"), 1, {"anls": 7 / 8, "exact_match": 0}),
        ("infographicvqa", "x", ("abc",), 0, {"anls": 0, "anls_docvqa": 0}),
        ("docvqa", "abcd", ("abxy",), 0, {"anls": 0, "anls_docvqa": 0.5, "exact_match": 0}),
        ("own", " abcd ", ("abcd",), 0, {"anls": 4 / 6, "anls_docvqa": 1, "exact_match": 0}),
        ("chartqa", "2.4", ("2.315",), 0, {"relaxed_accuracy": 1, "exact_match": 0}),
        ("chartqa", "yes", ("No",), 0, {"relaxed_accuracy": 0, "exact_match": 0}),
        ("ocrvqa", "Travel", ("travel",), 0, {"exact_match": 0, "anls": 1}),
        ("ai2d", "leaf", ("leaf",), 0, {"exact_match": 1}),
        ("own", "1204", ("1,204.00", "1204.0"), 1, {"anls": 4 / 6, "exact_match": 0, "relaxed_accuracy": 1}),
        # No target scores: the most similar one is shown.
        ("chartqa", "Francs", ("Japan", "France"), 1, {"relaxed_accuracy": 0}),
    ],
)
def test_hand_checked(task, answer, targets, best, expected):
    evaluation_task = FINETUNING_TASKS[task]
    found, scores = evaluation_task.score_answer(answer, targets)
    assert found == best
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert evaluation_task.main_metric in scores


def test_every_task_of_the_table_can_be_evaluated():
    assert list(FINETUNING_TASKS) == list(TASKS)
    assert {name: evaluation_task.main_metric for name, evaluation_task in FINETUNING_TASKS.items()} == {
        name: task.metric for name, task in TASKS.items()
    }


def test_questions_boxes_and_lengths_are_those_of_the_task():
    boxes = (DrawnBox(Box(4, 4, 50, 30), "region"), DrawnBox(Box(60, 40, 40, 20), "label", "A"))
    example = replace(make_example(1, "x", prompt="Which one?"), boxes=boxes)
    image = Image.open(io.BytesIO(example.image)).convert("RGB")
    evaluation_task = FINETUNING_TASKS["ai2d"]
    question = evaluation_task.prepare(example, image)
    assert question.image.tobytes() == draw_boxes(image, boxes).tobytes() != image.tobytes()
    reader = ScriptedReader({1: "x"})
    evaluation_task.infer(reader, [question])
    assert reader.asked == [("Which one?", TASKS["ai2d"].max_new_tokens)]


def test_a_checkpoint_trained_on_longer_answers_may_write_them(make_checkpoint):
    """Labels of 400 tokens could be learnt whole, and every answer was cut at the 128 of own data."""
    image, task = Image.new("RGB", (64, 32), "white"), "refexp"
    said = {}
    for length in (4, 40):
        reader = pixread.load(make_checkpoint(max_new_tokens=length), device="cpu")
        (reading,) = FINETUNING_TASKS[task].infer(reader, [ReaderInput(image, "Which?")])
        said[length] = reading.text
    limits = {4: TASKS[task].max_new_tokens, 40: 40}
    for length, limit in limits.items():
        assert said[length] == reader.read(image, "Which?", max_new_tokens=limit).text
    assert not reading.ended
    assert said[40].startswith(said[4]) and len(said[40]) > len(said[4])


def test_answers_without_an_end_are_counted(make_checkpoint, tmp_path):
    """They looked like whole ones that are wrong."""
    reader = pixread.load(make_checkpoint(max_new_tokens=4), device="cpu")
    assert not reader.read(Image.new("RGB", (64, 32), "white")).ended
    metrics = evaluate([make_example(1, "x")], model=reader, out=tmp_path, task="refexp")
    (prediction,) = read_lines(tmp_path / "predictions.jsonl")
    assert (metrics["cut"], prediction.cut) == (1, True)
    assert "answers cut" in (tmp_path / "report.html").read_text()
    whole = evaluate([make_example(1, "x")], model=ScriptedReader({1: "x"}), out=tmp_path / "whole", task="own")
    assert whole["cut"] == 0


def candidate(index: int, group: str, said: str, log_prob: float, truth: str, **fields) -> Prediction:
    blank = blank_prediction(index, make_example(index, truth, group_id=group), targets=(truth,), is_candidate=True)
    return replace(blank, prediction=said, log_prob=log_prob, scores={"exact_match": float(said == truth)}, **fields)


def test_one_candidate_of_each_group_gets_the_score_of_the_choice():
    predictions = [
        candidate(0, "right", "false", -0.1, "false"),
        candidate(1, "right", "true", -0.5, "true"),  # surest of the two that are said to be it
        candidate(2, "right", "true", -0.7, "false"),
        candidate(3, "wrong", "false", -0.2, "true"),
        candidate(4, "wrong", "false", -0.9, "false"),  # nothing is said to be it: the least sure denial
    ]
    evaluation_task = FINETUNING_TASKS["refexp"]
    found = evaluation_task.with_corpus_scores(predictions)
    assert {one.index: one.scores["group_accuracy"] for one in evaluation_task.scored(found)} == {1: 1.0, 4: 0.0}
    assert all("exact_match" in one.scores for one in found)


@pytest.mark.parametrize(
    "group",
    [
        [candidate(0, "g", "true", -1, "true"), candidate(1, "g", "", 0, "false", error="torn")],
        [candidate(0, "g", "true", -1, "false"), candidate(1, "g", "true", -2, "false")],
    ],
)
def test_a_group_that_is_not_whole_is_not_scored(group):
    evaluation_task = FINETUNING_TASKS["refexp"]
    assert evaluation_task.scored(evaluation_task.with_corpus_scores(group)) == []


def test_captions_are_scored_in_each_others_company():
    captions = ["a red cat on a mat", "two dogs in the snow", "a clock that shows noon"]
    blank = [blank_prediction(at, make_example(at, text), targets=(text,)) for at, text in enumerate(captions)]
    predictions = [replace(one, prediction=text) for one, text in zip(blank, captions, strict=True)]
    predictions[1] = replace(predictions[1], prediction="a red cat")
    predictions.append(replace(blank[0], index=3, error="torn"))
    predictions.append(replace(blank[0], index=4, hidden=True, prediction="a red cat on a mat"))
    evaluation_task = FINETUNING_TASKS["textcaps"]
    found = evaluation_task.with_corpus_scores(predictions)
    assert [one.index for one in evaluation_task.scored(found)] == [0, 1, 2]
    assert found[0].scores["cider"] == pytest.approx(10)
    assert found[1].scores["cider"] == pytest.approx(0)
    assert evaluation_task.max_score == 10
