"""Fine-tuning from prepared sets: what is scored, what is kept, what a checkpoint says, and that it resumes exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import pixread
from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import best_step, last_step
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.train.loop import train
from pixread.train.runtime import TrainResult
from tests.conftest import MakeCheckpoint
from tests.train.sets import ALL_WEIGHTS, example, write_parts, write_set, write_task

QUICK = {
    **ALL_WEIGHTS,
    "max_patches": "24",
    "max_tokens": "8",
    "batch_size": "4",
    "warmup_steps": "1",
    "log_every": "1",
    "save_every": "2",
    "evaluate_every": "2",
    "workers": "0",
    "precision": "float32",
    "threads": "1",
    "schedule": "constant",
}


Tune = Callable[..., TrainResult]


@pytest.fixture
def run(tiny_checkpoint: Path) -> Tune:
    """Tunes a tiny model."""

    def tune(out: Path, data: list[Path], *, resume: bool = False, **overrides: str) -> TrainResult:
        changes = {**QUICK, "init": str(tiny_checkpoint), **overrides}
        return train("finetune-laptop", out=out, data=data, overrides=changes, resume=resume, device="cpu")

    return tune


def records(out: Path, *keys: str) -> list[dict[str, Any]]:
    """What was logged, without the times."""
    logged = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: record[key] for key in keys if key in record} for record in logged]


def test_pictures_are_learnt_by_heart_and_the_best_step_is_what_is_read_with(run: Tune, tmp_path: Path) -> None:
    """The whole way: prepared sets in, a run that scores itself, a folder that answers as it was trained to."""
    data = write_task(tmp_path / "data")
    often = {"evaluate_every": "20", "save_every": "20"}
    result = run(tmp_path / "run", data, steps="40", batch_size="8", learning_rate="0.01", **often)
    scores = [record["score"] for record in records(tmp_path / "run", "score") if "score" in record]
    assert max(scores) == 1.0
    assert result.folder == resolve(tmp_path / "run")
    reader = pixread.load(result.folder, device="cpu")
    pictures = [example(number) for number in range(8)]
    readings = reader.read([one.image for one in pictures], [one.prompt for one in pictures])
    assert [reading.text for reading in readings] == [one.targets[0] for one in pictures]
    assert "score of held-out examples" in (tmp_path / "run" / "curves.svg").read_text()


def test_a_checkpoint_says_how_it_was_tuned(run: Tune, tmp_path: Path, make_checkpoint: MakeCheckpoint) -> None:
    """And no longer what the checkpoint said that it started from."""
    start = make_checkpoint(min_confidence=0.5)
    result = run(tmp_path / "run", write_task(tmp_path / "data"), steps="1", init=str(start))
    settings = checkpoint_folder.load(result.folder).generation
    assert (settings["max_new_tokens"], settings.get("reads"), settings.get("min_confidence")) == (8, None, None)
    assert ImageProcessor.load(result.folder) == ImageProcessor(max_patches=24, is_vqa=True)


def test_a_task_without_questions_is_saved_as_such(run: Tune, tmp_path: Path) -> None:
    result = run(tmp_path / "run", write_task(tmp_path / "data", question=""), steps="1")
    assert not ImageProcessor.load(result.folder).is_vqa


@pytest.mark.parametrize("rank", ["0", "4"])
def test_a_resumed_run_repeats_the_uninterrupted_one_with_its_best_step(run: Tune, tmp_path: Path, rank: str) -> None:
    data = write_parts(tmp_path / "data")
    options: dict[str, Any] = {
        "lora_rank": rank,
        "recompute": "true",
        "learning_rate": "0.003",
        "accumulate": "2",
        "dropout": "0.1",
    }
    whole = run(tmp_path / "whole", data, steps="6", **options)
    run(tmp_path / "parts", data, steps="4", **options)
    again = run(tmp_path / "parts", data, steps="6", resume=True, **options)
    keys = ("step", "loss", "score", "human relaxed_accuracy", "augmented exact_match")
    assert records(tmp_path / "whole", *keys) == records(tmp_path / "parts", *keys)
    assert whole.folder.name == again.folder.name
    runs = [tmp_path / name / "step-00000006" for name in ("whole", "parts")]
    first, second = (checkpoint_folder.load(folder).model.state_dict() for folder in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_adapters_leave_a_plain_folder_that_differs_in_adapted_weights_alone(
    run: Tune, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    result = run(tmp_path / "run", write_task(tmp_path / "data"), steps="3", lora_rank="4", weight_decay="0")
    old, new = (checkpoint_folder.load(folder).model.state_dict() for folder in (tiny_checkpoint, result.folder))
    changed = {name for name in old if not torch.equal(old[name], new[name])}
    assert changed
    assert all(name.split(".")[-2] in {"query", "key", "value", "output", "gate", "up", "down"} for name in changed)


def test_adapters_are_not_put_beside_other_weights(run: Tune, tmp_path: Path) -> None:
    data = write_task(tmp_path / "data")
    run(tmp_path / "run", data, steps="2", lora_rank="4")
    other = run(tmp_path / "other", data, steps="2")
    with pytest.raises(ValueError, match="cannot be resumed: its adapters were trained beside other weights than init"):
        run(tmp_path / "run", data, steps="4", lora_rank="4", init=str(other.folder), resume=True)


def test_the_best_step_outlives_the_newest_ones(run: Tune, tmp_path: Path) -> None:
    """Of six scored steps the two newest are kept, and the best; from nothing learnt, the first of equals is best."""
    out = tmp_path / "run"
    result = run(out, write_task(tmp_path / "data"), steps="6", evaluate_every="1", save_every="1", learning_rate="0")
    kept = sorted(path.name for path in out.glob("step-*") if path.is_dir())
    assert kept == ["step-00000001", "step-00000005", "step-00000006"]
    assert (best_step(out), last_step(out), result.folder.name) == (1, 6, "step-00000001")


def test_the_part_that_chooses_can_be_named(run: Tune, tmp_path: Path) -> None:
    data = write_parts(tmp_path / "data")
    run(tmp_path / "run", data, steps="2", best_part="human")
    [scored] = records(tmp_path / "run", "score", "human relaxed_accuracy", "augmented relaxed_accuracy")[-1:]
    assert scored["score"] == scored["human relaxed_accuracy"]


def test_the_last_step_is_scored_whatever_its_number(run: Tune, tmp_path: Path) -> None:
    run(tmp_path / "run", write_task(tmp_path / "data"), steps="3")
    assert [record["step"] for record in records(tmp_path / "run", "step", "score") if "score" in record] == [2, 3]


def test_a_strip_that_the_model_has_no_place_for_is_passed_over(run: Tune, tmp_path: Path) -> None:
    """The model knows 255 columns; a strip of more ended the run."""
    strip = example(0, question="", size=(20_000, 4))
    sets = [*map(example, range(1, 8)), strip]
    data = [write_set(tmp_path / "train", sets, task="docvqa", split="train", part="")]
    run(tmp_path / "run", data, steps="2", batch_size="8", max_patches="300", evaluate_examples="0")
    assert sum(record["unusable"] for record in records(tmp_path / "run", "unusable")) > 0


def test_nothing_is_left_behind_by_a_wrong_start(run: Tune, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fine-tuning needs the shards of a task"):
        run(tmp_path / "run", [])
    assert not (tmp_path / "run").exists()
