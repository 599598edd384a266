"""`pixread convert` on checkpoints of T5X."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
from transformers import AutoProcessor

import pixread
from pixread.checkpoints.folder import load, save
from pixread.models.pix2struct.image_processor import FILE as PREPROCESS_FILE
from pixread.tokenizers.tokenizer import Tokenizer, train_tokenizer
from tests.checkpoints.t5x.writing import write_t5x
from tests.conftest import LETTERS, Run
from tests.models.tiny import tiny_model

TOKENIZER = train_tokenizer([], vocab_size=400, alphabet=LETTERS)
MODEL = tiny_model(patch_dim=768, max_positions=200, vocab_size=len(TOKENIZER), encoder_layers=1, decoder_layers=1)
PICTURE = np.full((64, 96, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with checkpoints of several steps: only the newest whole one can be read."""
    folder = tmp_path_factory.mktemp("t5x") / "docvqa_base"
    write_t5x(folder / "checkpoint_10000", MODEL)
    for name in ("checkpoint_9000", "checkpoint_20000.tmp-1", "checkpoint_latest"):
        (folder / name).mkdir()
        (folder / name / "checkpoint").write_bytes(b"")
    (folder / "checkpoint_30000").mkdir()
    return folder


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    for name, content in TOKENIZER.files().items():
        (folder / name).write_bytes(content)
    return folder


def test_the_newest_step_becomes_a_reader(run: Run, source: Path, tokenizer: Path, tmp_path: Path):
    out = tmp_path / "out"
    options = ("--tokenizer", tokenizer, "--max-patches", 64, "--vqa", "--dtype", "bfloat16")

    ended = run("convert", source, out, *options)

    assert (ended.code, ended.out, ended.err) == (0, f"{out}\n", "")
    same = save(MODEL, tmp_path / "same", files={path.name: path for path in tokenizer.iterdir()}, dtype=torch.bfloat16)
    (same / PREPROCESS_FILE).write_bytes((out / PREPROCESS_FILE).read_bytes())
    found, expected = (
        pixread.load(folder).read(PICTURE, question="who?", min_new_tokens=9, max_new_tokens=9)
        for folder in (out, same)
    )
    assert (found.text, found.score) == (expected.text, expected.score)
    assert load(out, dtype=None).model.decoder.head.weight.dtype == torch.bfloat16
    theirs = AutoProcessor.from_pretrained(out)
    assert theirs.image_processor.max_patches == 64
    assert theirs.image_processor.is_vqa is True
    assert theirs.tokenizer("abc", add_special_tokens=False).input_ids == TOKENIZER.encode("abc")


def test_one_step_may_be_named(run: Run, source: Path, tmp_path: Path):
    assert run("convert", source / "checkpoint_10000", tmp_path / "out").code == 0
    assert run("convert", source / "checkpoint_9000", tmp_path / "other").err == (
        f"pixread: {source}/checkpoint_9000/checkpoint is truncated: its msgpack goes on after 0 bytes\n"
    )


def test_without_a_tokenizer_it_says_so(run: Run, source: Path, tmp_path: Path):
    ended = run("convert", source, tmp_path / "out")

    assert (ended.code, ended.out) == (0, f"{tmp_path / 'out'}\n")
    assert ended.err == f"{tmp_path / 'out'} has no tokenizer, without which it cannot read; --tokenizer adds one\n"
    written = json.loads((tmp_path / "out" / "preprocessor_config.json").read_text())
    assert (written["max_patches"], written["is_vqa"]) == (2048, False)
    with pytest.raises(ValueError, match=r"tokenizer\.json"):
        pixread.load(tmp_path / "out")


def test_a_tokenizer_may_be_one_file(run: Run, source: Path, tokenizer: Path, tmp_path: Path):
    file = shutil.copy(tokenizer / "tokenizer.json", tmp_path / "mine.json")

    assert run("convert", source, tmp_path / "out", "--tokenizer", file).err == ""

    assert Tokenizer.load(tmp_path / "out").encode("Ab 1") == TOKENIZER.encode("Ab 1")
    assert (tmp_path / "out" / "tokenizer_config.json").is_file()


def test_a_tokenizer_may_be_a_sentencepiece_model(run: Run, source: Path, tmp_path: Path):
    learner = sentencepiece.SentencePieceTrainer
    learner.train(
        sentence_iterator=iter(["the quick brown fox jumps over the lazy dog"] * 20),
        model_prefix=str(tmp_path / "t5x"),
        vocab_size=40,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        hard_vocab_limit=False,
        minloglevel=2,
    )

    assert run("convert", source, tmp_path / "out", "--tokenizer", tmp_path / "t5x.model").err == ""

    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "t5x.model"))
    assert Tokenizer.load(tmp_path / "out").encode("the lazy fox") == theirs.encode("the lazy fox")
    assert (tmp_path / "out" / "spiece.model").read_bytes() == (tmp_path / "t5x.model").read_bytes()


def test_a_tokenizer_that_is_none_is_found_before_anything_is_written(run: Run, source: Path, tmp_path: Path):
    broken = tmp_path / "broken.json"
    broken.write_text("{}", encoding="utf-8")

    ended = run("convert", source, tmp_path / "out", "--tokenizer", broken)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"pixread: {broken} is not a tokenizer file: ")
    absent = tmp_path / "absent.model"
    assert run("convert", source, tmp_path / "out", "--tokenizer", absent).err == (
        f"pixread: {absent}: No such file or directory\n"
    )
    wrong = run("convert", source, tmp_path / "out", "--tokenizer", tmp_path / "vocab.txt")
    assert wrong.code == 2
    assert "takes a folder, a .json or a .model file" in " ".join(wrong.err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["broken.json"]


def test_options_for_t5x_alone_are_refused_elsewhere(run: Run, tiny_checkpoint: Path, tmp_path: Path):
    ended = run("convert", tiny_checkpoint, tmp_path / "out", "--vqa")

    assert ended.code == 2
    assert "--max-patches and --vqa are for T5X checkpoints" in " ".join(ended.err.split())
    assert not (tmp_path / "out").exists()


def test_addresses_in_the_cloud_are_to_be_copied_first(run: Run, tmp_path: Path):
    ended = run("convert", "gs://bucket/docvqa_base", tmp_path / "out")

    assert (ended.code, ended.err) == (
        1,
        "pixread: gs://bucket/docvqa_base is not on this machine; "
        "copy it here (gcloud storage cp -r) and name the copy\n",
    )


def test_a_t5x_checkpoint_is_never_replaced(run: Run, source: Path):
    folder = source / "checkpoint_10000"

    ended = run("convert", folder, folder)

    assert ended.code == 1
    assert ended.err.startswith(f"pixread: cannot write the checkpoint {folder}: it holds ")
    assert (folder / "checkpoint").is_file()


def test_neither_jax_nor_tensorstore_is_imported(source: Path, tmp_path: Path):
    code = (
        "import sys; from pixread.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*({'jax', 'tensorflow', 'tensorstore', 'flax'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code, "convert", str(source), str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == f"{tmp_path / 'out'}\n\n"
