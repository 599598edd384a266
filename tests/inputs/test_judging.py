"""The judge of the segmentation tells each way to lose a word; and what it says of a real page."""

from collections import Counter
from pathlib import Path

import pytest

import pixread
from pixread.records import Box, Word
from tests.inputs.judging import Judgement, judge, judged_page, rendered

WORDS = [
    Word("one", Box(10, 10, 40, 20), 0),
    Word("two", Box(60, 10, 40, 20), 0),
    Word("below", Box(10, 40, 40, 20), 1),
    Word("–", Box(200, 40, 20, 20), 2),
]
FIRST, SECOND = Box(10, 14, 90, 12), Box(10, 44, 40, 12)


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([FIRST, SECOND], {"whole": 3}),
        ([Box(10, 14, 40, 12), Box(60, 14, 40, 12), SECOND], {"whole": 3}),
        ([FIRST], {"whole": 2, "missed": 1}),
        ([Box(10, 14, 70, 12), SECOND], {"whole": 2, "cut aside": 1}),
        ([Box(10, 21, 90, 6), SECOND], {"cut above or below": 2, "whole": 1}),
        ([Box(10, 10, 90, 50)], {"stacked": 3}),
        ([FIRST, SECOND, Box(10, 40, 40, 20)], {"whole": 2, "shared": 1}),
        ([FIRST, Box(10, 34, 40, 40)], {"whole": 2, "loose": 1}),
    ],
)
def test_every_way_to_lose_a_word_is_told(regions: list[Box], words: dict[str, int]):
    assert judge(WORDS, regions).words == Counter(words)


def test_order_and_regions_without_a_word_are_counted():
    dash, nothing = Box(200, 46, 20, 8), Box(300, 300, 20, 20)
    assert judge(WORDS, [FIRST, SECOND, dash, nothing]) == Judgement(Counter(whole=3), 4, 1, 1, 1)
    assert judge(WORDS, [SECOND, FIRST]).in_order == 0
    assert judge(WORDS, [FIRST, nothing, SECOND]).in_order == 0


def test_the_words_of_a_real_page_are_whole_and_in_order():
    demo = Path(pixread.__file__).parent / "assets" / "demo"
    [shot] = rendered(sorted(demo.glob("*.html"))[:1], demo)
    found = judged_page(shot)
    assert found.words.total() > 50
    assert found.whole > 0.97
    assert found.empty <= 0.1 * found.regions
    assert found.in_order > 0.7 * found.followed
