"""The training loop: it learns, it resumes exactly, it stops on Ctrl-C without losing anything."""

from __future__ import annotations

import functools
import io
import json
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.resolve import resolve
from pixread.checkpoints.runs import last_step
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.records import Example
from pixread.shards import write_shards
from pixread.tokenizers.tokenizer import Tokenizer
from pixread.train.data import training_batches
from pixread.train.loop import LogWindow, Trainer, train
from pixread.train.recipes import make_recipe
from pixread.train.runtime import Progress
from tests.train.sets import FRESH

QUICK = {
    **FRESH,
    "batch_size": "2",
    "max_patches": "24",
    "warmup_steps": "2",
    "log_every": "1",
    "save_every": "3",
    "evaluate_every": "3",
    "evaluate_examples": "2",
    "workers": "0",
    "precision": "float32",
    "threads": "1",
}


def logged(out: Path, key: str) -> dict[int, float]:
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return {record["step"]: record[key] for record in records if key in record}


def run(out: Path, *, resume: bool = False, recipe: str = "warmup-base", **overrides: str):
    return train(recipe, out=out, overrides={**QUICK, **overrides}, resume=resume, device="cpu")


@pytest.mark.parametrize("optimizer", ["adamw", "muon", "adafactor"])
def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path: Path, optimizer: str) -> None:
    whole = run(tmp_path / "whole", steps="6", optimizer=optimizer, accumulate="2")
    run(tmp_path / "parts", steps="3", optimizer=optimizer, accumulate="2")
    again = run(tmp_path / "parts", steps="6", optimizer=optimizer, accumulate="2", resume=True)
    assert whole.step == again.step == 6
    assert logged(tmp_path / "whole", "loss") == logged(tmp_path / "parts", "loss")
    assert logged(tmp_path / "whole", "exact") == logged(tmp_path / "parts", "exact")
    first = checkpoint_folder.load(whole.folder).model.state_dict()
    second = checkpoint_folder.load(again.folder).model.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_workers_do_not_change_the_examples(tmp_path: Path) -> None:
    run(tmp_path / "alone", steps="2")
    run(tmp_path / "helped", steps="2", workers="2")
    assert logged(tmp_path / "alone", "loss") == logged(tmp_path / "helped", "loss")


@pytest.mark.parametrize("threads", ["0", "3"])
def test_threads_and_chance_of_the_process_stay(tmp_path: Path, threads: str) -> None:
    """Data made in the process itself left the model one thread, and `threads` held for whatever came after the run."""
    former, chance, seen = torch.get_num_threads(), torch.get_rng_state(), []
    torch.set_num_threads(2)
    try:
        make = functools.partial(
            train, "warmup-base", device="cpu", progress=lambda _: seen.append(torch.get_num_threads())
        )
        make(out=tmp_path / "run", overrides={**QUICK, "steps": "1", "threads": threads})
        assert set(seen) == {int(threads) or 2}
        with pytest.raises(ValueError, match="resume"):
            make(out=tmp_path / "run", overrides={**QUICK, "steps": "1", "threads": threads})
        assert torch.get_num_threads() == 2
        assert torch.equal(torch.get_rng_state(), chance)
    finally:
        torch.set_num_threads(former)


