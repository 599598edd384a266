"""Where `transformers` 5.23 and the original differ: pixread follows the original, and `like="transformers"` the other.

Every test runs the real `transformers` and shows both sides.
"""

import ast
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoProcessor
from transformers import Pix2StructForConditionalGeneration as TheirModel
from transformers.models.pix2struct.image_processing_pil_pix2struct import Pix2StructImageProcessorPil

import pixread
from pixread.checkpoints.folder import save
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.patches import standardise, to_patches
from pixread.reader.reader import Reader
from pixread.records import Request
from pixread.tokenizers.tokenizer import train_tokenizer
from tests.checkpoints import hosted
from tests.conftest import Run

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as it lies on the Hub, with random weights that never end an output."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer([], vocab_size=300, alphabet=LETTERS)
    shape = Pix2StructConfig.uniform(
        hidden_size=16,
        d_ff=24,
        num_heads=2,
        d_kv=8,
        encoder_layers=1,
        decoder_layers=1,
        vocab_size=len(tokenizer),
        max_positions=256,
    )
    model = Pix2Struct(shape)
    with torch.no_grad():
        model.decoder.head.weight[shape.eos] = 0
        model.decoder.head.weight[len(tokenizer) - len(LETTERS) :] *= 3
    settings = json.dumps(hosted.preprocessor(is_vqa=False, max_patches=512)).encode()
    folder = save(model, tmp_path / "model", files={**tokenizer.files(), "preprocessor_config.json": settings})
    (folder / "generation_config.json").unlink()
    config = hosted.shrunk(hosted.config(), vocab_size=len(tokenizer))
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.mark.parametrize("side", [41, 47, 55, 61])
def test_the_grid_is_made_in_other_numbers(side: int):
    """float64 of theirs gives one row and one column more than float32 of the original."""
    theirs = Pix2StructImageProcessorPil()(noise(side, side), max_patches=4096, return_tensors="np")
    flattened = theirs["flattened_patches"][0][theirs["attention_mask"][0] > 0]

    original = to_patches(noise(side, side), max_patches=4096)
    followed = to_patches(noise(side, side), max_patches=4096, like="transformers")

    assert (int(original.rows.max()), int(original.cols.max())) == (63, 63)
    assert (int(followed.rows.max()), int(followed.cols.max())) == (64, 64)
    assert flattened[:, :2].astype(int).tolist() == torch.stack([followed.rows, followed.cols], dim=1).tolist()


def torchvision_normalize() -> Callable[[None, torch.Tensor], torch.Tensor]:
    """`normalize` of their default backend, cut out of its file: the module itself needs torchvision, this does not."""
    package = find_spec("transformers")
    assert package is not None and package.origin is not None
    path = Path(package.origin).parent / "models" / "pix2struct" / "image_processing_pix2struct.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[ast.stmt] = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "normalize"
    ]
    names: dict[str, Any] = {"torch": torch}
    exec(compile(ast.Module(found, type_ignores=[]), str(path), "exec"), names)
    return names["normalize"]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (123, 211)])
def test_the_deviation_is_over_one_value_less(size: tuple[int, int]):
    """In their default backend, torchvision; without torchvision their PIL backend takes over, like the original."""
    pixels = np.array(noise(*size))
    channels_first = torch.from_numpy(pixels).permute(2, 0, 1)
    theirs = torchvision_normalize()(None, channels_first[None].float())[0].permute(1, 2, 0).numpy()
    theirs_in_pil = Pix2StructImageProcessorPil().normalize(channels_first.numpy()).transpose(1, 2, 0)

    original, followed = standardise(pixels), standardise(pixels, like="transformers")

    np.testing.assert_allclose(followed, theirs, atol=1e-5)
    np.testing.assert_allclose(original, theirs_in_pil, atol=1e-5)
    factor = np.sqrt((pixels.size - 1) / pixels.size)
    np.testing.assert_allclose(followed, original * factor, atol=1e-6)
    assert factor < 1 - 6e-6


def test_the_saved_budget_of_patches_is_overridden(folder: Path):
    processor = AutoProcessor.from_pretrained(folder)
    assert processor.image_processor.max_patches == 512
    theirs = processor(images=noise(200, 300), return_tensors="np")["flattened_patches"][0]

    assert len(theirs) == 2048
    assert len(Reader.load(folder).processor.inputs(Request(noise(200, 300)))) <= 512
    followed = Reader.load(folder, like="transformers").processor.inputs(Request(noise(200, 300)))
    assert len(followed) == (theirs[:, 0] > 0).sum() > 512
    assert (
        len(Reader.load(folder, like="transformers", max_patches=100).processor.inputs(Request(noise(200, 300)))) <= 100
    )


