"""The model that a run starts from."""

from __future__ import annotations

from torch import nn

from pixread.checkpoints import folder as checkpoint_folder
from pixread.checkpoints.folder import Checkpoint
from pixread.checkpoints.resolve import resolve
from pixread.models.family import Network, Processor
from pixread.models.registry import build, family_of, sized
from pixread.reader.generation_config import Ends
from pixread.targets.words import ALPHABET
from pixread.tokenizers.tokenizer import train_tokenizer
from pixread.train.lora import add_adapters
from pixread.train.recipes import Recipe
from pixread.train.recompute import recompute_layers


def start_model(recipe: Recipe) -> tuple[Network, Processor]:
    """The checkpoint of `init`, or fresh weights and a fresh tokenizer; with the recipe's dropout and adapters."""
    model, processor = _fresh(recipe) if recipe.init is None else _read(recipe.init)
    model.config = family_of(model.config.model_type).training_config(model.config, dropout=recipe.dropout)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = recipe.dropout
    if recipe.lora_rank:
        add_adapters(model, rank=recipe.lora_rank, alpha=recipe.lora_alpha)
    if recipe.recompute:
        recompute_layers(model)
    return model, processor


def _read(init: str) -> tuple[Network, Processor]:
    checkpoint = checkpoint_folder.load(resolve(init))
    processor = checkpoint.processor()
    check_ends(checkpoint, processor, name=init)
    return checkpoint.model, processor


def check_ends(checkpoint: Checkpoint, processor: Processor, *, name: str) -> None:
    """Raises ValueError for a checkpoint whose outputs start or end with other tokens than labels do."""
    learnt = checkpoint.family.training_config(checkpoint.config, dropout=0.0)
    ends, label_end = Ends.of(checkpoint.generation, checkpoint.config), processor.labels("")[-1]
    if ends.start != learnt.start_id or label_end not in ends.eos:
        raise ValueError(
            f"outputs of {name} start with the token {ends.start} and end with {', '.join(map(str, ends.eos))}, "
            f"but labels start with {learnt.start_id} and end with {label_end}"
        )


def _fresh(recipe: Recipe) -> tuple[Network, Processor]:
    tokenizer = train_tokenizer([], vocab_size=recipe.vocab_size, alphabet=ALPHABET)
    config = sized(recipe.size, vocab_size=len(tokenizer))
    return build(config), family_of(config.model_type).new_processor(tokenizer, config)
