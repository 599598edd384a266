"""The HTML report."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from pixread.evaluate import evaluate
from pixread.evaluate.predictions import blank_prediction
from pixread.evaluate.report.cases import CONTEXT, MAX_HEIGHT, MAX_WIDTH
from pixread.evaluate.report.html_report import worst_median_best
from pixread.records import Box, DrawnBox
from tests.evaluate.scripted_reader import ScriptedReader, make_example, picture

VOID = {"meta", "img", "link", "br"}


class Balanced(HTMLParser):
    """Fails on the first tag that is closed out of turn, and knows what is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def report_of(tmp_path, examples, answers, *, task="pages") -> str:
    evaluate(examples, model=ScriptedReader(answers), task=task, out=tmp_path)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def pictures(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/webp;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_report_is_one_well_formed_file_with_every_case(tmp_path):
    numbers = range(5)
    html = report_of(
        tmp_path, [make_example(n, f"word{n} more") for n in numbers], {n: f"<<word{n} {n}>>" for n in numbers}
    )
    checker = Balanced()
    checker.feed(html)
    assert checker.open == []
    assert len(pictures(html)) == 5
    assert not re.search(r'(src|href)="(?!data:)', html), "nothing is loaded from elsewhere"
    assert "pages: word F1 0.500" in html
    assert '<mark class="wrong">more</mark>' in html


def test_hostile_texts_are_escaped(tmp_path):
    example = make_example(0, "<script>alert(1)</script> & truth", source="<b>site</b>/$title.html")
    html = report_of(tmp_path, [example], {0: "<a &lt;script&gt;alert(2)&lt;/script&gt; \udce9>"})
    assert "<script" not in html
    assert "<b>site" not in html
    assert "$title.html" in html
    checker = Balanced()
    checker.feed(html)
    assert checker.open == []


def test_a_region_is_shown_with_some_context(tmp_path):
    box = Box(300, 400, 200, 100)
    image = picture(7, size=(1024, 2000))
    example = replace(make_example(7, "<a>", image=image), boxes=(DrawnBox(box, "region"),))
    html = report_of(tmp_path, [example], {7: "<b>"}, task="parse")
    [shown] = pictures(html)
    assert shown.size == (200 + 2 * CONTEXT, 100 + 2 * CONTEXT)
    assert f'<rect class="requested" x="{CONTEXT}" y="{CONTEXT}" width="200" height="100"/>' in html


def test_large_pictures_are_scaled_down(tmp_path):
    html = report_of(tmp_path, [make_example(1, "a", image=picture(1, size=(1024, 8000)))], {1: "<a>"})
    [shown] = pictures(html)
    assert shown.width <= MAX_WIDTH
    assert shown.height <= MAX_HEIGHT
    assert 'viewBox="0 0 1024 8000"' in html


@pytest.mark.parametrize(
    ("count", "worst", "middle", "best"),
    [
        (1, [0], [], []),
        (21, list(range(20)), [], [20]),
        (25, list(range(20)), [20, 21], [24, 23, 22]),
        (100, list(range(20)), [49, 50, 51], [99, 98, 97]),
    ],
)
def test_cases_are_the_worst_the_middle_and_the_best(count, worst, middle, best):
    blank = blank_prediction(0, make_example(0, "a"), targets=("a",))
    predictions = [replace(blank, index=n, scores={"f1": n / 100}) for n in range(count)]
    chosen = dict(worst_median_best(list(reversed(predictions)), "f1"))
    found = [[one.index for one in cases] for cases in chosen.values()]
    assert found == [cases for cases in (worst, middle, best) if cases]


def test_a_wrong_choice_shows_the_right_candidate(tmp_path):
    """The reader says "true" of the second candidate, which is the first of its group."""
    examples = [
        replace(
            make_example(n, "true" if n == 0 else "false", group_id="g", prompt="tap <OK>"),
            boxes=(DrawnBox(Box(10 * n, 5, 8, 6), "region"),),
        )
        for n in range(3)
    ]
    html = report_of(tmp_path, examples, {0: "false", 1: "true", 2: "false"}, task="refexp")
    assert "Surest of what is wrong: 1 of 1" in html
    assert '<rect class="requested" x="10" y="5" width="8" height="6"/>' in html
    assert '<rect class="right" x="0" y="5" width="8" height="6"/>' in html
    assert "tap &lt;OK&gt;" in html
