"""`pixread push`, and what others then load."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from pixread.models.pix2struct.batch import collate
from pixread.reader.reader import Reader
from pixread.records import Request
from pixread.train.recipes import make_recipe
from tests.checkpoints.hub_client import Client
from tests.checkpoints.hub_server import TOKEN, Hub, serve
from tests.conftest import MakeCheckpoint, Run

NAME = "somebody/mine"
LOAD = """
import sys, torch
from PIL import Image
import pixread
from pixread.models.pix2struct.batch import collate
from pixread.reader.reader import Reader
from pixread.records import Request
reader = pixread.load(sys.argv[1], device="cpu", revision=sys.argv[2])
batch = collate([reader.processor.inputs(Request(Image.open(sys.argv[3])))], [[5, 6, 7, 1]])
with torch.no_grad():
    torch.save(reader.checkpoint.model(batch), sys.argv[4])
print(reader.read(sys.argv[3]).text)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve() as running:
        yield running


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Client:
    return Client(hub, tmp_path / "home")


@pytest.fixture
def training(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> Path:
    """A training run with one checkpoint, and its scores beside it."""
    out = tmp_path / "run"
    step = out / "step-00000007"
    shutil.copytree(make_checkpoint(), step)
    (out / "step-00000007.state").write_bytes(b"the optimiser's")
    recipe = replace(make_recipe("finetune-docvqa-base", {}), learning_rate=0.5)
    (out / "train.json").write_text(json.dumps({"name": "finetune-docvqa-base", **asdict(recipe)}), encoding="utf-8")
    scores = {"task": "pages", "main": "f1", "examples": 3, "scores": {"f1": 0.5}, "interval": [0.25, 0.75]}
    about = {"model": str(step), "shards": "dev"}
    (out / "metrics.json").write_text(json.dumps({**scores, "about": about}), encoding="utf-8")
    return out


def test_what_is_pushed_is_what_is_loaded(hub: Hub, client: Client, training: Path, tmp_path: Path):
    pushed = client.run(
        "-m", "pixread", "push", str(training), NAME, "--message", "Hello", HF_TOKEN=TOKEN, HF_DEBUG="1"
    )

    assert pushed.returncode == 0, pushed.stderr
    repository = hub.repositories[NAME]
    oid = repository.branches["main"]
    assert pushed.stdout == f"{hub.url}/{NAME}/commit/{oid}\n"
    assert f"pushing {training}/step-00000007 to {NAME}\n" in pushed.stderr
    assert repository.messages[-1] == "Hello"
    card = repository.commits[oid]["README.md"].content.decode()
    assert yaml.safe_load(card.split("---\n")[1]) == {
        "license": "apache-2.0",
        "library_name": "pixread",
        "pipeline_tag": "image-to-text",
        "tags": ["pixread", "pix2struct", "image-to-text"],
    }
    assert "pixread train finetune-docvqa-base --set learning_rate=0.5 --data SHARDS" in card
    assert "on 3 examples of dev. 95 % interval of f1: 0.250 to 0.750." in card
    assert "| f1 | 0.500 |" in card

    picture = tmp_path / "picture.png"
    Image.radial_gradient("L").save(picture)
    arguments = (NAME, oid, str(picture), str(tmp_path / "logits.pt"))
    loaded = client.run("-c", LOAD, *arguments, HF_TOKEN=TOKEN, HF_DEBUG="1")
    assert loaded.returncode == 0, loaded.stderr
    reader = Reader.load(training / "step-00000007", device="cpu")
    batch = collate([reader.processor.inputs(Request(Image.open(picture)))], [[5, 6, 7, 1]])
    with torch.no_grad():
        assert torch.equal(torch.load(tmp_path / "logits.pt"), reader.checkpoint.model(batch))
    assert loaded.stdout == reader.read(picture).text + "\n"

    for done in (pushed, loaded):
        assert "authenticated: True" in done.stderr, "what is looked through below is the log of every request"
        assert TOKEN not in done.stdout + done.stderr
    assert TOKEN not in "".join(path.read_text("utf-8", "replace") for path in client.home.rglob("*") if path.is_file())


def test_what_cannot_be_pushed_is_one_sentence(training: Path, run: Run, tmp_path: Path):
    """All of this is found before anything is sent."""
    folder = training / "step-00000007"
    missing = run("push", training, NAME, "--scores", tmp_path / "none.json")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    odd = run("push", training, NAME, "--scores", tmp_path / "list.json")
    nowhere = run("push", tmp_path / "nowhere", NAME)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    damaged = run("push", folder, NAME)

    assert {done.code for done in (missing, odd, nowhere, damaged)} == {1}
    assert missing.err == f"pixread: cannot read {tmp_path}/none.json: No such file or directory\n"
    assert odd.err == f"pixread: {tmp_path}/list.json must hold a JSON object, got list\n"
    assert nowhere.err == f"pixread: {tmp_path}/nowhere is not a checkpoint folder\n"
    assert damaged.err.startswith(f"pixread: {weights} is truncated or no safetensors file")
