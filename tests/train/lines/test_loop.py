"""The training loop of lines: it resumes exactly, steps over what is not finite, and stops without losing anything."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pixread.train.lines.loop import MAX_SKIPPED, last_state, train_lines
from pixread.train.lines.recipes import LineRecipe
from pixread.train.runtime import Progress, TrainResult
from tests.train.lines.layout_shards import SumTask

QUICK = {
    "steps": 8,
    "warmup_steps": 2,
    "log_every": 2,
    "save_every": 3,
    "evaluate_every": 4,
    "workers": 0,
    "learning_rate": 1e-2,
    "precision": "float32",
}


def run(out: Path, task: SumTask | None = None, *, resume: bool = False, progress=None, **changes) -> TrainResult:
    recipe = LineRecipe(**{**QUICK, **changes})
    return train_lines(
        task or SumTask(), recipe, name="line-detector", out=out, resume=resume, device="cpu", progress=progress
    )


def log(out: Path, key: str) -> dict[int, float]:
    records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return {record["step"]: record[key] for record in records if key in record}


def same_weights(one: Path, other: Path) -> bool:
    first, second = (load_file(folder / "weights.safetensors") for folder in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def interrupt_after(step: int):
    def interrupt(progress: Progress) -> None:
        if progress.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    return interrupt


def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path: Path) -> None:
    """Statistics of batch normalisation, dropout, skipped steps and the average go on as if nothing had been."""
    task = SumTask(infinite=(1, 6))
    whole = run(tmp_path / "whole", task)
    stopped = run(tmp_path / "parts", task, progress=interrupt_after(4))
    again = run(tmp_path / "parts", task, resume=True)
    assert (whole.step, stopped.step, again.step) == (8, 4, 8)
    assert (stopped.interrupted, again.interrupted) == (True, False)
    assert same_weights(tmp_path / "whole", tmp_path / "parts")
    for key in ("loss", "squared", "skipped", "held_out_error"):
        assert log(tmp_path / "whole", key) == log(tmp_path / "parts", key)


def test_a_worker_does_not_change_what_is_learnt(tmp_path: Path) -> None:
    run(tmp_path / "alone")
    run(tmp_path / "helped", workers=1)
    assert same_weights(tmp_path / "alone", tmp_path / "helped")


def test_it_learns_and_the_average_is_what_is_scored_and_saved(tmp_path: Path) -> None:
    task = SumTask()
    result = run(tmp_path, task, steps=300, save_every=300, evaluate_every=300, log_every=30)
    losses = log(tmp_path, "loss")
    assert losses[300] < 0.5 * losses[30]
    network = task.network().eval()
    task.load(network, result.folder / "weights.safetensors")
    assert task.score(network) == pytest.approx({"held_out_error": log(tmp_path, "held_out_error")[300]}, rel=1e-5)
    assert (tmp_path / "curves.svg").read_text().count("<polyline") == len(
        {"loss", "squared", "samples_per_second", "waiting", "skipped"}
    )


def test_steps_that_are_not_finite_are_skipped_and_counted(tmp_path: Path) -> None:
    """One infinite gradient made all weights NaN, and batch normalisation kept the infinite mean for good."""
    run(tmp_path, SumTask(infinite=(2, 3, 6)))
    assert log(tmp_path, "skipped") == {2: 0, 4: 2, 6: 0, 8: 1}
    state = torch.load(tmp_path / "step-00000008.state", weights_only=True)
    for name in ("network", "average"):
        assert all(tensor.isfinite().all() for tensor in state[name].values())


def test_a_run_that_diverges_ends_with_the_step_and_keeps_what_was_saved(tmp_path: Path) -> None:
    task = SumTask(infinite=tuple(range(5, 100)))
    sentence = (
        f"not finite in {MAX_SKIPPED + 1} steps in a row, the last of them step {5 + MAX_SKIPPED + 1}: the network"
    )
    with pytest.raises(ValueError, match=sentence):
        run(tmp_path, task, steps=100)
    assert all(tensor.isfinite().all() for tensor in load_file(tmp_path / "weights.safetensors").values())


def test_only_the_newest_states_are_kept(tmp_path: Path) -> None:
    run(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("step-00000006.state", "step-00000008.state", "weights.safetensors"),
        *("train.json", "metrics.jsonl", "curves.svg"),
    }


def test_ctrl_c_saves_the_step_in_progress(tmp_path: Path) -> None:
    result = run(tmp_path, steps=50, workers=1, progress=interrupt_after(2))
    assert (result.interrupted, result.step, last_state(tmp_path)) == (True, 2, 2)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_data_that_cannot_be_made_costs_no_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^page 5 is damaged; the run is saved as it was after step 5$"):
        run(tmp_path, SumTask(broken_at=5), workers=1)
    assert last_state(tmp_path) == 5


def test_a_worker_that_is_killed_costs_no_step(tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.step == 2:
            for worker in multiprocessing.active_children():
                os.kill(worker.pid or 0, signal.SIGKILL)

    with pytest.raises(ValueError, match=r"^a worker process that prepares .*; the run is saved as it was after step"):
        run(tmp_path, steps=5000, workers=1, progress=kill, save_every=5000, evaluate_every=5000)
    assert (last_state(tmp_path) or 0) >= 2


def test_a_run_starts_from_given_weights(tmp_path: Path) -> None:
    run(tmp_path / "first")
    for init in (tmp_path / "first", tmp_path / "first" / "weights.safetensors"):
        run(tmp_path / init.name / "second", init=str(init), steps=1, learning_rate=0.0)
        first = load_file(tmp_path / "first" / "weights.safetensors")
        second = load_file(tmp_path / init.name / "second" / "weights.safetensors")
        assert all(torch.equal(first[name], second[name]) for name in first if name.endswith(("weight", "bias")))


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="init must be shipped, a weights file or the folder of a run, and none/x is"):
        run(tmp_path / "new", init="none/x")
    run(tmp_path / "run", steps=1)
    with pytest.raises(ValueError, match="already holds a training run; continue it with --resume"):
        run(tmp_path / "run")
    with pytest.raises(ValueError, match="was started with crop=384, not 256"):
        run(tmp_path / "run", crop=256, resume=True)
    (tmp_path / "run" / "step-00000001.state").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"step-00000001\.state is damaged: remove it"):
        run(tmp_path / "run", resume=True)


def test_settings_of_the_process_stay(tmp_path: Path) -> None:
    former, chance = torch.get_num_threads(), torch.get_rng_state()
    run(tmp_path, steps=1, threads=2)
    assert torch.get_num_threads() == former
    assert torch.equal(torch.get_rng_state(), chance)
    assert torch.tensor([1e-40]).mul(1.0) > 0, "denormals count again"
