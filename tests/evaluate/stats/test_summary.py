"""Means, intervals and breakdowns."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from pixread.evaluate.predictions import Prediction
from pixread.evaluate.stats.summary import headline, summarise, table
from pixread.evaluate.tasks.registry import EVALUATION_TASKS


def made(index: int, f1: float, *, group: str = "", site: str = "s", **fields) -> Prediction:
    blank = Prediction(index, str(index), "src", group or str(index), site, "latin", False, ("t",))
    return replace(blank, scores={"f1": f1, "recall": f1 / 2}, seconds=2.0, score=-1.0, **fields)


def broken(index: int, error: str) -> Prediction:
    return replace(made(index, 0), scores={}, error=error)


def test_means_count_what_was_read():
    predictions = [made(0, 0.2, site="a"), made(1, 0.6, site="b"), made(2, 1.0, site="b"), broken(3, "torn")]
    metrics = summarise(predictions, task=EVALUATION_TASKS["pages"], about={"model": "m"})
    assert metrics["examples"] == 3
    assert metrics["skipped"] == 1
    assert metrics["reasons"] == {"torn": 1}
    assert metrics["scores"] == pytest.approx({"f1": 0.6, "recall": 0.3})
    assert metrics["by_site"]["a"] == {"examples": 1, "scores": pytest.approx({"f1": 0.2, "recall": 0.1})}
    assert metrics["by_site"]["b"] == {"examples": 2, "scores": pytest.approx({"f1": 0.8, "recall": 0.4})}
    assert metrics["by_script"].keys() == {"latin"}
    assert metrics["by_masked"].keys() == {"unmasked"}
    assert metrics["seconds_per_example"] == 2
    assert metrics["about"] == {"model": "m"}


def test_nothing_read_is_no_crash():
    metrics = summarise([broken(0, "torn")], task=EVALUATION_TASKS["pages"], about={})
    assert metrics["scores"] == {}
    assert metrics["interval"] is None
    assert "nothing could be read" in headline(metrics)


def test_table_shows_the_parts_where_there_are_several():
    predictions = [made(0, 0.25, site="alpha"), made(1, 0.75, site="beta")]
    shown = printed(summarise(predictions, task=EVALUATION_TASKS["pages"], about={"model": "tiny"}))
    assert "pages: word F1 0.500 (95 % interval 0.250 to 0.750)" in shown
    assert "alpha" in shown
    assert "0.750" in shown
    assert "latin" not in shown, "one script only is no breakdown"
    assert "tiny, 2.00 s an example" in shown


def printed(metrics) -> str:
    stream = io.StringIO()
    Console(file=stream, width=140).print(table(metrics))
    return " ".join(stream.getvalue().split())


def answered(index: int, score: float | None, **fields) -> Prediction:
    blank = Prediction(index, str(index), "src", str(index), "s", "latin", False, ("12",), answer_type="number")
    scores = {} if score is None else {"relaxed_accuracy": score, "exact_match": score / 2}
    return replace(replace(blank, scores=scores, seconds=1.0, score=-0.1), **fields)


def test_parts_are_shown_and_their_mean_is_the_score():
    predictions = [answered(0, 1.0, part="human"), *(answered(at, 0.0, part="augmented") for at in (1, 2, 3))]
    metrics = summarise(predictions, task=EVALUATION_TASKS["chartqa"], about={})
    assert metrics["scores"] == {"relaxed_accuracy": 0.5, "exact_match": 0.25}
    assert {part: found["scores"]["relaxed_accuracy"] for part, found in metrics["by_part"].items()} == {
        "augmented": 0.0,
        "human": 1.0,
    }
    assert headline(metrics).startswith("ChartQA: relaxed accuracy 50.0 (95 % interval ")


def test_breakdowns_are_ordered_as_people_look_for_them():
    lengths = ["a b c d e f g h i j k l", "one", "a b"]
    predictions = [answered(at, 1.0, targets=(text,), prompt="Which?") for at, text in enumerate(lengths)]
    predictions += [answered(3 + at, 0.0, prompt="how?", answer_type="percent") for at in range(3)]
    metrics = summarise(predictions, task=EVALUATION_TASKS["chartqa"], about={})
    assert list(metrics["by_answer_length"]) == ["1 word", "2 words", "more than 10 words"]
    assert metrics["by_answer_length"]["1 word"]["examples"] == 4
    assert list(metrics["by_first_word"]) == ["how", "which"]
    assert list(metrics["by_answer_type"]) == ["number", "percent"]
    assert metrics["by_part"] == {}, "this data set has none"


def test_rare_first_words_are_put_together():
    prompts = ["what", "what", *(f"word{number}" for number in range(20))]
    predictions = [answered(at, 1.0, prompt=prompt) for at, prompt in enumerate(prompts)]
    metrics = summarise(predictions, task=EVALUATION_TASKS["chartqa"], about={})
    found = metrics["by_first_word"]
    assert sum(one["examples"] for one in found.values()) == len(prompts)
    assert found["other"]["examples"] == len(prompts) - 2 - 11


def test_hidden_answers_are_counted_and_not_scored():
    predictions = [answered(0, 1.0), answered(1, None, hidden=True)]
    metrics = summarise(predictions, task=EVALUATION_TASKS["chartqa"], about={})
    assert (metrics["examples"], metrics["read"], metrics["hidden"]) == (1, 2, 1)
    nothing = summarise(predictions[1:], task=EVALUATION_TASKS["chartqa"], about={})
    assert nothing["scores"] == {}
    assert headline(nothing) == "ChartQA: answers are not public, nothing is scored"
    assert "1 without public answers" in printed(nothing)
