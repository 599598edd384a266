"""The benches on the real commands, small."""

import json
from pathlib import Path

import pytest

from pixread.bench import run
from pixread.bench.report import Report


def medians(report: Report) -> dict[str, float]:
    return {figure.name: figure.median for figure in report.figures}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("speed", "no bench 'speed'; choose from render, read, train"), ("render", "name a folder of HTML files")],
)
def test_unusable_benches_are_refused(name: str, sentence: str):
    with pytest.raises(ValueError, match=sentence):
        run(name)


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="at least 20 steps, got 5"):
        run("train", steps=5)


def test_failing_command_is_an_error(tmp_path: Path):
    with pytest.raises(RuntimeError, match="no recipe 'nothing'"):
        run("train", recipes=("nothing",), repeats=1, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
def test_render(tmp_path: Path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("one", "two"):
        (pages / f"{name}.html").write_text(
            f"<title>{name}</title><p>Page {name} has some text</p><p>and more of it</p>"
        )
    (pages / "three.html").write_text("")
    report = run("render", pages=pages, num_workers=(1,), repeats=1, out=tmp_path / "out")
    found = medians(report)
    assert (found["pages rendered"], found["pages skipped"]) == (2, 1)
    assert found["examples"] >= 4
    assert found["pages/s"] > 0
    assert json.loads((tmp_path / "out" / "render.json").read_text())["bench"] == "render"


def test_train():
    report = run("train", recipes=("line-words",), steps=20, overrides={"batch_size": "2", "workers": "0"}, repeats=1)
    found = medians(report)
    assert found["samples/s"] > 0
    assert 0 < found["share of time waiting for data"] < 1


def test_read(tiny_checkpoint: Path):
    report = run("read", model=str(tiny_checkpoint), dtypes=("float32",), repeats=1)
    found = medians(report)
    assert 0 < found["seconds a page"] < found["seconds of the command"]
