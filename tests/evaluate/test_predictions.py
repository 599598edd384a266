"""The lines of predictions.jsonl, and what an example says about itself."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from pixread.evaluate.predictions import Prediction, blank_prediction, read_lines, site_of, write_lines
from pixread.records import Example
from tests.evaluate.scripted_reader import make_example


@pytest.mark.parametrize(
    ("source", "meta", "expected"),
    [
        ("django-doc/topics/db.html", {}, "django-doc"),  # the first folder
        ("page.html", {}, "page.html"),  # a file of no folder
        ("https://example.org:8080/a/b", {}, "example.org"),  # the host
        ("/pages/a.html", {}, "pages"),  # an absolute path
        ("../x/a.html", {}, "x"),  # dots are no folder
        ("warmup", {}, "warmup"),
        ("", {}, "unknown"),
        ("a/b.html", {"site": "named"}, "named"),  # what the maker of the shard says comes first
    ],
)
def test_site(source, meta, expected):
    assert site_of(Example(id="1", image=b"", targets=("t",), source=source, meta=meta)) == expected


@pytest.fixture
def prediction():
    return Prediction(
        index=3,
        id="é-3",
        source="s",
        group="g",
        site="s",
        script="latin",
        masked=True,
        targets=("a\nb", "ü"),
        prediction="日本\u2028\x85x",
        target=1,
        scores={"f1": 0.5},
        score=-1.5,
        seconds=0.25,
        boxes=((0.0, 1.0, 2.0, 3.5),),
    )


def test_lines_read_back(prediction, tmp_path):
    path = tmp_path / "p.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        write_lines(stream, [prediction, prediction])
    assert read_lines(path) == [prediction, prediction]


def test_scripts_of_older_versions_are_grouped_anew(prediction, tmp_path):
    stream = io.StringIO()
    write_lines(stream, [replace(prediction, script="other", targets=("ab", "これは"))])
    (tmp_path / "p.jsonl").write_text(stream.getvalue(), encoding="utf-8")
    assert read_lines(tmp_path / "p.jsonl")[0].script == "unread"


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_line_cut_off_by_an_interruption_is_left_out(prediction, tmp_path, cut):
    path = tmp_path / "p.jsonl"
    stream = io.StringIO()
    write_lines(stream, [prediction, prediction])
    path.write_text(stream.getvalue()[:-cut], encoding="utf-8")
    assert read_lines(path) == [prediction]


def test_unread_takes_the_page_as_group():
    assert blank_prediction(5, make_example(1, "x"), targets=("x",)).group == "page1"
    assert blank_prediction(5, make_example(1, "x", group_id=""), targets=("x",)).group == "site1/page1.html"
    assert blank_prediction(5, make_example(1, "x", group_id="", source=""), targets=("x",)).group == "example-1"
    assert blank_prediction(5, make_example(1, "x", masks=1), targets=("x",)).masked
    assert not blank_prediction(5, make_example(1, "x", masks=0), targets=("x",)).masked
