"""Labels longer than `max_tokens`: counted and said before the first step, and never taken for whole ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace

from pixread.checkpoints import folder as checkpoint_folder
from pixread.records import Example
from pixread.shards import ShardSet
from pixread.tokenizers.tokenizer import EOS, SPECIALS, Tokenizer
from pixread.train.data import Shards, Windows
from pixread.train.labels import LabelLengths, Lengths, label_lengths, unknown_characters
from pixread.train.loop import train
from pixread.train.scoring import held_out, score
from tests.conftest import Run
from tests.train.sets import ALL_WEIGHTS, example, write_set

QUICK = {
    **ALL_WEIGHTS,
    **{"max_patches": "24", "max_tokens": "8", "batch_size": "4", "warmup_steps": "1", "log_every": "1"},
    **{"save_every": "9", "evaluate_every": "9", "workers": "0", "precision": "float32", "threads": "1", "steps": "1"},
}


def with_targets(*targets: str, number: int = 0) -> Example:
    return replace(example(number), targets=targets)


def write_task(folder: Path, *, learnt: list[Example], held: list[Example]) -> Path:
    for split, examples in (("train", learnt), ("val", held)):
        write_set(folder / split, examples, task="docvqa", split=split, part="")
    return folder


@pytest.fixture
def tokenizer(tiny_checkpoint: Path) -> Tokenizer:
    return Tokenizer.load(tiny_checkpoint)


def test_labels_are_measured_with_their_end(tmp_path: Path, tokenizer: Tokenizer) -> None:
    """Any label of an example may be drawn to learn from; one that fits is enough to answer."""
    long = "0123456789" * 5
    size = len(tokenizer.encode(long)) + 1
    fits = write_set(tmp_path / "fits", [with_targets(long)])
    mixed = write_set(tmp_path / "mixed", [with_targets("1", long), with_targets("2"), with_targets(long, number=1)])
    assert label_lengths([fits], [], tokenizer, max_tokens=size).sentence() == ""
    found = label_lengths([mixed, fits], [mixed], tokenizer, max_tokens=size - 1)
    assert found == LabelLengths(size - 1, Lengths(4, 3, size), Lengths(3, 1, size))
    assert label_lengths([], [], tokenizer, max_tokens=1).sentence() == ""


def logged(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_a_run_says_what_it_cuts_and_logs_it(tmp_path: Path, tiny_checkpoint: Path, tokenizer: Tokenizer) -> None:
    """Long labels were cut without a word: `unusable` was 0, and held-out scores fell for no visible reason."""
    long = '{"total": {"cash": "5,000"}}'
    size = len(tokenizer.encode(long)) + 1
    data = write_task(
        tmp_path / "data",
        learnt=[with_targets(long), *(with_targets("1", number=number) for number in (1, 2, 3))],
        held=[with_targets(long), with_targets("1", number=1)],
    )
    changes = {**QUICK, "init": str(tiny_checkpoint), "steps": "8"}  # eight times all of them
    with pytest.warns(UserWarning, match="longer than max_tokens") as told:
        train("finetune-laptop", out=tmp_path / "run", data=data, overrides=changes, device="cpu")
    (sentence,) = (str(one.message) for one in told if one.category is UserWarning)
    assert sentence == (
        "labels are longer than max_tokens, which is 8: 1 of 4 examples to learn from are cut there and have no end, "
        f"and 1 of 2 examples held out can never be answered in full; the longest has {size} tokens, so "
        f"max_tokens={size} keeps all of them whole"
    )
    first, *others = logged(tmp_path / "run")
    assert first["labels"]["learnt"] == {"examples": 4, "too_long": 1, "longest": size}
    assert sum(record.get("cut", 0) for record in others) == 8

    again: list[str] = []
    longer = {**changes, "steps": "9"}
    train(
        "finetune-laptop",
        out=tmp_path / "run",
        data=data,
        overrides=longer,
        resume=True,
        device="cpu",
        warn=again.append,
    )
    assert again == [sentence]
    assert sum("labels" in record for record in logged(tmp_path / "run")) == 1

    whole = {**changes, "max_tokens": str(size)}
    train("finetune-laptop", out=tmp_path / "whole", data=data, overrides=whole, device="cpu", warn=pytest.fail)
    assert {record.get("cut", 0) for record in logged(tmp_path / "whole")} == {0}


def test_characters_that_the_tokenizer_lacks_are_named(tmp_path: Path, tokenizer: Tokenizer) -> None:
    """Braces and other scripts became one token of a released vocabulary, which vanishes from texts, without a word."""
    (tmp_path / "unigram").mkdir()
    pieces = [*((name, 0.0) for name in SPECIALS), *((piece, -3.0) for piece in "\u2581abcdef:")]
    backend = Backend(Unigram(pieces, unk_id=SPECIALS.index("<unk>"), byte_fallback=False))
    backend.pre_tokenizer = Metaspace()
    backend.save(str(tmp_path / "unigram" / "tokenizer.json"))
    few = Tokenizer.load(tmp_path / "unigram")
    data = write_set(tmp_path / "set", [with_targets("abc", "{a: b}"), with_targets("ab", number=1)])
    assert unknown_characters([data], few) == (
        "labels have characters that the tokenizer lacks: 1 of 2 examples to learn from are learnt without '{', '}'"
    )
    many = write_set(tmp_path / "many", [with_targets("".join(map(chr, range(0x4E00, 0x4E64))), number=2)])
    assert unknown_characters([many], few).endswith(" and 92 more characters")
    assert unknown_characters([data, many], tokenizer) == "", "those trained here spell them in bytes"
    assert unknown_characters([], few) == ""


def test_the_command_says_it_once(tmp_path: Path, tiny_checkpoint: Path, run: Run) -> None:
    long = [with_targets("0123456789" * 3, number=number) for number in range(2)]
    data = write_task(tmp_path / "data", learnt=long, held=[with_targets("1", number=3)])
    options = [
        part for change in (QUICK | {"init": str(tiny_checkpoint)}).items() for part in ("--set", "=".join(change))
    ]
    ended = run("train", "finetune-laptop", "--data", data, "--out", tmp_path / "run", *options)
    assert ended.code == 0, ended.err
    (line,) = ended.err.splitlines()
    assert line.startswith(
        "pixread: labels are longer than max_tokens, which is 8: 2 of 2 examples to learn from are cut"
    )


def test_a_cut_label_is_no_whole_one_when_it_is_scored(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """What a model writes up to where the label was cut counted as read without a fault."""
    checkpoint = checkpoint_folder.load(tiny_checkpoint)
    model, tokenizer = checkpoint.model.eval(), checkpoint.processor().tokenizer
    shards = ShardSet(write_set(tmp_path / "set", [with_targets("0123456789" * 3)]))

    def scored(max_tokens: int) -> dict[str, float]:
        processor = checkpoint.processor().changed(max_patches=24)
        windows = Windows(Shards(shards, seed=0), processor, batch_size=1, max_tokens=max_tokens, seed=0)
        held = held_out(windows, count=1)
        assert held.batch.labels is not None
        assert (EOS in held.batch.labels[0].tolist()) == (max_tokens > 30)
        assert tokenizer.decode(held.wholes[0]) == "0123456789" * 3
        return score(model, held, tokenizer, max_tokens=max_tokens)

    assert scored(4)["exact"] == 0.0
    assert scored(4)["character_error_rate"] > 0.8
    assert scored(99)["exact"] == 0.0
