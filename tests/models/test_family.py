"""The contracts hold a second family: it is read with, trained and evaluated without a line of its own elsewhere."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

import pixread
from pixread.checkpoints.folder import load, rewrite, save
from pixread.evaluate import evaluate
from pixread.generate.greedy import greedy
from pixread.layout.learned.detector import LearnedDetector
from pixread.layout.line_crops import crop_for_recognition
from pixread.models.registry import FAMILIES, sized
from pixread.reader.reader import Reader
from pixread.records import Box, Request
from pixread.tokenizers.tokenizer import BYTES, EOS, UNK, train_tokenizer
from pixread.train.loop import train
from tests.models.recurrent import RECURRENT, Recurrent, RecurrentConfig, RecurrentProcessor
from tests.train.sets import FRESH, example, write_set, write_task
from tests.train.test_finetune import QUICK

DEMO = Path(pixread.__file__).parent / "assets" / "demo" / "demo.png"
COLOURED = [Image.new("RGB", (40 + 9 * number, 30), colour) for number, colour in enumerate(("red", "lime", "blue"))]
QUESTIONS = ["Which colour is it?", "", "Why?"]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, RECURRENT.model_type, RECURRENT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    tokenizer = train_tokenizer([], vocab_size=400, alphabet="abcdefghijklmnopqrstuvwxyz 0123456789<>?")
    model = Recurrent(RecurrentConfig(vocab_size=len(tokenizer)))
    torch.nn.init.normal_(model.head.weight, std=2.0)  # so that outputs differ
    with torch.no_grad():
        model.head.bias[UNK + 1 : UNK + 1 + len(BYTES)] = -99  # streamed, broken UTF-8 may differ
    files = RecurrentProcessor(tokenizer).files()
    return save(model, tmp_path / "recurrent", generation={"max_new_tokens": 9}, files=files)


@pytest.fixture
def reader(folder: Path) -> Reader:
    reader = pixread.load(folder, device="cpu")
    assert isinstance(reader, Reader)
    return reader


def naive(reader: Reader, request: Request, *, length: int) -> tuple[list[int], list[float]]:
    """Greedy decoding by teacher-forced passes over all that was generated."""
    model, processor = reader.checkpoint.model, reader.processor
    ids: list[int] = []
    log_probs: list[float] = []
    while len(ids) < length and EOS not in ids:
        batch = processor.collate([processor.inputs(request)], [[*ids, 0]])
        scores: Tensor = model(batch)[0, -1].log_softmax(-1)
        ids.append(int(scores.argmax()))
        log_probs.append(float(scores.max()))
    return ids, log_probs


@torch.inference_mode()
def test_a_batch_is_read_as_pictures_alone_are_and_as_a_loop_without_a_state_reads(reader: Reader):
    readings = reader.read(COLOURED, QUESTIONS, batch_size=2)
    assert len({reading.text for reading in readings}) > 1
    for image, question, reading in zip(COLOURED, QUESTIONS, readings, strict=True):
        ids, log_probs = naive(reader, Request(image, question), length=9)
        assert reading.text == reader.processor.tokenizer.decode(ids)
        assert reading.score == pytest.approx(sum(log_probs) / len(log_probs), rel=1e-4)
        assert reader.read(image, question).text == reading.text


def test_beams_samples_streams_scores_and_regions(reader: Reader):
    image = COLOURED[0]
    greedily, searched = (reader.read(image, "Why?", beams=beams) for beams in (1, 3))
    assert "".join(reader.stream(image, "Why?")) == greedily.text
    drawn = reader.sample(image, count=4, seed=1, batch_size=3)
    assert [one.text for one in drawn] == [one.text for one in reader.sample(image, count=4, seed=1)]
    assert len({one.text for one in drawn}) > 1
    # Of a beam search: the text that it found is scored, its end included, as teacher-forced scoring scores it.
    if searched.ended:
        [score] = reader.score(image, [searched.text], "Why?")
        assert searched.log_prob == pytest.approx(score, rel=1e-4)
    assert all(math.isfinite(score) for score in reader.score(image, ["ab", "", "longer"]))
    left, right = Box(0, 0, 20, 30), Box(20, 0, 20, 30)
    two = Image.new("RGB", (40, 30), "white")
    two.paste(Image.new("RGB", (20, 30), "black"), (20, 0))
    assert reader.read(two, region=left).text != reader.read(two, region=right).text


def test_constrained_decoding_needs_no_more_than_a_tokenizer(reader: Reader):
    text = reader.read(COLOURED[0], grammar=True, max_new_tokens=12).text
    assert text.startswith("<") and text.endswith(">") and text.count("<") == text.count(">")


def test_rows_join_and_leave(reader: Reader):
    """As a service needs it: what joins between two steps goes on as it would alone."""
    model, processor = reader.checkpoint.model, reader.processor
    states = [
        model.prefill(processor.collate([processor.inputs(Request(image))])) for image in (COLOURED[0], COLOURED[2])
    ]
    alone = [greedy(model, state, max_new_tokens=4).ids[0] for state in states]
    together = states[0].expand(1)
    together.admit(states[1].expand(1), max_length=4)
    assert greedy(model, together, max_new_tokens=4).ids == alone


def test_folders_are_saved_read_and_written_again(folder: Path, tmp_path: Path):
    assert json.loads((folder / "config.json").read_text())["model_type"] == "recurrent"
    checkpoint = load(folder)
    assert checkpoint.config == RecurrentConfig(vocab_size=checkpoint.config.vocab_size)
    again = load(rewrite(folder, tmp_path / "again"))
    assert all(
        torch.equal(again.model.state_dict()[name], weight) for name, weight in checkpoint.model.state_dict().items()
    )


def test_a_checkpoint_of_lines_reads_a_page_line_by_line(folder: Path):
    """Each line that is detected is read as it would be alone."""
    checkpoint = load(folder)
    with torch.no_grad():
        checkpoint.model.head.weight *= 9  # so sure of itself that no word is left out
    processor = checkpoint.processor()
    assert isinstance(processor, RecurrentProcessor)
    reader = Reader(checkpoint, replace(processor, page_strategy="line_by_line"), name="lines")
    page = Image.open(DEMO)
    reading = reader.parse(page, max_new_tokens=6)
    detected = [region for region in LearnedDetector.load().detect([page])[0] if region.kind == "line"]
    alone = [reader.read(crop_for_recognition(page, line), max_new_tokens=6).text.split() for line in detected]
    assert len(detected) > 20
    words = [word.text for node in reading.tree.walk() for word in node.words]
    assert len(words) > 20 and set(words) <= {word for line in alone for word in line}


def test_what_a_family_lacks_is_refused(folder: Path):
    with pytest.raises(ValueError, match=r"^a recurrent model has no max_patches$"):
        pixread.load(folder, device="cpu", max_patches=64)
    with pytest.raises(ValueError, match=r"^int8 is not made for models of the type recurrent; use bfloat16 instead$"):
        pixread.load(folder, device="cpu", dtype="int8")
    with pytest.raises(ValueError, match=r"^a question may have 40 characters, got 41$"):
        pixread.load(folder, device="cpu").read(COLOURED[0], "?" * 41)


@pytest.mark.parametrize("changes", [{"steps": "150"}, {"steps": "2", "lora_rank": "4", "recompute": "true"}])
def test_it_is_tuned_resumed_and_evaluated(folder: Path, tmp_path: Path, changes: dict[str, str]):
    data = write_task(tmp_path / "data")
    often = {"evaluate_every": "50", "save_every": "50", "batch_size": "8", "learning_rate": "0.01"}
    overrides = {**QUICK, **often, "init": str(folder), "optimizer": "adamw", **changes}
    first = {**overrides, "steps": str(int(changes["steps"]) // 2)}
    train("finetune-laptop", out=tmp_path / "run", data=data, overrides=first, device="cpu")
    result = train("finetune-laptop", out=tmp_path / "run", data=data, overrides=overrides, resume=True, device="cpu")
    metrics = evaluate(data[1], model=result.folder, task="docvqa", out=tmp_path / "scores")
    assert metrics["examples"] == 8
    if "lora_rank" not in changes:
        assert metrics["scores"]["anls"] == 1.0


def test_one_is_made_anew_and_learns_from_shards(tmp_path: Path):
    assert sized("recurrent-small", vocab_size=7).vocab_size == 7
    data = write_set(tmp_path / "set", [example(number) for number in range(8)])
    overrides = {
        **FRESH,
        **QUICK,
        "size": "recurrent-small",
        "steps": "2",
        "evaluate_examples": "4",
        "warmup_share": "0",
    }
    result = train("pretrain-base", out=tmp_path / "run", data=data, overrides=overrides, device="cpu")
    assert load(result.folder).family is RECURRENT
