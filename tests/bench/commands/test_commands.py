"""The benches that run whole commands, small."""

import json
from collections import Counter
from pathlib import Path

import pytest

from pixread.bench.commands import startup
from pixread.bench.commands.pages import bench_pages, differences, texts
from pixread.bench.commands.recipes import bench_recipes
from pixread.bench.commands.render import bench_render
from pixread.bench.commands.startup import bench_startup, package_microseconds
from pixread.bench.harness.report import Report


def medians(report: Report) -> dict[str, float]:
    return {figure.name: figure.median for figure in report.figures}


def test_too_few_steps_are_refused():
    with pytest.raises(ValueError, match="at least 20 steps, got 5"):
        bench_recipes(("warmup-base",), data=None, steps=5, overrides={}, repeats=1)


def test_failing_command_is_an_error(tmp_path: Path):
    with pytest.raises(RuntimeError, match=f"failed with exit code 1: pixread: {tmp_path}/none does not exist"):
        bench_render(tmp_path / "none", num_workers=(1,), repeats=1)


@pytest.mark.browser
def test_render(tmp_path: Path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("one", "two"):
        (pages / f"{name}.html").write_text(
            f"<title>{name}</title><p>Page {name} has some text</p><p>and more of it</p>"
        )
    (pages / "three.html").write_text("")
    report = bench_render(pages, num_workers=(1,), repeats=1)
    found = medians(report)
    assert (found["pages rendered"], found["pages skipped"]) == (2, 1)
    assert found["examples"] >= 4
    assert found["pages/s"] > 0
    assert json.loads(report.write(tmp_path / "out").read_text())["bench"] == "render"


def test_recipes():
    overrides = {"size": "nano", "vocab_size": "600", "batch_size": "2", "workers": "0", "threads": "1"}
    found = medians(bench_recipes(("warmup-base",), data=None, steps=20, overrides=overrides, repeats=1))
    assert found["samples/s"] > 0
    assert 0 < found["share of time waiting for data"] < 1


def test_pages():
    """With the shipped reader."""
    found = medians(bench_pages(dtypes=("float32", "auto"), repeats=1))
    assert 0 < found["seconds a page"] < found["seconds of the command"]
    [(name, count)] = [(name, count) for name, count in found.items() if name.startswith("texts not as in float32")]
    assert 20 < int(name.rpartition(" ")[2]) > 2 * count


def test_texts_that_are_read_otherwise_are_counted():
    tree = {"children": [{"text": "a", "box": [0, 0, 9, 9]}, {"children": [{"text": "b", "box": [0, 9, 9, 9]}]}]}
    one, other = ((0, text) for text in texts(tree))
    read = Counter([one, other])
    others = {
        "auto": read,
        "bfloat16": Counter([one, (0, "d")]),  # one otherwise
        "int8": Counter([one]),  # one left out
        "float16": read + Counter([(1, "a"), (1, "b")]),  # two more
    }
    found = differences({"float32": read, **others}, first="float32")
    assert [(figure.variant, figure.name, figure.median) for figure in found] == [
        (kind, "texts not as in float32, of 2", count)
        for kind, count in (("auto", 0), ("bfloat16", 1), ("int8", 1), ("float16", 2))
    ]


@pytest.mark.slow
def test_startup(tiny_checkpoint: Path):
    report = bench_startup(model=str(tiny_checkpoint), repeats=1)
    found = {(figure.variant, figure.name): figure.median for figure in report.figures}
    ours, theirs = (found[one, "cold read of a small picture (s)"] for one in ("pixread", "transformers"))
    assert found["pixread", "cold read of a small picture, times transformers as it comes"] == theirs / ours
    package, names = (found["pixread", name] for name in (startup.IMPORT, startup.IMPORT_LOADER))
    assert 0 < package < names < ours
    assert found["pixread", "cold read, peak memory (MiB)"] > 50
    slowest = [one for one in report.figures if one.case == startup.IMPORTS and one.variant == "pixread"]
    assert slowest[0].name == "torch"
    assert slowest[-1].name == "all imports"
    assert slowest[-1].median > slowest[0].median


def test_import_times_by_package():
    told = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |     torch._C
a line of the program | with bars | in it
import time:        50 |        150 |   torch
import time:         7 |          7 | _io
"""
    assert dict(package_microseconds(told)) == {"torch": 150, "_io": 7}
