"""Causes of wrong words: cases that a person can check."""

import random
from collections import Counter

import pytest

from pixread.metrics import word_score
from pixread.metrics.word_errors import Line, WordError, word_errors
from pixread.records import Box


def lines(text: str) -> list[Line]:
    """Lines between bars, of unknown place."""
    return [Line(line) for line in text.split("|")]


@pytest.mark.parametrize(
    ("read", "truth", "cause", "true_words", "read_words"),
    [
        ("the End", "The End", "case only", "The", "the"),
        ("Straße", "STRASSE", "case only", "STRASSE", "Straße"),
        ("a cafe", "a café", "accents only", "café", "cafe"),
        ("a c\u0327a", "a ca", "accents only", "ca", "c\u0327a"),
        ("end", "end.", "punctuation only", "end.", "end"),
        ("don't", "don’t", "punctuation only", "don’t", "don't"),
        ("5", "$5", "punctuation only", "$5", "5"),
        ("read ofthe day", "read of the day", "blank missing", "of the", "ofthe"),
        ("Userguidefor all", "User guide for all", "blank missing", "User guide for", "Userguidefor"),
        ("Useiguidefor all", "User guide for all", "blank missing", "User guide for", "Useiguidefor"),
        ("in for mation", "information", "blank added", "information", "in for mation"),
        ("moclel", "model", "1 or 2 characters", "model", "moclel"),
        ("Mode1", "model", "1 or 2 characters", "model", "Mode1"),
        ("recoqnitlom", "recognition", "more characters", "recognition", "recoqnitlom"),
        ("it", "xy", "quite other", "xy", ""),
        ("", "gone", "on one side only", "gone", ""),
        ("made up", "up", "on one side only", "", "made"),
        ("•", "|", "sign alone", "|", ""),
        ("• one", "one", "sign alone", "", "•"),
    ],
)
def test_causes(read: str, truth: str, cause: str, true_words: str, read_words: str):
    found = word_errors([Line(read)], [Line(truth)])
    assert found[0] == WordError(cause, tuple(true_words.split()), tuple(read_words.split()))
    assert all(error.cause in {"quite other", "sign alone"} for error in found[1:])


def test_equal_words_are_no_errors_wherever_they_stand():
    assert word_errors(lines("b a|c"), lines("a b c")) == []
    assert word_errors([], []) == []


def test_words_are_joined_within_a_line_only():
    (error,) = word_errors(lines("ofthe"), lines("of the"))
    assert error.cause == "blank missing"
    assert word_errors(lines("ofthe"), lines("of|the")) == [
        WordError("1 or 2 characters", ("the",), ("ofthe",)),
        WordError("on one side only", ("of",), ()),
    ]


def test_a_word_joined_is_taken_from_those_that_are_missing():
    """The true text has `the` twice and the reading once: the one that is left over was joined."""
    assert word_errors(lines("the end ofthe day"), lines("the end of the day")) == [
        WordError("blank missing", ("of", "the"), ("ofthe",))
    ]


def test_repeated_errors_count_as_often_as_they_stand():
    found = word_errors(lines("the the The"), lines("The The The"))
    assert found == [WordError("case only", ("The",), ("the",))] * 2


def test_the_likest_pair_is_taken_first():
    found = word_errors(lines("modal nodal"), lines("medal modals"))
    assert set(found) == {
        WordError("1 or 2 characters", ("modals",), ("modal",)),
        WordError("1 or 2 characters", ("medal",), ("nodal",)),
    }


ABOVE, BELOW = Box(0, 0, 100, 20), Box(0, 40, 100, 20)


def test_words_belong_together_where_their_lines_meet():
    """`word` is missing above and `ward` was read below: two errors, not one."""
    found = word_errors([Line("ward", BELOW)], [Line("word", ABOVE)])
    assert found == [WordError("nothing there", ("word",), ()), WordError("nothing there", (), ("ward",))]
    assert word_errors([Line("ward", Box(20, 4, 60, 10))], [Line("word", ABOVE)]) == [
        WordError("1 or 2 characters", ("word",), ("ward",))
    ]


def test_what_has_a_line_beside_it_is_no_unfound_line():
    found = word_errors([Line("xxx", Box(30, 5, 60, 10))], [Line("abc", ABOVE), Line("def", BELOW)])
    assert found == [
        WordError("quite other", ("abc",), ()),
        WordError("nothing there", ("def",), ()),
        WordError("quite other", (), ("xxx",)),
    ]


def test_the_end_of_a_line_left_out_is_on_one_side_only():
    """Words that are left elsewhere, on a line that does not meet this one, explain nothing."""
    truth = [Line("the end is here", ABOVE), Line("fish", BELOW)]
    found = word_errors([Line("the end", Box(0, 4, 60, 10)), Line("yyy", BELOW)], truth)
    assert Counter(found) == Counter(
        [
            WordError("on one side only", ("is",), ()),
            WordError("on one side only", ("here",), ()),
            WordError("quite other", ("fish",), ()),
            WordError("quite other", (), ("yyy",)),
        ]
    )


def test_half_of_a_line_found_is_enough():
    truth = [Line("abc", ABOVE)]
    assert word_errors([Line("xxx", Box(0, 5, 51, 10))], truth)[0].cause == "quite other"
    assert word_errors([Line("xxx", Box(0, 5, 49, 10))], truth)[0].cause == "nothing there"
    pieces = [Line("xxx", Box(0, 5, 30, 10)), Line("yyy", Box(60, 5, 30, 10))]
    assert word_errors(pieces, truth)[0].cause == "quite other"


def test_of_equal_words_those_not_found_are_the_missed_ones():
    found = word_errors([Line("next", ABOVE)], [Line("next", ABOVE), Line("next", BELOW)])
    assert found == [WordError("nothing there", ("next",), ())]


def test_without_boxes_nothing_is_said_about_places():
    assert word_errors([Line("xxx")], [Line("abc", ABOVE)])[0].cause == "quite other"


def test_every_wrong_word_stands_in_one_error():
    """Random texts: the errors hold as many words of each side as the word score counts as wrong."""
    rng = random.Random(5)
    pool = ["a", "b", "ab", "A", "é", "e", "word", "words", "wordab", "w.", "W", "ord", "."]
    for _ in range(200):
        texts = [" ".join(rng.choices(pool, k=rng.randint(1, 12))) for _ in range(2)]
        found = word_errors(*(lines(text) for text in texts))
        score = word_score(*texts)
        num_read, num_true = len(texts[0].split()), len(texts[1].split())
        assert sum(len(error.read) for error in found) == num_read - round(score.precision * num_read)
        assert sum(len(error.truth) for error in found) == num_true - round(score.recall * num_true)
        left = Counter(texts[1].split())
        left.subtract(word for error in found for word in error.truth)
        left.update(word for error in found for word in error.read)
        assert +left == Counter(texts[0].split())
