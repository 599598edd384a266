"""Two readers on the same examples."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from pixread.evaluate.predictions import Prediction, blank_prediction
from pixread.evaluate.stats.comparison import Baseline, compare, comparison_headline, comparison_table, most_changed
from pixread.evaluate.stats.summary import summarise
from pixread.evaluate.tasks.registry import EVALUATION_TASKS
from tests.evaluate.scripted_reader import make_example

TASK = EVALUATION_TASKS["chartqa"]


def made(index: int, score: float | None, **fields) -> Prediction:
    blank = blank_prediction(index, make_example(index, "12"), targets=("12",))
    return replace(blank, **({"scores": {} if score is None else {TASK.main_metric: score}} | fields))


def test_wins_losses_and_ties_of_what_both_were_scored_on():
    ours = [made(0, 1.0), made(1, 0.0), made(2, 1.0), made(3, 1.0), made(4, None, error="torn")]
    theirs = [made(0, 0.0), made(1, 1.0), made(2, 1.0), made(3, 0.0), made(4, 1.0), made(5, 1.0)]
    found = compare(ours, Baseline("rival", theirs), task=TASK)
    numbers = found.numbers
    assert (numbers["examples"], numbers["wins"], numbers["losses"], numbers["ties"]) == (4, 2, 1, 1)
    assert (numbers["score"], numbers["their_score"], numbers["difference"]) == (0.75, 0.5, 0.25)
    assert numbers["interval"][0] <= 0.25 <= numbers["interval"][1]
    # Of the 8 signs of +1, -1, +1 all give at least 1.
    assert numbers["p"] == 1.0


def test_parts_count_the_same():
    ours = [made(0, 1.0, part="human"), *(made(at, 0.0, part="augmented") for at in range(1, 5))]
    theirs = [replace(one, scores={TASK.main_metric: 0.0}) for one in ours]
    assert compare(ours, Baseline("rival", theirs), task=TASK).numbers["difference"] == 0.5


def test_scores_that_differ_by_rounding_are_equal():
    ours, theirs = [made(0, 0.1 + 0.2)], [made(0, 0.3)]
    assert compare(ours, Baseline("rival", theirs), task=TASK).numbers["ties"] == 1


def test_choices_are_compared_whichever_candidate_was_chosen():
    evaluation_task = EVALUATION_TASKS["refexp"]

    def candidate(index: int, said: str) -> Prediction:
        truth = "true" if index == 0 else "false"
        blank = blank_prediction(index, make_example(index, truth, group_id="g"), targets=(truth,), is_candidate=True)
        return replace(blank, prediction=said, log_prob=-1.0)

    ours = evaluation_task.with_corpus_scores([candidate(0, "true"), candidate(1, "false")])
    found = compare(ours, Baseline("rival", [candidate(0, "false"), candidate(1, "true")]), task=evaluation_task)
    assert found.numbers["wins"] == 1
    assert (found.pairs[0].model.index, found.pairs[0].baseline.index) == (0, 1)


def test_captions_of_the_rival_are_scored_in_the_company_of_ours():
    """A rival's evaluation of more examples has other CIDEr scores; of two equal readers neither may win by that."""
    evaluation_task = EVALUATION_TASKS["textcaps"]
    texts = ["a red cat on a mat", "two dogs in the snow", "a cat in the snow", "a clock that shows noon"]
    said = ["a red cat", "two dogs on a mat", "a cat", "a clock that shows six"]
    blank = [blank_prediction(at, make_example(at, text), targets=(text,)) for at, text in enumerate(texts)]
    predictions = [replace(one, prediction=text) for one, text in zip(blank, said, strict=True)]
    alone, together = (
        evaluation_task.with_corpus_scores(predictions[:3]),
        evaluation_task.with_corpus_scores(predictions),
    )
    assert alone[0].scores != together[0].scores
    assert compare(alone, Baseline("rival", together), task=evaluation_task).numbers["ties"] == 3


def test_the_most_changed_come_first_and_only_the_changed():
    ours = [made(0, 0.5), made(1, 1.0), made(2, 0.0), made(3, 0.2), made(4, 0.2)]
    theirs = [made(0, 0.2), made(1, 0.0), made(2, 1.0), made(3, 0.5), made(4, 0.2)]
    won, lost = most_changed(compare(ours, Baseline("rival", theirs), task=TASK).pairs, 3)
    assert [pair.model.index for pair in won] == [1, 0]
    assert [pair.model.index for pair in lost] == [2, 3]


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ([made(at, 0.0) for at in range(12)], "relaxed accuracy 100.0, rival 0.0: +100.0 (95 % interval +100.0 to"),
        ([], "rival was scored on none of these examples"),
    ],
)
def test_the_verdict_is_one_sentence(theirs, said):
    ours = [made(at, 1.0) for at in range(12)]
    metrics = summarise(ours, task=TASK, about={"model": "mine"})
    metrics["against"] = compare(ours, Baseline("rival", theirs), task=TASK).numbers
    assert comparison_headline(metrics).startswith(said)
    stream = io.StringIO()
    Console(file=stream, width=120).print(comparison_table(metrics))
    assert "rival" in stream.getvalue()
