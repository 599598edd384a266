"""What is asked of the reader, and how its answers are scored."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from pixread.evaluate.tasks.rendered import RENDERED_PAGE_TASKS, collapse_whitespace, strip_markup, text_lines
from pixread.images.draw import draw_boxes
from pixread.records import Node
from tests.evaluate.scripted_reader import REGION, ScriptedReader, make_example


def opened(example):
    return Image.open(io.BytesIO(example.image)).convert("RGB")


def answer_to(task, example, answer):
    """The scores of an answer, through all steps of a task."""
    reader = ScriptedReader({1: answer})
    [reading] = task.infer(reader, [task.prepare(example, opened(example))])
    return task.score_answer(
        task.extract_answer(reading, example), [task.normalise_target(target) for target in example.targets]
    )


@pytest.mark.parametrize(
    ("task", "answer", "target", "expected"),
    [
        # Lines are words to the F1; how they are cut into nodes is not asked.
        ("pages", "<<Hello world><again>>", "Hello\nworld again", {"f1": 1, "edit_similarity": 1}),
        # Two of three words, and one of the answer's three is not there.
        ("pages", "<<a><b x>>", "a b c", {"f1": 2 / 3, "precision": 2 / 3, "recall": 2 / 3}),
        # Images are no text.
        ("pages", "<<img_src=logo img_alt=Home><a>>", "a", {"f1": 1, "precision": 1}),
        # The order shows in the edit similarity only: "b a" and "a b" differ in 2 of 3 characters.
        ("pages", "<<b><a>>", "a\nb", {"f1": 1, "edit_similarity": 1 / 3}),
        # A page without text, and nothing read of it.
        ("pages", "<>", "", {"f1": 1, "precision": 1, "recall": 1, "edit_similarity": 1}),
        # An answer that was not closed is the same tree.
        ("parse", "<<a><b", "<<a><b>>", {"edit_similarity": 1, "tree_similarity": 1, "exact_match": 1, "f1": 1}),
        # A strip_markup ampersand is the same text.
        ("parse", "<<a & b>>", "<<a &amp; b>>", {"exact_match": 1}),
        # Right words, one level short: "<<a><b>>" of "<<<a>><b>>" is 8 of 10 characters and 3 of 4 nodes.
        (
            "parse",
            "<<a><b>>",
            "<<<a>><b>>",
            {"edit_similarity": 0.8, "tree_similarity": 3 / 4, "exact_match": 0, "f1": 1},
        ),
        # An image counts in the tree and not among the words.
        ("parse", "<<a>>", "<<a><img_src=x>>", {"tree_similarity": 2 / 3, "f1": 1, "exact_match": 0}),
        ("crops", "hallo  world ", "hello world", {"character_error_rate": 1 / 11, "exact_match": 0, "f1": 1 / 2}),
        ("crops", " hello  world ", "hello world", {"character_error_rate": 0, "exact_match": 1}),
        # The reader writes simplified HTML, the shard does not; and the other way round.
        ("crops", "<hello &amp; world>", "hello & world", {"exact_match": 1}),
        ("crops", "hello & world", "<hello &amp; world>", {"exact_match": 1}),
        # Brackets in a line of text are characters like others.
        ("crops", "if a < b > c", "if a < b > c", {"exact_match": 1, "edit_similarity": 1}),
    ],
)
def test_hand_checked_scores(task, answer, target, expected):
    example = make_example(1, target, masks=0 if task == "parse" else None)
    best, scores = answer_to(RENDERED_PAGE_TASKS[task], example, answer)
    assert best == 0
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert RENDERED_PAGE_TASKS[task].main_metric in scores


@pytest.mark.parametrize("task", RENDERED_PAGE_TASKS)
def test_best_of_several_targets_counts(task):
    example = make_example(1, "far away", "near by", "near by", masks=0)
    best, scores = answer_to(RENDERED_PAGE_TASKS[task], example, "near bye")
    assert best == 1
    assert scores["edit_similarity"] > 0.8


def test_parse_draws_masks_and_hands_the_region_over():
    example = make_example(1, "<a>", masks=2)
    question = RENDERED_PAGE_TASKS["parse"].prepare(example, opened(example))
    masks = [drawn for drawn in example.boxes if drawn.kind == "mask"]
    assert question.region == REGION
    assert question.image.tobytes() == draw_boxes(opened(example), masks).tobytes()
    assert question.image.tobytes() != opened(example).tobytes()

    reader = ScriptedReader({1: "<a>"})
    RENDERED_PAGE_TASKS["parse"].infer(reader, [question])
    assert reader.regions == [REGION]


def test_parse_needs_a_region():
    with pytest.raises(ValueError, match="the parse task needs one region box in each example, example-1 has 0"):
        RENDERED_PAGE_TASKS["parse"].prepare(make_example(1, "<a>"), Image.new("RGB", (9, 9)))


def test_text_lines_are_the_text_leaves_in_order():
    tree = Node(
        children=(Node(text=" a\n b "), Node(image="i", alt="no"), Node(children=(Node(text="c"),)), Node(text=""))
    )
    assert text_lines(tree) == "a b\nc"


def test_squeeze_takes_every_kind_of_space():
    assert collapse_whitespace("\t a\u00a0\u2003b\r\n") == "a b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  plain  line ", "plain line"),
        ("<a &lt; b>", "a < b"),
        ("<cut off", "cut off"),  # the output ended before its bracket
        ("<<two><leaves>>", "two leaves"),
        ("<img_src=logo img_alt=Home>", "<img_src=logo img_alt=Home>"),
        ("<LANG> set", "<LANG> set"),  # begins like markup and is none
        ("a <b>", "a <b>"),
        ("<", "<"),
        ("", ""),
    ],
)
def test_bare_takes_off_markup_and_nothing_else(text, expected):
    assert strip_markup(text) == expected