def test_what_was_logged_after_the_last_checkpoint_is_dropped(tmp_path: Path) -> None:
    run(tmp_path, steps="3")
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "loss": 0.0}\n{"step": 5, "lo')  # a crash in the middle of a line
    run(tmp_path, steps="6", resume=True)
    losses = logged(tmp_path, "loss")
    assert sorted(losses) == [1, 2, 3, 4, 5, 6]
    assert losses[4] > 0.0


def test_a_run_is_not_resumed_with_fewer_steps_than_are_done(tmp_path: Path) -> None:
    run(tmp_path, steps="2")
    recipe = (tmp_path / "train.json").read_text()
    with pytest.raises(ValueError, match=r"has 2 steps already, so steps must be at least 2, got 1$"):
        run(tmp_path, steps="1", resume=True)
    assert (tmp_path / "train.json").read_text() == recipe


def test_ctrl_c_saves_the_step_in_progress(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    result = train("warmup-base", out=tmp_path, overrides={**QUICK, "steps": "50"}, device="cpu", progress=interrupt)
    assert result.interrupted and result.signal == signal.SIGINT
    assert result.step == last_step(tmp_path) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_a_terminal_reaches_the_workers_and_still_saves(tmp_path: Path) -> None:
    """A terminal signals the whole process group; a worker that died of it took the unsaved steps along."""
    changes = {**QUICK, "steps": "5000", "workers": "1", "save_every": "5000", "evaluate_every": "5000"}
    options = [word for name, value in changes.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "pixread", "train", "warmup-base", "--out", str(tmp_path), *options]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        log = tmp_path / "metrics.jsonl"
        for _ in range(600):
            if log.exists() and log.read_text().count("\n") > 3:
                break
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    step = last_step(tmp_path)
    assert process.returncode == 130
    assert step is not None and step > 3
    assert said.strip() == f"interrupted after step {step}; go on with --resume"


def test_a_worker_that_is_killed_costs_no_step(tmp_path: Path) -> None:
    """Its death was reported in the middle of a step, and the steps since the last checkpoint were lost."""

    def kill(progress: Progress) -> None:
        if progress.step == 2:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, signal.SIGKILL)

    changes = {**QUICK, "steps": "5000", "workers": "1", "save_every": "5000", "evaluate_every": "5000"}
    with pytest.raises(ValueError, match=r"^a worker process that prepares .*; the run is saved as it was after step"):
        train("warmup-base", out=tmp_path, overrides=changes, device="cpu", progress=kill)
    step = last_step(tmp_path)
    assert step is not None and step >= 2


def test_a_run_leaves_a_checkpoint_that_loads_and_only_the_newest(tmp_path: Path) -> None:
    result = run(tmp_path, steps="9")
    assert resolve(tmp_path) == result.folder == tmp_path / "step-00000009"
    assert sorted(path.name for path in tmp_path.glob("step-*")) == [
        *("step-00000006", "step-00000006.state", "step-00000009", "step-00000009.state"),
    ]
    saved = checkpoint_folder.load(result.folder)
    assert saved.generation["max_new_tokens"] == 16
    assert ImageProcessor.load(result.folder) == ImageProcessor(max_patches=24)
    assert saved.config.vocab_size == len(Tokenizer.load(result.folder))


def test_a_run_that_diverges_says_so_and_keeps_what_was_saved(tmp_path: Path) -> None:
    """The loss became NaN, the log was no JSON any more, and weights of NaN were saved as the run's best."""
    with pytest.raises(ValueError, match=r"diverged.*lower learning_rate"):
        run(tmp_path, steps="40", learning_rate="1e30", save_every="1")
    for record in (tmp_path / "metrics.jsonl").read_text().splitlines():
        json.loads(record, parse_constant=pytest.fail)
    checkpoint_folder.load(resolve(tmp_path))  # refuses weights that are no numbers


def test_a_second_run_in_the_same_folder_needs_resume(tmp_path: Path) -> None:
    run(tmp_path, steps="3")
    with pytest.raises(ValueError, match="already holds a training run; continue it with --resume"):
        run(tmp_path, steps="3")
    with pytest.raises(ValueError, match="was started with batch_size=2, not 4"):
        run(tmp_path, steps="6", batch_size="4", resume=True)


def test_a_run_starts_from_another_runs_newest_step(tmp_path: Path) -> None:
    first = run(tmp_path / "first", steps="3")
    second = run(tmp_path / "second", steps="1", init=str(tmp_path / "first"), learning_rate="0", weight_decay="0")
    before = checkpoint_folder.load(first.folder).model.state_dict()
    after = checkpoint_folder.load(second.folder).model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_wrong_start_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"neither a checkpoint folder \(no config.json\) nor a training run"):
        run(tmp_path / "run", steps="1", init=str(tmp_path))
    with pytest.raises(ValueError, match="this recipe trains on shards; name them with --data"):
        run(tmp_path / "run", steps="1", warmup_share="0")
    assert not (tmp_path / "run").exists(), "nothing is left behind"


