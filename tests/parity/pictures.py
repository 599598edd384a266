"""Comparisons of what comes before the network: patches of pictures of any size, and questions drawn above them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from pixread.checkpoints.folder import save
from pixread.images.header import add_header
from pixread.images.text_drawing import is_all_plain
from pixread.images.typefaces import FONT_FILE
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.models.pix2struct.patches import to_patches
from pixread.reader.load import load
from pixread.tokenizers.tokenizer import train_tokenizer
from tests.conftest import LETTERS
from tests.parity.case import Case
from tests.parity.configs import CONFIGS
from tests.parity.theirs import their_header, their_model, their_patches

FONT = (files("pixread") / "assets" / "fonts" / FONT_FILE).read_bytes()
# The same sizes every time, so that the table can be made again.
EXAMPLES = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
SIDES = st.integers(1, 600)
BUDGETS = st.integers(1, 2048) | st.sampled_from([1, 2, 128, 2048, 4096])


def noise(width: int, height: int, *, seed: int, low: int = 0, high: int = 256) -> Image.Image:
    """A picture of random pixels between two shades."""
    shape = (height, width, 3)
    return Image.fromarray(np.random.default_rng(seed).integers(low, high, shape, dtype=np.uint8))


def patches_difference(image: Image.Image, *, max_patches: int) -> float | None:
    """The largest difference between two pixels or places; None where the grids are not of one size.

    Theirs is computed in float64 and ours, as the original's, in float32: about one size of 10000 comes out otherwise.
    """
    ours = to_patches(image, max_patches=max_patches)
    theirs = their_patches(image, max_patches=max_patches)["flattened_patches"][0]  # (max_patches, 770)
    places = torch.stack([ours.rows, ours.cols], dim=-1).float()
    found = torch.cat([places, ours.pixels], dim=-1)  # (N, 770)
    if not torch.equal(theirs[:, :2].amax(0), places.amax(0)):
        return None
    assert not theirs[len(found) :].any(), "what follows the patches must be padding"
    return float((found - theirs[: len(found)]).abs().max())


def worst_over_sizes() -> float:
    """Over pictures of sizes and budgets that hypothesis chooses."""
    found: list[float] = []

    @EXAMPLES
    @given(width=SIDES, height=SIDES, max_patches=BUDGETS, seed=st.integers(0, 99))
    def compare(width: int, height: int, max_patches: int, seed: int) -> None:
        difference = patches_difference(noise(width, height, seed=seed), max_patches=max_patches)
        assume(difference is not None)
        found.append(difference or 0.0)

    compare()
    assert len(found) > 30, "too few sizes were compared"
    return max(found)


def worst_over(images: Callable[[], list[Image.Image]], max_patches: int) -> float:
    differences = [patches_difference(image, max_patches=max_patches) for image in images()]
    assert None not in differences
    return max(difference or 0.0 for difference in differences)


def large_pictures() -> list[Image.Image]:
    return [noise(1654, 2339, seed=0), noise(1920, 1080, seed=1), noise(4000, 300, seed=2), noise(17, 4000, seed=3)]


def header_difference(text: str, image: Image.Image) -> int:
    """How many pixels differ between the picture under its question and theirs, drawn with the same font file."""
    ours = np.asarray(add_header(image, text))
    theirs = their_header(text, image, font=FONT)
    assert ours.shape == theirs.shape, f"{ours.shape} != {theirs.shape}"
    return int((ours != theirs).any(axis=-1).sum())


def headers_over_texts() -> float:
    """Over questions and sizes that hypothesis chooses."""
    letters = st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]) | st.just("\n")
    counts: list[int] = []

    @EXAMPLES
    @given(text=st.text(letters, min_size=1, max_size=200), width=st.integers(30, 500), height=st.integers(1, 300))
    def compare(text: str, width: int, height: int) -> None:
        # We draw no header for no question, and what the font lacks with others, where they draw boxes.
        text = "".join(filter(is_all_plain, text))
        assume(text.strip())
        counts.append(header_difference(text, noise(width, height, seed=0)))

    compare()
    return sum(counts)


def headers_of_questions() -> float:
    questions = [
        "What does the label 15 represent? (1) lava (2) core (3) tunnel (4) ash cloud",
        "a",
        "Wie heißt das größte Gebäude auf dem Bild, und wann wurde es gebaut?",
        "Generate underlying data table of the figure below:",
        "word " * 60,
        "unbroken" * 30,
        "two\nlines",
    ]
    sizes = [(1, 1), (50, 20), (300, 200), (1400, 90), (90, 200)]
    return sum(header_difference(text, noise(*size, seed=0)) for text in questions for size in sizes)


def texts_differing() -> float:
    """From picture and question to text: the whole reader against processor and `generate`, with 1 and 4 beams."""
    tokenizer = train_tokenizer([], vocab_size=400, alphabet=LETTERS)
    torch.manual_seed(0)
    ours = Pix2Struct(replace(CONFIGS["odd heads"], vocab_size=len(tokenizer), max_positions=200)).eval()
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        settings_file = json.dumps(ImageProcessor(max_patches=150).to_json()).encode()
        companions = {**tokenizer.files(), "preprocessor_config.json": settings_file}
        reader = load(save(ours, Path(folder) / "model", files=companions), device="cpu", dtype="float32")
        theirs = their_model(ours)
        for beams in (1, 4):
            for seed, question in enumerate(["What is this?", "How many bars are there in the chart?", "Title"]):
                image = noise(300 + 40 * seed, 210, seed=seed)
                asked = Image.fromarray(their_header(question, image, font=FONT))
                made = theirs.generate(**their_patches(asked, max_patches=150), num_beams=beams, max_new_tokens=25)
                expected = tokenizer.decode(made[0, 1:].tolist())
                count += reader.read(image, question, beams=beams, max_new_tokens=25).text != expected
    return count


CASES = [
    Case(
        config="preprocessing",
        compared="patches of 40 sizes up to 600 pixels, budgets 1 to 4096",
        unit="deviations",
        limit=1e-5,
        measure=worst_over_sizes,
    ),
    Case(
        config="preprocessing",
        compared="patches of large and of extreme pictures, 4096 patches",
        unit="deviations",
        limit=1e-5,
        measure=partial(worst_over, large_pictures, 4096),
    ),
    Case(
        config="preprocessing",
        compared="headers of 7 questions over 5 pictures",
        unit="pixels differ",
        limit=0,
        measure=headers_of_questions,
    ),
    Case(
        config="preprocessing",
        compared="headers of 40 random texts over random sizes",
        unit="pixels differ",
        limit=0,
        measure=headers_over_texts,
    ),
    Case(
        config="reader",
        compared="6 texts from picture and question, 1 and 4 beams",
        unit="differ",
        limit=0,
        measure=texts_differing,
    ),
]
