"""What a command leaves open is what its function leaves open, and both take the same things."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.main import get_command

import pixread
from pixread.bench.commands.pages import bench_pages
from pixread.bench.commands.recipes import bench_recipes
from pixread.bench.commands.render import bench_render
from pixread.bench.commands.startup import bench_startup
from pixread.bench.network.bench_config import BenchConfig
from pixread.bench.network.constrained import bench_constrained
from pixread.bench.network.encode import bench_encode
from pixread.bench.network.generate import bench_generate
from pixread.bench.network.train import bench_train
from pixread.bench.reading.read import ReadConfig
from pixread.checkpoints.folder import rewrite
from pixread.checkpoints.hub import push
from pixread.checkpoints.t5x.convert import convert
from pixread.cli import app
from pixread.evaluate import evaluate, quick_score
from pixread.evaluate.paper_table import evaluate_all
from pixread.factory.local import render_shards
from pixread.factory.sources import find_pages
from pixread.generate.options import DecodingOptions
from pixread.inspect import gallery
from pixread.prepare import prepare
from pixread.render.page import RenderSettings
from pixread.train.loop import train
from tests.conftest import Run
from tests.train.sets import example, write_parts, write_set

FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "parse": (pixread.load, DecodingOptions),
    "render": (render_shards, RenderSettings),
    "prepare": (prepare,),
    "inspect": (gallery,),
    "train": (train,),
    "evaluate": (evaluate, evaluate_all, quick_score),
    "convert": (rewrite, convert),
    "push": (push,),
    "bench generate": (bench_generate, BenchConfig),
    "bench encode": (bench_encode, BenchConfig),
    "bench constrained": (bench_constrained, BenchConfig),
    "bench train": (bench_train, BenchConfig),
    "bench startup": (bench_startup,),
    "bench render": (bench_render,),
    "bench pages": (bench_pages,),
    "bench read": (ReadConfig,),
    "bench recipes": (bench_recipes,),
}
# Options that go by another name in Python.
NAMES = {
    "timeout": "timeout_s",
    "split": "splits",
    "changes": "overrides",
    "recipe": "recipes",
    "picture": "pictures",
    ("bench render", "workers"): "num_workers",
    ("evaluate", "split"): "split",
    ("render", "changes"): "settings",
}


def commands() -> dict[str, Any]:
    top = get_command(app).commands  # type: ignore[attr-defined]
    below = {f"bench {name}": command for name, command in top.pop("bench").commands.items()}
    return {**top, **below}


def plain(default: Any) -> str | None:
    """A default as a text, whichever way it is written: "4" for (4,), "auto" for a member of an enumeration."""
    if default is None or default in ((), {}):
        return None
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, list | tuple):
        return ",".join(map(str, default))
    return str(default).removeprefix("torch.")


def test_every_command_has_its_function() -> None:
    assert set(commands()) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_defaults_are_those_of_the_function(name: str) -> None:
    """`push` said another message, and benches had no defaults at all."""
    compared = 0
    for parameter in commands()[name].params:
        own = NAMES.get((name, parameter.name), NAMES.get(parameter.name, parameter.name))
        for function in FUNCTIONS[name]:
            found = inspect.signature(function).parameters.get(own)
            if found is None or found.default is inspect.Parameter.empty or parameter.required:
                continue
            if parameter.default is None and own in {"recipes", "pictures"}:
                continue  # the help of the command names them
            told = f"{name}: {parameter.name} of {function.__qualname__}"
            assert plain(parameter.default) == plain(found.default), told
            compared += 1
    assert compared


def test_a_whole_picture_is_read_alike(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    """`reader.parse` drew a box round the whole page for a reader of whole pictures, `pixread parse` none."""
    picture = tmp_path / "page.png"
    Image.linear_gradient("L").resize((96, 64)).save(picture)
    (said,) = run("parse", picture, "--model", tiny_checkpoint, "--format", "json").out.splitlines()
    reader = pixread.load(str(tiny_checkpoint))
    for given in (picture, str(picture), picture.read_bytes()):
        assert reader.parse(given).text == json.loads(said)["text"]
    assert [one.text for one in reader.parse(path for path in [picture, picture])] == [json.loads(said)["text"]] * 2


def test_what_is_no_picture_is_said_alike(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "named.png").write_bytes(b"%PDF-1.7\n")
    reader = pixread.load(tiny_checkpoint)
    for name in ("paper.pdf", "named.png"):
        said = run("parse", tmp_path / name, "--model", tiny_checkpoint).err
        with pytest.raises(ValueError, match=r"is a PDF, which pixread does not read yet") as caught:
            reader.read(tmp_path / name)
        assert said == f"pixread: {caught.value}\n"


def test_a_training_run_is_one_model_under_both_names(run: Run, tmp_path: Path, tiny_checkpoint: Path) -> None:
    """An evaluation of a run begun by the command was refused by Python as that of another model."""
    write_parts(tmp_path / "data")
    quick = {"steps": 1, "evaluate_examples": 0, "workers": 0, "max_patches": 24, "max_tokens": 8, "recompute": False}
    train("finetune-laptop", out=tmp_path / "run", data=tmp_path / "data", overrides={**quick, "init": tiny_checkpoint})
    ended = run("evaluate", tmp_path / "data", "--split", "val", "--model", tmp_path / "run", "--out", tmp_path / "out")
    assert ended.code == 0, ended.err
    again = evaluate(
        str(tmp_path / "data"), split="val", model=tmp_path / "run", out=str(tmp_path / "out"), resume=True
    )
    assert again["about"]["model"] == pixread.load(tmp_path / "run").name == str(tmp_path / "run" / "step-00000001")
    assert rewrite(tmp_path / "run", tmp_path / "small").is_dir()


def test_sets_may_be_named_in_any_way(tmp_path: Path) -> None:
    wanted = [replace(example(number), targets=("x",)) for number in range(3)]
    one = write_set(tmp_path / "sets" / "a", wanted, target="crops")
    write_set(tmp_path / "sets" / "b", wanted, target="crops")
    for given, count in (((tmp_path / "sets"), 6), (str(one), 3), ((path for path in [one, tmp_path / "sets"]), 9)):
        shown = gallery(given, str(tmp_path / "gallery"), limit=None)
        assert f"{count} of {count} examples" in shown.read_text()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda out: train("warmup-base", out=out, device="gpu"), "the device 'gpu' cannot be used"),
        (lambda out: prepare("own", out, out / "x", splits="dev"), "own data has no split 'dev'"),
        (lambda out: render_shards("none.html", out, targets="lines"), "none.html does not exist"),
        (lambda out: render_shards([], out, targets="pages"), "there is no target 'pages'"),
        (lambda out: find_pages([]), "no HTML page in an empty list"),
        (lambda out: gallery(out, out / "x"), "is not a shard set, or was not finished"),
        (
            lambda out: train("warmup-base", out=out, overrides={"steps": 0.5}),
            "steps must be a whole number, got '0.5'",
        ),
        (
            lambda out: train("warmup-base", out=out, overrides={"steps": None}),
            "steps must be a whole number, got 'None'",
        ),
    ],
)
def test_functions_refuse_in_one_sentence_too(tmp_path: Path, wrong: Callable[[Path], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as caught:
        wrong(tmp_path)
    assert "\n" not in str(caught.value)
