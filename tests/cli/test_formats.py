"""What is printed of a reading: answers that are no simplified HTML as they were written."""

import html
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixread.cli.formats import Format, written
from pixread.markup import is_simplified_html
from pixread.models.pix2struct.reading import OutputKind, reading_of
from pixread.records import Answer, Reading

ANSWERS = [
    "Year | Sales <0x0A> 2019 | 12 <0x0A> 2020 | 15",
    "<s_total>12.50</s_total><s_tax>1.00</s_tax>",
    "Milk 1.20\nBread 2.30\n\nTotal 3.50",
    "  padded  ",
    "a < b && c > d",
    "x\t<y>\u00a0z",
    '{"menu": [{"nm": "<Tea>", "price": "2,000"}]}',
    "| a | b |\n|---|---|\n| 1 | <2> |",
    "&lt; is no <",
]


def reading(text: str, kind: OutputKind = "either") -> Reading:
    return reading_of(Answer(text, (-0.1, -0.2)), (20, 10), seconds=0.1, kind=kind)


def shown(found: Reading, form: Format) -> str:
    return written(found, form, file="x.png", model="m")


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_comes_out_of_every_format_as_it_was_written(text: str):
    """Tables lost their `<`, tags their brackets, and line breaks became blanks."""
    found = reading(text)
    assert found.text == text
    assert shown(found, Format.text) == text
    page = shown(found, Format.html)
    assert page.startswith("<pre>") and page.endswith("</pre>")
    assert html.unescape(page.removeprefix("<pre>").removesuffix("</pre>")) == text
    told = json.loads(shown(found, Format.json))
    assert told["text"] == told["tree"]["text"] == text


@given(st.text(st.sampled_from("<>&/ \n\tab|") | st.characters(codec="utf-8"), max_size=40))
def test_no_character_of_an_answer_is_lost(text: str):
    found = reading(text, "answer")
    if text.strip() and not is_simplified_html(text, whole=True):
        assert shown(found, Format.text) == text


@pytest.mark.parametrize("text", ["<5", "<Invoice", "<img src=x/>", "<x>"])
def test_what_answers_a_question_may_begin_with_a_bracket(text: str):
    assert shown(reading(text, "answer"), Format.text) == text


@pytest.mark.parametrize(
    ("text", "outline", "page"),
    [
        ("<<Invoice><Total>>", "Invoice\n\nTotal", "<<Invoice><Total>>"),
        ("<<Invoice><Tot", "Invoice\n\nTot", "<<Invoice><Tot>>"),
        ("<Invoice>", "Invoice", "<Invoice>"),
        ("<a &lt; b>", "a < b", "<a &lt; b>"),
    ],
)
def test_simplified_html_is_read_as_ever(text: str, outline: str, page: str):
    found = reading(text)
    assert shown(found, Format.text) == outline
    assert shown(found, Format.html) == page


def test_a_reader_of_lines_writes_nothing_else():
    assert shown(reading("Invoice <1>", "markup"), Format.text) == "Invoice\n\n1"
