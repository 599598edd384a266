"""`pixread evaluate` as it is typed."""

import json
import shutil
from pathlib import Path

import pytest

from pixread.shards import write_shards
from tests.conftest import Run
from tests.evaluate.scripted_reader import make_example


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One prepared task."""
    for split in ("train", "val"):
        examples = [make_example(at, "yes" if at else "no", prompt="Is it?") for at in range(3)]
        write_shards(examples, tmp_path / "data" / "ocrvqa" / split, seed=0, about={"task": "ocrvqa", "split": split})
    return tmp_path / "data"


def test_a_task_against_the_majority_answer(run: Run, data: Path, tiny_checkpoint: Path, tmp_path: Path):
    options = ["--model", tiny_checkpoint, "--split", "val", "--out", tmp_path / "out", "--device", "cpu"]
    ended = run("evaluate", data / "ocrvqa", *options, "--against", "majority")
    assert ended.code == 0, ended.err
    assert "OCR-VQA: exact match 0.0" in ended.out
    assert "always 'yes'" in ended.out
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["against"]["their_score"] == pytest.approx(2 / 3)


def test_the_whole_table(run: Run, data: Path, tiny_checkpoint: Path, tmp_path: Path):
    shutil.copytree(tiny_checkpoint, tmp_path / "models" / "ocrvqa-base")
    ended = run("evaluate", "--all", data, "--models", tmp_path / "models", "--out", tmp_path / "out", "--limit", 1)
    assert ended.code == 0, ended.err
    assert "OCR-VQA" in ended.out
    assert "69.4" in ended.out
    assert f"ocrvqa-large: there is no {tmp_path}/models/ocrvqa-large" in ended.err
    assert (tmp_path / "out" / "table.md").is_file()


def test_a_baseline_of_another_name_is_refused_with_the_choices(
    run: Run, data: Path, tiny_checkpoint: Path, tmp_path: Path
):
    options = ["--model", tiny_checkpoint, "--split", "val", "--out", tmp_path / "out", "--device", "cpu"]
    ended = run("evaluate", data / "ocrvqa", *options, "--against", "commonest")
    assert ended.code == 1
    choices = "choose majority, shipped, a checkpoint folder, a training run, a name on the Hugging Face Hub or"
    assert f"nothing to compare with is called 'commonest'; {choices}" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--models", "x"], 2, "--models goes with --all"),
        ([], 2, "name the SHARDS to evaluate on, or --all DATA"),
        (["--all", "x"], 2, "--all needs --models"),
        (["data", "--all", "x", "--models", "y", "--task", "own"], 2, "--all does not go with SHARDS, --task"),
        (["--all", "nowhere", "--models", "y"], 1, "pixread: nowhere is not a folder"),
    ],
)
def test_bad_usage(run: Run, tmp_path: Path, arguments, code, said):
    ended = run("evaluate", *arguments, "--out", tmp_path / "out")
    assert ended.code == code
    assert said in " ".join(ended.err.split())
    assert not (tmp_path / "out").exists()
