"""The paper's table with ours beside it."""

from __future__ import annotations

import io
import json
import shutil

import pytest
from rich.console import Console

from pixread.evaluate.paper_table import as_markdown, evaluate_all, paper_table
from pixread.evaluate.published_scores import OTHER_SYSTEMS
from pixread.reader.load import load
from pixread.tasks import TASKS


def test_what_is_there_is_evaluated_once_and_the_rest_is_said(prepared, learned, tmp_path):
    models, out = tmp_path / "models", tmp_path / "out"
    shutil.copytree(learned, models / "chartqa-base")
    shutil.copytree(learned, models / "ai2d-large")
    (models / "ai2d-base").mkdir()
    loaded = []

    def loading(model):
        loaded.append(model)
        return load(model)

    shutil.rmtree(prepared / "refexp")
    for name in ("human", "augmented"):
        shutil.copytree(prepared / "chartqa" / f"val-{name}", prepared / "chartqa" / f"test-{name}")
    found = evaluate_all(prepared, models, out=out, load=loading)
    rows = {row["task"]: row for row in found["rows"]}
    assert rows["chartqa"]["ours"]["base"] | {"interval": None} == {
        "score": 100.0,
        "interval": None,
        "examples": 4,
        "model": str(models / "chartqa-base"),
    }
    # The answers of the test split are hidden, so validation is what can be scored.
    assert (rows["chartqa"]["split"], rows["ai2d"]["split"]) == ("test", "val")
    assert rows["ai2d"]["ours"]["large"]["score"] == 100
    said = "\n".join(found["missing"])
    assert f"chartqa-large: there is no {models}/chartqa-large" in said
    assert f"refexp: there is no {prepared}/refexp" in said
    assert "ai2d-base: " in said
    assert json.loads((out / "table.json").read_text(encoding="utf-8")) == found
    assert (out / "table.md").read_text(encoding="utf-8") == as_markdown(found)
    assert (out / "chartqa-base" / "report.html").is_file()

    assert len(loaded) == 3  # the folder without a checkpoint was tried
    assert evaluate_all(prepared, models, out=out, load=loading)["rows"] == found["rows"]
    assert loaded[3:] == [models / "ai2d-base"], "what was finished is used again"


def test_every_task_has_its_row_and_unknown_figures_are_dashes(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "models").mkdir()
    found = evaluate_all(tmp_path / "data", tmp_path / "models", out=tmp_path / "out")
    assert [row["task"] for row in found["rows"]] == [name for name in TASKS if name != "own"]
    table = [line.split(" | ") for line in as_markdown(found).splitlines() if line.startswith("| ")]
    assert "| RefExp | group accuracy | - | - | - | 92.2 | - | 94.2 | 90.8 | - | - |" in as_markdown(found)
    assert {len(cells) for cells in table} == {11}
    stream = io.StringIO()
    Console(file=stream, width=80).print(paper_table(found))
    assert "Donut" in stream.getvalue()
    assert "…" not in stream.getvalue(), "it fits eighty columns"


def test_others_are_of_known_tasks():
    assert all(set(scores) <= set(TASKS) for scores in OTHER_SYSTEMS.values())


@pytest.mark.parametrize("missing", ["data", "models"])
def test_a_missing_folder_is_one_sentence(tmp_path, missing):
    for name in {"data", "models"} - {missing}:
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=f"{missing} is not a folder$"):
        evaluate_all(tmp_path / "data", tmp_path / "models", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
