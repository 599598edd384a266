"""`load`: which reader a name stands for, and what cannot be loaded."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

import pixread
from pixread.checkpoints.layout import PAGE_READER
from pixread.layout.learned import network as detector
from pixread.reader.line_by_line import PageReader
from pixread.reader.load import fewer_collections
from pixread.reader.reader import Reader
from pixread.recognition.ctc import recogniser

ASSETS = Path(pixread.__file__).parent / "assets"
DEMO = ASSETS / "demo" / "demo.png"
FIRST_LOAD = """
import gc
collections = []
gc.callbacks.append(lambda phase, information: collections.append(phase))
import pixread
before = len(collections)
{}
pixread.load(device="cpu")
print(len(collections) - before, gc.isenabled(), gc.get_freeze_count())
"""


@pytest.fixture(scope="module")
def shipped() -> PageReader:
    return pixread.load(device="cpu")


def test_weights_are_shipped():
    """Whoever builds a package without them is told so here."""
    assert [file.is_file() for file in (detector.SHIPPED, recogniser.SHIPPED)] == [True, True]
    assert (detector.SHIPPED.name, recogniser.SHIPPED.name) == PAGE_READER
    assert sum((ASSETS / name).stat().st_size for name in PAGE_READER) < 12e6


def test_without_a_name_pages_are_read(shipped: PageReader):
    reading = shipped.parse(DEMO)
    assert shipped.name == "the shipped model"
    words = reading.text.replace("<", " ").replace(">", " ").split()
    assert {"Tents", "Ridgeline", "tent", "Keswick"} <= set(words)
    assert len(reading.boxes) > 30


def test_a_question_goes_to_a_checkpoint(shipped: PageReader):
    with pytest.raises(ValueError, match=r"^the shipped model reads pages and answers no questions: load a checkpoint"):
        shipped.read(DEMO, "What does it cost?")


def test_a_checkpoint_is_read_with(tiny_checkpoint: Path):
    reader = pixread.load(tiny_checkpoint, device="cpu")
    assert isinstance(reader, Reader)
    assert reader.name == str(tiny_checkpoint)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "nowhere/at/all"}, "nowhere/at/all is not a checkpoint folder"),
        ({"device": "quantum"}, "the device 'quantum' cannot be used: "),
        ({"dtype": "int3"}, "dtype must be auto, float32, bfloat16, float16 or int8, got 'int3'"),
        ({"max_patches": 0}, "max_patches must be a whole number of at least 1, got 0"),
        ({"is_vqa": "yes"}, "is_vqa must be true or false, got 'yes'"),
        ({"revision": "main"}, "only a repository on the Hugging Face Hub has revisions, "),
        (
            {"name": None, "revision": "main"},
            "revision can only be given for a checkpoint, and the page reader is none",
        ),
        (
            {"name": None, "max_patches": 9, "like": "transformers"},
            "max_patches and like can only be given for a checkpoint",
        ),
        ({"name": None, "dtype": "int8"}, "the page reader computes in auto, float32, bfloat16, got int8"),
        ({"name": None, "device": "quantum"}, "the device 'quantum' cannot be used: "),
    ],
)
def test_what_cannot_be_loaded_is_refused(tiny_checkpoint: Path, options: dict, sentence: str):
    with pytest.raises(ValueError) as caught:
        pixread.load(**{"name": tiny_checkpoint, "device": "cpu", **options})
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_repository_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ValueError,
        match=r"^there is no folder nobody/nothing; HF_HUB_OFFLINE is set, and the repository is not, or not wholly,",
    ):
        pixread.load("nobody/nothing")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("", "0 True 0"),
        ("gc.disable()", "0 False 0"),  # the program's own choice
    ],
)
def test_the_first_load_is_not_held_up_by_garbage_collection(settings: str, told: str):
    """Hundreds of collections during the import of torch were a sixth of a cold start."""
    code = FIRST_LOAD.format(settings)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == told


def test_a_program_with_frozen_objects_keeps_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "torch")
    gc.freeze()
    try:
        with fewer_collections():
            assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
