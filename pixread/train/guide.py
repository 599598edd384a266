"""Shows the decoder where to look: supervision of one cross-attention head by the known places of drawn letters.

Finding by itself which patch holds the next letter takes a small decoder hundreds of thousands of examples; drawn text
comes with the place of every letter, and saying it makes the same decoder read within minutes (guided attention, as
in arXiv 1710.08969, section 4, with the true places instead of a diagonal). Only training looks at this; the model and
its weights stay those of any Pix2Struct.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from pixread.models.pix2struct import DecoderLayer, Pix2Struct
from pixread.records import Batch, Memory

HEAD = 0  # the head that is shown the way; the others stay free


@contextmanager
def watched(model: Pix2Struct) -> Iterator[list[Tensor]]:
    """Collects what each decoder layer asks the picture with, (B, T, C), layer by layer."""
    seen: list[Tensor] = []
    hooks = [
        layer.cross_norm.register_forward_hook(lambda module, inputs, output: seen.append(output))
        for layer in model.decoder.blocks()
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def guidance_loss(model: Pix2Struct, batch: Batch, memory: Memory, asked: list[Tensor]) -> Tensor:
    """Summed nats with which the guided heads miss the patches of the labels, averaged over the layers.

    `asked` comes from `watched`. Labels without a known place (0) do not count.
    """
    assert batch.places is not None, "guidance needs the places of the labels"
    target = (batch.places - 1).flatten()  # -1 is unknown
    losses = [
        F.cross_entropy(
            _scores(layer, questions, memory, number).flatten(0, 1), target, ignore_index=-1, reduction="sum"
        )
        for number, (layer, questions) in enumerate(zip(model.decoder.blocks(), asked, strict=True))
    ]
    return torch.stack(losses).mean()


def _scores(layer: DecoderLayer, questions: Tensor, memory: Memory, number: int) -> Tensor:
    """Attention scores of the guided head before the softmax, (B, T, N), -inf on padding."""
    size = layer.cross_attention.head_size
    weight = layer.cross_attention.query.weight[HEAD * size : (HEAD + 1) * size]
    queries = F.linear(questions, weight)  # (B, T, D)
    scores = queries.float() @ memory.keys[number][:, HEAD].float().transpose(1, 2)  # (B, T, N)
    return scores.masked_fill(~memory.mask[:, 0], float("-inf"))
