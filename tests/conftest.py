"""What the tests of several rooms share."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from pixread.checkpoints.folder import save
from pixread.cli import main
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.tokenizers.tokenizer import train_tokenizer

# Models of tests are tiny: a second thread only waits for the first, for ever so long where the machine is busy.
torch.set_num_threads(1)

LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,<>/="
MakeCheckpoint = Callable[..., Path]


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture(scope="session")
def make_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> MakeCheckpoint:
    """Makes checkpoint folders of a tiny model with random weights: it reads, but nothing that makes sense."""

    def make(**generation: object) -> Path:
        torch.manual_seed(7)
        tokenizer = train_tokenizer([], vocab_size=400, alphabet=LETTERS)
        config = Pix2StructConfig.uniform(
            hidden_size=16,
            d_ff=24,
            num_heads=2,
            d_kv=8,
            encoder_layers=1,
            decoder_layers=1,
            vocab_size=len(tokenizer),
            max_positions=256,
        )
        preprocess = ImageProcessor(max_patches=128)
        files = {**tokenizer.files(), "preprocessor_config.json": json.dumps(preprocess.to_json()).encode()}
        settings = {"max_new_tokens": 12, **generation}
        folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
        return save(Pix2Struct(config), folder, generation=settings, files=files)

    return make


@pytest.fixture(scope="session")
def tiny_checkpoint(make_checkpoint: MakeCheckpoint) -> Path:
    """A tiny random checkpoint."""
    return make_checkpoint()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, the way the installed program does."""

    def run_main(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pixread", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out
        return Ended(code, said.out, said.err)

    return run_main
