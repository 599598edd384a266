"""A tiny model that has really learnt its examples by heart, through the patches that training makes of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from pixread.checkpoints.folder import save
from pixread.images.open import open_picture
from pixread.models.pix2struct.batch import collate
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.image_processor import ImageProcessor
from pixread.models.pix2struct.model import Pix2Struct
from pixread.records import Example
from pixread.tokenizers.tokenizer import EOS, train_tokenizer
from tests.conftest import LETTERS

STEPS = 600
LEARNT = 0.01  # nats a token


def drawn(text: str, *, size: tuple[int, int] = (160, 96)) -> bytes:
    """A PNG with a text on it."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).multiline_text((12, 10), text, fill="black")
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def overfit(examples: Sequence[Example], folder: Path) -> Path:
    """A checkpoint that gives the first target of each example, as long as it is asked as it was taught."""
    torch.manual_seed(3)
    tokenizer = train_tokenizer([], vocab_size=400, alphabet=LETTERS)
    model = Pix2Struct(
        Pix2StructConfig.uniform(
            hidden_size=48,
            d_ff=64,
            num_heads=2,
            d_kv=24,
            encoder_layers=1,
            decoder_layers=1,
            vocab_size=len(tokenizer),
            max_positions=64,
        )
    )
    preprocess = ImageProcessor(max_patches=48, is_vqa=any(example.prompt for example in examples))
    patches = [
        preprocess.patches(open_picture(example.image), question=example.prompt, boxes=example.boxes)
        for example in examples
    ]
    batch = collate(patches, [[*tokenizer.encode(example.targets[0]), EOS] for example in examples])
    assert batch.labels is not None
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = model(batch)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels.flatten())
        if loss < LEARNT:
            break
        loss.backward()
        optimizer.step()
    assert loss < LEARNT, f"not learnt in {STEPS} steps"
    files = {**tokenizer.files(), "preprocessor_config.json": json.dumps(preprocess.to_json()).encode()}
    return save(model.eval(), folder, generation={"max_new_tokens": 24}, files=files)