@torch.no_grad()
def test_an_output_is_cut_where_nobody_said_so(folder: Path):
    """The Hub holds no generation_config.json, and the config's max_length of 20 counts the start token."""
    picture = noise(80, 60)
    processor, theirs = AutoProcessor.from_pretrained(folder), TheirModel.from_pretrained(folder).eval()
    ids = theirs.generate(**processor(images=picture, return_tensors="pt"))[0]
    assert len(ids) == 20

    original = pixread.load(folder, device="cpu").read(picture).text
    followed = pixread.load(folder, device="cpu", like="transformers").read(picture).text

    assert followed == processor.decode(ids, skip_special_tokens=True) != ""
    assert len(original) > 100
    longer = theirs.generate(**processor(images=picture, max_patches=512, return_tensors="pt"), max_new_tokens=128)[0]
    assert original == processor.decode(longer, skip_special_tokens=True)


@torch.no_grad()
def test_without_even_that_it_is_cut_at_another_length(folder: Path):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["text_config"]["max_length"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    processor, theirs = AutoProcessor.from_pretrained(folder), TheirModel.from_pretrained(folder).eval()

    ids = theirs.generate(**processor(images=noise(80, 60), return_tensors="pt"))[0]

    assert len(ids) == 1 + 20
    followed = pixread.load(folder, device="cpu", like="transformers").read(noise(80, 60)).text
    assert followed == processor.decode(ids, skip_special_tokens=True)


def test_a_checkpoint_for_questions_needs_one(folder: Path):
    """The released widget-captioning says so too, though it takes none; is_vqa=False puts that right."""
    (folder / "preprocessor_config.json").write_text(json.dumps(hosted.preprocessor()), encoding="utf-8")
    processor = AutoProcessor.from_pretrained(folder)
    with pytest.raises(ValueError, match="A header text must be provided for VQA models"):
        processor(images=noise(20, 20), return_tensors="np")

    assert len(Reader.load(folder).processor.inputs(Request(noise(20, 20))))
    with pytest.raises(
        ValueError, match=r"^like transformers, a checkpoint with is_vqa true needs a question, got none$"
    ):
        pixread.load(folder, like="transformers").read(noise(20, 20))
    assert pixread.load(folder, like="transformers", is_vqa=False).read(noise(20, 20), max_new_tokens=2).text


def test_a_question_to_another_checkpoint_is_no_header(folder: Path):
    """Theirs makes it the beginning of the output; the original has no place for it but the header."""
    theirs = AutoProcessor.from_pretrained(folder)(images=noise(20, 20), text="why", return_tensors="np")
    assert "decoder_input_ids" in theirs
    plain = AutoProcessor.from_pretrained(folder)(images=noise(20, 20), return_tensors="np")
    np.testing.assert_array_equal(theirs["flattened_patches"], plain["flattened_patches"])

    preprocess = ImageProcessor.load(folder)
    assert len(preprocess.patches(noise(20, 20), question="why?")) != len(preprocess.patches(noise(20, 20)))
    with pytest.raises(
        ValueError, match=r"^like transformers, a checkpoint with is_vqa false draws no question; load it"
    ):
        preprocess.changed(like="transformers").patches(noise(20, 20), question="why?")


def test_the_switch_has_two_positions(folder: Path):
    with pytest.raises(ValueError, match=r"^like must be original or transformers, got 'flax'$"):
        pixread.load(folder, like="flax")  # type: ignore[call-overload]


def test_the_command_line_has_the_switch(folder: Path, tmp_path: Path, run: Run):
    noise(80, 60).save(tmp_path / "picture.png")
    command = ("parse", tmp_path / "picture.png", "--model", folder, "--device", "cpu", "--format", "json")

    original, followed = run(*command), run(*command, "--like", "transformers")

    assert (original.code, followed.code) == (0, 0)
    texts = [json.loads(done.out)["text"] for done in (original, followed)]
    assert texts[1] == pixread.load(folder, device="cpu", like="transformers").read(noise(80, 60)).text
    assert len(texts[0]) > len(texts[1])
