"""Makes another model that a CPU computes fast: how its weights are kept, and whether its steps are compiled."""

from __future__ import annotations

import copy
from functools import partial
from typing import Literal, overload

import torch

from pixread.cpu.compiler import decoder_kernels
from pixread.cpu.decoder import MIN_COMPILED_WEIGHTS, JitDecoder
from pixread.cpu.encoder import CpuEncoder, JitAttention
from pixread.cpu.linear import (
    PATCHES,
    ROWS,
    Bfloat16Linear,
    Int8DynamicLinear,
    Int8Linear,
    Int8WeightLinear,
    MappedLinear,
    OneDnnLinear,
    has_bfloat16_products,
    has_int8_linear,
    has_int8_products,
    has_onednn_linear,
)
from pixread.cpu.model import CpuPix2Struct
from pixread.models.family import Network
from pixread.models.pix2struct.config import Pix2StructConfig
from pixread.models.pix2struct.model import Decoder, Encoder, Pix2Struct
from pixread.nn.linear import replace_linears

Precision = Literal["exact", "mixed", "int8"]
COMPILED = (torch.float32, torch.bfloat16)


@overload
def optimize(model: Pix2Struct, *, precision: Precision = ..., donate: bool = ...) -> CpuPix2Struct: ...
@overload
def optimize(model: Network, *, precision: Precision = ..., donate: bool = ...) -> Network: ...
def optimize(model: Network, *, precision: Precision = "exact", donate: bool = False) -> Network:
    """Another model, in evaluation mode, that computes the same faster on a CPU; it cannot be trained or saved.

    precision: "exact": outputs stay the same but for the order of sums, and models that are not float32 or bfloat16
    keep torch's steps. "mixed": where that pays, pictures are encoded with products in bfloat16, and what is generated
    from them stays as exact as before. "int8": besides that, what a step of the decoder reads is quantised, weights to
    8 bits, and to bfloat16 where these are too few; so are most products of a large encoder. ValueError where this
    processor or this torch lacks what int8 takes.

    The given model stays as it is, and both share the weights that need no other form. donate: its weights are given
    up instead, so that those of one layer are freed before those of the next are made; it is empty afterwards. A
    model of a family without layers of its own in `pixread.cpu` is given back as it is; ValueError where int8 is wanted
    of it.
    """
    if isinstance(model, Pix2Struct):
        return _optimize_pix2struct(model, precision=precision, donate=donate)
    if precision == "int8":
        raise ValueError(f"int8 is not made for models of the type {model.config.model_type}; use bfloat16 instead")
    return model.eval()


def _optimize_pix2struct(model: Pix2Struct, *, precision: Precision, donate: bool) -> CpuPix2Struct:
    if precision == "int8" and not _compiles(model.decoder) and not has_int8_linear():
        raise ValueError("int8 needs a processor and a torch with 8-bit linear layers; use bfloat16 instead")
    if donate:
        encoder, decoder = model.encoder, model.decoder
        del model.encoder, model.decoder
    else:
        weights = {id(weight): weight for weight in model.state_dict(keep_vars=True).values()}
        encoder, decoder = copy.deepcopy((model.encoder, model.decoder), weights)
    if not _compiles(decoder):
        _replace_layers(encoder, decoder, int8=precision == "int8")
        return CpuPix2Struct(model.config, encoder, decoder)
    return _compiled(model.config, encoder, decoder, precision=precision)


def _compiled(config: Pix2StructConfig, encoder: Encoder, decoder: Decoder, *, precision: Precision) -> CpuPix2Struct:
    """Large models where numba is installed. Layers of both towers are exchanged in place."""
    dtype, int8 = decoder.head.weight.dtype, precision == "int8"
    cpu_encoder: Encoder | CpuEncoder = encoder
    if int8 or dtype == torch.bfloat16 or (precision == "mixed" and has_bfloat16_products()):
        cpu_encoder = _bfloat16_encoder(encoder, decoder, int8=int8)
    else:
        _replace_exactly(encoder, decoder)
    if int8:
        _quantise(decoder, compiles=True)
    can_draft = dtype == torch.float32 and not int8
    return CpuPix2Struct(config, cpu_encoder, decoder, jit=JitDecoder(decoder), can_draft=can_draft)


def _replace_exactly(encoder: Encoder, decoder: Decoder) -> None:
    """Attention by compiled kernels, and the weights that encode pictures used where they lie."""
    for block in encoder.blocks():
        block.attention = JitAttention(block.attention)
    if has_onednn_linear(torch.float32):
        # The projection's weight says what the encoder computes in.
        replace_linears(encoder, MappedLinear, but=("patch_projection",))
        for layer in decoder.blocks():
            replace_linears(layer.cross_attention, MappedLinear, but=("query", "output"))


def _bfloat16_encoder(encoder: Encoder, decoder: Decoder, *, int8: bool) -> CpuEncoder:
    """An encoder of compiled kernels, and cross-attention keys and values in bfloat16."""
    bfloat16 = partial(Bfloat16Linear, rows=PATCHES, out=torch.bfloat16)
    make = Int8DynamicLinear if int8 and has_int8_products() else bfloat16
    for layer in decoder.blocks():
        replace_linears(layer.cross_attention, make, but=("query", "output"))
    return CpuEncoder(encoder, make=make)


def _replace_layers(encoder: Encoder, decoder: Decoder, *, int8: bool) -> None:
    """Small models, and machines without numba."""
    if int8:
        _replace_by_bfloat16(encoder, decoder)
        _quantise(decoder, compiles=False)
    for tower in (encoder, decoder):
        if has_onednn_linear(next(tower.parameters()).dtype):
            replace_linears(tower, partial(OneDnnLinear, rows=ROWS), but=("patch_projection",))


def _compiles(decoder: Decoder) -> bool:
    """Whether compiled steps pay, and there is something to compile them with."""
    if decoder.head.weight.dtype not in COMPILED:
        return False
    return (
        sum(weight.numel() for weight in decoder.parameters()) >= MIN_COMPILED_WEIGHTS and decoder_kernels() is not None
    )


def _replace_by_bfloat16(encoder: Encoder, decoder: Decoder) -> None:
    """Products, attention and cross-attention keys and values in bfloat16; the residual stream stays float32.

    Rounded as well, it would cost more accuracy than all the rest.
    """
    wide = partial(Bfloat16Linear, rows=PATCHES)
    narrow = partial(wide, out=torch.bfloat16)
    replace_linears(encoder, wide, but=("patch_projection", "query", "key", "value", "gate", "up"))
    replace_linears(encoder, narrow, but=("patch_projection",))
    for layer in decoder.blocks():
        replace_linears(layer.cross_attention, narrow, but=("query", "output"))


def _quantise(decoder: Decoder, *, compiles: bool) -> None:
    """Weights of 8 bits, but bfloat16 where they are too few. Compiled steps read weights as they lie."""
    for layer in decoder.blocks():
        bfloat16 = partial(Bfloat16Linear, rows=None if compiles else ROWS)
        replace_linears(layer.self_attention, bfloat16, but=("query", "key"))
    replace_linears(decoder, Int8WeightLinear if compiles else Int8Linear)
