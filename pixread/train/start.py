"""The model that a run starts from."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.resolve import resolve
from pixread.models.pix2struct.config import sized
from pixread.models.pix2struct.model import Pix2Struct
from pixread.reader.generation_config import Ends
from pixread.targets.words import ALPHABET
from pixread.tokenizers.tokenizer import EOS, PAD, Tokenizer, train_tokenizer
from pixread.train.lora import add_adapters
from pixread.train.recipes import Recipe
from pixread.train.recompute import recompute_layers


def start_model(recipe: Recipe) -> tuple[Pix2Struct, Tokenizer]:
    """The checkpoint of `init`, or fresh weights and a fresh tokenizer; with the recipe's dropout and adapters."""
    model, tokenizer = _fresh(recipe) if recipe.init is None else _read(recipe.init)
    model.config = replace(model.config, dropout=recipe.dropout)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = recipe.dropout
    if recipe.lora_rank:
        add_adapters(model, rank=recipe.lora_rank, alpha=recipe.lora_alpha)
    if recipe.recompute:
        recompute_layers(model)
    return model, tokenizer


def _read(init: str) -> tuple[Pix2Struct, Tokenizer]:
    folder = resolve(init)
    checkpoint = checkpoint_folder.load(folder)
    check_ends(checkpoint, name=init)
    model = checkpoint.model
    model.config = replace(model.config, pad=PAD, eos=EOS)
    return model, Tokenizer.load(folder, num_rows=model.config.vocab_size)


def check_ends(checkpoint: Checkpoint, *, name: str) -> None:
    """Raises ValueError for a checkpoint whose outputs start or end with other tokens than labels do."""
    ends = Ends.of(checkpoint.generation, checkpoint.config)
    if ends.start != PAD or EOS not in ends.eos:
        raise ValueError(
            f"outputs of {name} start with the token {ends.start} and end with {', '.join(map(str, ends.eos))}, "
            f"but labels start with {PAD} and end with {EOS}"
        )


def _fresh(recipe: Recipe) -> tuple[Pix2Struct, Tokenizer]:
    tokenizer = train_tokenizer([], vocab_size=recipe.vocab_size, alphabet=ALPHABET)
    return Pix2Struct(sized(recipe.size, vocab_size=len(tokenizer))), tokenizer
