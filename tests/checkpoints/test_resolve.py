"""What is given as a model stands for one checkpoint folder, in Python and on the command line."""

import json
import shutil
from pathlib import Path

import pytest

import pixread
from pixread.checkpoints import hub
from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import best_step, last_step, logged, pin_step
from pixread.cli.models import load_reader
from pixread.reader.reader import Reader
from tests.conftest import MakeCheckpoint, Run

DEMO = Path(pixread.__file__).parent / "assets" / "demo" / "demo.png"


@pytest.fixture
def run_folder(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """A run of three complete steps, told apart by the lengths they write, and a fourth that was cut off."""
    out = tmp_path / "run"
    for step in (0, 2, 4, 6):
        shutil.copytree(make_checkpoint(max_new_tokens=step + 1), out / f"step-{step:08}")
        (out / f"step-{step:08}.state").touch()
    (out / "step-00000006.state").unlink()
    return out


def log(out: Path, *lines: object) -> None:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (out / "metrics.jsonl").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        ([], 4),
        ([{"step": 2, "score": 0.5}, {"step": 4, "score": 0.4}], 2),
        ([{"step": 4, "loss": 1.0}, {"step": 6, "score": 0.9}, {"step": 4, "score": 0.1}], 4),
        ([{"step": 0, "score": 0.5}, {"step": 2, "score": 0.5}], 0),
        ([{"step": 2, "score": 0.5}, {"step": 4, "score": float("nan")}], 2),
        ([{"step": 2, "score": 0.5}, "[1]", '{"step": 4, "sco', '{"step": [2], "score": 9}', "[" * 100_000], 2),
    ],
)
def test_a_run_stands_for_its_best_step_else_its_newest(run_folder: Path, lines: list[object], chosen: int):
    """Step 0 counts as a step; a score that is no number, and lines that are no records, choose nothing."""
    log(run_folder, *lines)

    assert resolve(run_folder) == resolve(str(run_folder)) == run_folder / f"step-{chosen:08}"


def model_of(run: Run, model: str) -> str:
    """The model that `pixread parse --model` says it has read with."""
    done = run("parse", DEMO, "--model", model, "--format", "json", "--max-patches", 8, "--device", "cpu")
    assert (done.code, done.err) == (0, "")
    return str(json.loads(done.out)["model"])


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("run/step-00000004", "run/step-00000004"),
        ("run", "run/step-00000002"),
        ("./run/", "run/step-00000002"),
        ("run/../run", "run/../run/step-00000002"),
    ],
)
def test_python_and_the_command_line_take_the_same_folder(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, run: Run, name: str, folder: str
):
    """`pixread.load(RUN)` wanted RUN/config.json, while `pixread parse --model RUN` read with its best step."""
    log(run_folder, {"step": 2, "score": 1.0}, {"step": 4, "score": 0.5})
    monkeypatch.chdir(run_folder.parent)

    readers = [pixread.load(Path(name), device="cpu"), load_reader(name, device="cpu", dtype="auto")]

    assert [reader.checkpoint.folder for reader in readers if isinstance(reader, Reader)] == [Path(folder)] * 2
    assert Path(model_of(run, name)) == Path(readers[0].name) == Path(pin_step(name)) == Path(folder)


def test_a_repository_is_fetched_by_both(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, run: Run):
    fetched: list[tuple[str, str | None]] = []

    def fetch(repository: str, *, revision: str | None = None) -> Path:
        fetched.append((repository, revision))
        return tiny_checkpoint

    monkeypatch.setattr(hub, "fetch", fetch)
    reader = pixread.load("somebody/reader", revision="v1", device="cpu")

    assert isinstance(reader, Reader)
    assert (reader.checkpoint.folder, reader.name) == (tiny_checkpoint, "somebody/reader")
    assert model_of(run, "somebody/reader") == "somebody/reader"
    assert fetched == [("somebody/reader", "v1"), ("somebody/reader", None)]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none", "none is not a checkpoint folder"),
        ("some/deep/none", "some/deep/none is not a checkpoint folder"),
        ("file", "file is a file, not a checkpoint folder"),
        ("empty", "empty is neither a checkpoint folder (no config.json) nor a training run with one"),
        ("./run/step-00000008", "./run/step-00000008 is not a checkpoint folder"),
        ("cut", "cut is neither a checkpoint folder (no config.json) nor a training run with one"),
    ],
)
def test_what_is_none_is_the_same_sentence_for_both(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch, run: Run, name: str, sentence: str
):
    """cut: a run that was stopped before its first step was complete."""
    parent = run_folder.parent
    (parent / "file").touch()
    (parent / "empty").mkdir()
    (parent / "cut").mkdir()
    shutil.copytree(run_folder / "step-00000006", parent / "cut" / "step-00000006")
    monkeypatch.chdir(parent)

    with pytest.raises(CheckpointError) as caught:
        pixread.load(name)

    assert str(caught.value) == sentence
    for command in (["parse", DEMO, "--model", name], ["convert", name, "out"]):
        done = run(*command)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("pixread: ")
        assert done.err.endswith(f"{sentence}\n")


def test_a_run_is_converted_by_its_best_step(run_folder: Path, tmp_path: Path, run: Run):
    log(run_folder, {"step": 2, "score": 1.0})

    converted = run("convert", run_folder, tmp_path / "new")

    assert (converted.code, converted.err) == (0, "")
    assert Reader.load(tmp_path / "new", device="cpu").checkpoint.generation["max_new_tokens"] == 3


def test_what_a_run_has_logged(run_folder: Path):
    assert resolve(run_folder / "step-00000000") == run_folder / "step-00000000"
    assert (best_step(run_folder), last_step(run_folder), logged(run_folder / "metrics.jsonl")) == (None, 4, [])
