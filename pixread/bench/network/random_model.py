"""A checkpoint of a named size with random weights: as fast and as large as a trained one, and made on the spot."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

VOCABULARY = 50244  # of the released models
TINY = "tiny"  # for tests of the benches themselves


def random_checkpoint(size: str) -> Path:
    """The folder of a random model of a size ("nano", "base", "large"), made once and kept in the user's cache.

    Its outputs never end by themselves: the head's row of the end token is zero, so that some other token is always
    likelier. ValueError for a size that does not exist.
    """
    import torch

    from pixread.checkpoints.folder import save
    from pixread.models.pix2struct.config import TowerConfig
    from pixread.models.pix2struct.model import Pix2Struct
    from pixread.models.registry import family_of, sized
    from pixread.tokenizers.tokenizer import train_tokenizer

    config = sized("nano" if size == TINY else size, vocab_size=VOCABULARY)
    if size == TINY:
        tower = TowerConfig(layers=2, d_ff=48, num_heads=4, d_kv=8)
        config = replace(config, hidden_size=32, encoder=tower, decoder=tower, vocab_size=400, max_positions=64)
    settings = json.dumps(asdict(config), sort_keys=True)
    folder = cache_folder() / f"{size}-{hashlib.sha256(settings.encode()).hexdigest()[:8]}"
    if folder.is_dir():
        return folder
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Pix2Struct(config)
    with torch.no_grad():
        model.decoder.head.weight[config.eos] = 0
    tokenizer = train_tokenizer([], vocab_size=400, alphabet="abcdefghijklmnopqrstuvwxyz")
    processor = family_of(config.model_type).new_processor(tokenizer, config)
    return save(model, folder, files=processor.files())


def cache_folder() -> Path:
    """Where random models are kept: below XDG_CACHE_HOME, or .cache in the home folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pixread" / "bench"
