"""Files with anything in them: every row becomes an example or is skipped with a reason, and nothing else happens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pixread.records import Example
from pixread.tasks import TASKS
from tests.tasks.written import picture, write

Rows = list[Any]

FIELDS = ["imgname", "image", "image_local_name", "image_id", "questionId", "query", "question", "questions"]
FIELDS += ["label", "answers", "answer_type", "question_types", "caption_str", "split", "imageURL"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5) | st.just("a.png"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=9) | VALUES, min_size=1, max_size=4)
FOLDERS = ("", "train/png", "train/documents", "train", "images", "train_images")


def a_line_each(rows: Rows) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def under_data(rows: Rows) -> str:
    return json.dumps({"data": rows})


def by_id(rows: Rows) -> str:
    return json.dumps(dict(enumerate(rows)))


@pytest.mark.parametrize(
    ("task", "part", "file", "written", "one_each"),
    [
        ("chartqa", "human", "train/train_human.json", json.dumps, True),
        ("docvqa", "", "train/train_v1.0.json", under_data, True),
        ("infographicvqa", "", "train/train_v1.0.json", under_data, True),
        ("textcaps", "", "TextCaps_0.1_train.json", under_data, False),  # one a picture
        ("ocrvqa", "", "dataset.json", by_id, False),  # one a question
        ("own", "", "train.jsonl", a_line_each, True),
    ],
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_any_rows_are_accounted_for(
    tmp_path: Path, task: str, part: str, file: str, written: Callable[[Rows], str], one_each: bool, rows: Rows
):
    for folder in FOLDERS:
        write(tmp_path / folder / "a.png", picture("a"))
    write(tmp_path / file, written(rows))
    found = list(TASKS[task].examples(tmp_path, "train", part=part))
    for item in found:
        assert item.id
        if isinstance(item, Example):
            assert item.image == picture("a")
            assert item.targets
            assert all(target.strip() for target in item.targets)
        else:
            assert item.reason
    if one_each:
        assert len(found) == len(rows)
