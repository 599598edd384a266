"""A model made ready to read on a CPU: how its weights are kept, and whether its decoder's steps are compiled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from pixread.models.compiled import WORTH_COMPILING, CompiledDecoder, compiler
from pixread.models.encoding import ByteLinear, CompiledAttention, SwiftEncoder, has_byte_products
from pixread.models.linear import (
    PATCHES,
    ROWS,
    HalfLinear,
    Int8Linear,
    MappedLinear,
    PackedLinear,
    RoundedLinear,
    can_pack,
    can_round,
    replace_linears,
)

if TYPE_CHECKING:
    from pixread.models.pix2struct import Decoder, Encoder

COMPILED = (torch.float32, torch.bfloat16)


def hasten(
    encoder: Encoder, decoder: Decoder, *, int8: bool, mixed: bool
) -> tuple[Encoder | SwiftEncoder, CompiledDecoder | None, bool]:
    """Exchange linear layers in place. Returns the encoder to use, the compiled decoder where that pays, and whether
    one of rounded weights beside it would make good guesses.

    ValueError where int8 is asked for and this processor or this torch lacks what it takes.
    """
    dtype = decoder.head.weight.dtype
    compiles = dtype in COMPILED and worth_compiling(decoder)
    if not compiles:
        _hasten_modules(encoder, decoder, int8=int8)
        return encoder, None, False
    swift: Encoder | SwiftEncoder = encoder
    if int8 or dtype == torch.bfloat16 or (mixed and has_half_products()):
        swift = _swift(encoder, decoder, int8=int8)
    else:
        _hasten_exactly(encoder, decoder)
    if int8:
        _round(decoder, compiles=True)
    return swift, CompiledDecoder(decoder), dtype == torch.float32 and not int8


def _hasten_exactly(encoder: Encoder, decoder: Decoder) -> None:
    """Attention by compiled loops, and the weights that make the memory of the pictures used where they lie."""
    for block in encoder.blocks():
        block.attention = CompiledAttention(block.attention)
    if can_pack(torch.float32):
        # The projection's weight says what the encoder computes in.
        replace_linears(encoder, MappedLinear, but=("patch_projection",))
        for layer in decoder.blocks():
            replace_linears(layer.cross_attention, MappedLinear, but=("query", "output"))


def _swift(encoder: Encoder, decoder: Decoder, *, int8: bool) -> SwiftEncoder:
    """An encoder of compiled loops, and the memory of the pictures in bfloat16."""
    make = ByteLinear if int8 and has_byte_products() else partial(HalfLinear, rows=PATCHES, out=torch.bfloat16)
    for layer in decoder.blocks():
        replace_linears(layer.cross_attention, make, but=("query", "output"))
    return SwiftEncoder(encoder, make=make)


def _hasten_modules(encoder: Encoder, decoder: Decoder, *, int8: bool) -> None:
    """Small models, and machines without numba."""
    if int8:
        if not can_round():
            raise ValueError("int8 needs a processor and a torch with 8-bit linear layers; use bfloat16 instead")
        _halve(encoder, decoder)
        _round(decoder, compiles=False)
    for tower in (encoder, decoder):
        if can_pack(next(tower.parameters()).dtype):
            replace_linears(tower, _packed, but=("patch_projection",))


def worth_compiling(decoder: Decoder) -> bool:
    """Whether the decoder is large enough, and there is something to compile it with."""
    return sum(weight.numel() for weight in decoder.parameters()) >= WORTH_COMPILING and compiler() is not None


def _packed(linear: nn.Linear) -> nn.Module:
    return PackedLinear(linear, rows=ROWS)


def has_half_products() -> bool:
    """Whether this processor multiplies bfloat16 by itself, and so faster than float32."""
    told = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # a function without a promise
    return told is not None and bool(told())


def _halve(encoder: Encoder, decoder: Decoder) -> None:
    """Products, attention and the memory of the pictures in bfloat16; what layers add up stays float32.

    Rounded as well, it would cost more exactness than all the rest.
    """
    halves = partial(HalfLinear, rows=PATCHES)
    narrow = partial(halves, out=torch.bfloat16)
    replace_linears(encoder, halves, but=("patch_projection", "query", "key", "value", "gate", "up"))
    replace_linears(encoder, narrow, but=("patch_projection",))
    for layer in decoder.blocks():
        replace_linears(layer.cross_attention, narrow, but=("query", "output"))


def _round(decoder: Decoder, *, compiles: bool) -> None:
    """Weights of 8 bits, but bfloat16 where they are too few. Compiled steps read weights as they lie."""
    for layer in decoder.blocks():
        plain = partial(HalfLinear, rows=None if compiles else ROWS)
        replace_linears(layer.self_attention, plain, but=("query", "key"))
    replace_linears(decoder, RoundedLinear if compiles else Int8Linear)