def _crop(number: int, *, broken: bool = False) -> Example:
    stream, image = io.BytesIO(), Image.new("RGB", (40, 16), "white")
    image.paste("black", (0, 0, 4 * (number % 8) + 4, 16))
    image.save(stream, "PNG")
    return Example(id=f"e{number}", image=b"no picture" if broken else stream.getvalue(), targets=(f"<{number}>",))


def test_shards_are_trained_on_and_broken_pictures_passed_over(tmp_path: Path) -> None:
    rows = [_crop(number, broken=number % 4 == 0) for number in range(12)]
    write_shards(rows, tmp_path / "shards", seed=0, about={})
    result = train(
        "warmup-base",
        out=tmp_path / "run",
        data=[tmp_path / "shards"],
        overrides={**QUICK, "steps": "8", "warmup_share": "0.5"},
        device="cpu",
    )
    assert result.step == 8
    unusable = logged(tmp_path / "run", "unusable")
    assert sum(unusable.values()) > 0


LIGHT = {"max_patches": "512", "precision": "bfloat16", "optimizer": "adafactor"}


@pytest.mark.parametrize(
    ("changes", "low_memory", "bfloat16_gradients"),
    [
        ({}, True, True),
        ({"max_patches": "256"}, False, True),
        ({"dropout": "0.1"}, False, True),
        ({"recompute": "true"}, False, True),
        ({"precision": "float32"}, True, False),
        ({"accumulate": "2"}, True, False),
        ({"optimizer": "adamw"}, True, False),
        ({"lora_rank": "4"}, False, True),
    ],
)
def test_a_step_is_made_as_light_as_the_recipe_allows(
    tiny_checkpoint: Path, changes: dict[str, str], low_memory: bool, bfloat16_gradients: bool
) -> None:
    """And it is a step: the loss is a number, and weights move."""
    start = {"init": str(tiny_checkpoint)} if "lora_rank" in changes else {}
    recipe = make_recipe("warmup-base", {**QUICK, "threads": "0", **LIGHT, **start, **changes})
    trainer = Trainer(recipe, data=[], device=torch.device("cpu"))
    assert isinstance(trainer.model, Pix2Struct)
    forwards = [vars(layer).get("forward") for layer in trainer.model.encoder.layers]
    assert all(isinstance(forward, functools.partial) == low_memory for forward in forwards)
    head = trainer.model.decoder.head.weight
    if hasattr(head, "grad_dtype"):
        assert (head.grad_dtype == torch.bfloat16) == bfloat16_gradients
    before = [weight.detach().clone() for weight in trainer.model.parameters() if weight.requires_grad]
    window = LogWindow()
    trainer.step(0, training_batches(trainer.windows, start=0, workers=0), window)
    after = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    assert math.isfinite(window.loss)
    assert any(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_the_loss_falls_when_the_same_few_pictures_come_again(tmp_path: Path) -> None:
    """Eight pictures, black up to another column, each with its number: a model that sees must learn them by heart."""
    write_shards([_crop(number) for number in range(8)], tmp_path / "shards", seed=0, about={})
    changes = {"steps": "40", "warmup_share": "0", "save_every": "40", "evaluate_examples": "0"}
    train(
        "warmup-base",
        out=tmp_path / "run",
        data=[tmp_path / "shards"],
        overrides={**QUICK, **changes, "batch_size": "8", "learning_rate": "0.003"},
        device="cpu",
    )
    losses = logged(tmp_path / "run", "loss")
    assert losses[40] < 0.5 * losses[1]
