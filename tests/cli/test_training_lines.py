"""`pixread train` of the recipes that learn lines."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import safe_open

from tests.conftest import Run
from tests.train.lines.layout_shards import many_pages, page, row, write_pages

QUICK = [
    *("--set", "steps=2", "--set", "batch_size=2", "--set", "crop=64", "--set", "workers=0", "--set", "log_every=1"),
    *("--set", "evaluate_examples=2", "--set", "drawn_share=0", "--set", "precision=float32", "--device", "cpu"),
]


def test_a_detector_is_trained_and_goes_on(run: Run, tmp_path: Path) -> None:
    shards = many_pages(tmp_path / "pages" / "layout", count=4)
    command = ["train", "line-detector", "--data", shards.parent, "--out", tmp_path / "run", *QUICK]
    ended = run(*command)
    assert (ended.code, ended.out) == (0, f"{tmp_path / 'run'}\n"), ended.err
    again = run(*command, "--resume", "--set", "steps=3")
    assert again.code == 0, again.err
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if "loss" in record] == [1, 2, 3]
    with safe_open(tmp_path / "run" / "weights.safetensors", "pt") as weights:
        assert json.loads(weights.metadata()["config"])


def test_mistakes_are_one_sentence(run: Run, tmp_path: Path) -> None:
    crops = write_pages(tmp_path / "crops", [page("site/a", [row("a", 0)])], target="crops")
    for options, sentence in (
        (["line-detector"], "no shard set was given: name at least one folder"),
        (["line-detector", "--data", crops], f"{crops} holds examples of 'crops', and lines are learnt from those of"),
        (["line-detector", "--set", "steps=0"], "steps must be at least 1, got 0"),
        (["line-finder"], "no recipe 'line-finder'; the recipes are warmup-base, "),
    ):
        ended = run("train", *options, "--out", tmp_path / "run")
        assert ended.code == 1
        assert ended.err.startswith(f"pixread: {sentence}") and ended.err.count("\n") == 1
    assert not (tmp_path / "run").exists()
