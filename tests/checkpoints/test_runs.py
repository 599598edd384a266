"""The folder of a training run is a name of a model wherever one is asked for."""

import json
import shutil
from pathlib import Path

import pytest

import pixread
from pixread.checkpoints.errors import CheckpointError
from pixread.checkpoints.find import find_checkpoint
from pixread.checkpoints.runs import best_step, last_step, logged, resolve_checkpoint
from pixread.reader.single_pass import Reader
from tests.conftest import MakeCheckpoint, Run


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

    assert find_checkpoint(run_folder) == find_checkpoint(str(run_folder)) == run_folder / f"step-{chosen:08}"


def test_the_python_loader_takes_a_run_as_the_command_line_does(run_folder: Path, tmp_path: Path, run: Run):
    """`pixread.load(RUN)` asked for RUN/config.json, while `pixread parse --model RUN` read with its best step."""
    log(run_folder, {"step": 2, "score": 1.0})

    reader = Reader.load(run_folder, device="cpu")
    converted = run("convert", run_folder, tmp_path / "new")

    assert reader.checkpoint.folder == run_folder / "step-00000002"
    assert (converted.code, converted.err) == (0, "")
    assert Reader.load(tmp_path / "new", device="cpu").checkpoint.generation["max_new_tokens"] == 3


def test_what_is_neither_is_one_sentence(tmp_path: Path):
    with pytest.raises(CheckpointError) as caught:
        pixread.load(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path} is neither a checkpoint folder (no config.json) nor a training run with one"
    )


def test_a_checkpoint_folder_stands_for_itself(run_folder: Path):
    assert resolve_checkpoint(run_folder / "step-00000000") == run_folder / "step-00000000"
    assert (best_step(run_folder), last_step(run_folder), logged(run_folder / "metrics.jsonl")) == (None, 4, [])
