"""pixread.reading.second_look: unsure lines are read again, and the surest reading counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from PIL import Image

import pixread
from pixread.bench.pages import DEMO
from pixread.reading.answers import Answer
from pixread.reading.second_look import MARGINS, SURE, Look, with_second_looks
from pixread.records import Node


def answer(text: str, confidence: float) -> Answer:
    return Answer(text, (math.log(confidence), math.log(confidence)))


def line(number: int) -> Image.Image:
    return Image.new("RGB", (10 + number, 10))


def test_the_surest_of_all_looks_counts() -> None:
    asked: list[Look] = []

    def read(looks: Sequence[Look]) -> list[Answer]:
        asked.extend(looks)
        return [
            answer(f"{look.line.width} {look.margin}", 0.3 * look.margin if look.margin < 4 else 0.1) for look in looks
        ]

    first = [answer("sure", SURE + 0.01), answer("unsure", 0.2), answer("surer than all looks", 0.95)]
    found = with_second_looks([line(number) for number in range(3)], first, read)
    assert [one.text for one in found] == ["sure", "11 3", "surer than all looks"]
    assert [(look.line.width, look.margin) for look in asked] == [
        (width, margin) for width in (11, 12) for margin in MARGINS
    ]


def test_lines_that_are_sure_are_looked_at_once() -> None:
    def read(looks: Sequence[Look]) -> list[Answer]:
        assert not looks
        return []

    answers = [answer("a", 1.0), answer("b", SURE)]
    assert with_second_looks([line(0), line(1)], answers, read) == answers


def sure_of_lines(tree: Node) -> dict[tuple[int, ...], float]:
    """The confidence of texts by the lines that they take."""
    texts = [leaf for leaf in tree.walk() if leaf.is_text]
    return {tuple(sorted({word.line for word in leaf.words})): leaf.confidence or 0.0 for leaf in texts}


def test_pages_are_read_surer_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = pixread.load()
    looked = reader.parse(DEMO, min_confidence=0.0)
    monkeypatch.setattr("pixread.reading.second_look.SURE", 0.0)
    glanced = reader.parse(DEMO, min_confidence=0.0)
    assert set(looked.boxes) == set(glanced.boxes)
    before, after = (sure_of_lines(reading.tree) for reading in (glanced, looked))
    both = before.keys() & after.keys()  # texts of several lines may end elsewhere where other words are read
    assert len(both) > len(looked.boxes) / 2
    # Every part of a line gets surer, but one that is then read as fewer tokens counts for less among the others.
    assert all(after[line] >= before[line] - 0.01 for line in both)
    assert sum(after[line] > before[line] + 1e-3 for line in both) >= 5
    assert sum(after[line] for line in both) > sum(before[line] for line in both)
