"""The cost of the network: the bytes that have to be read and the operations (FLOPs) that have to be done.

Counted from the configuration alone, as `roofline.py` measures what the machine can do: their quotient is the
time that no program can beat. A multiplication and its addition count as two operations; norms, activations and
softmax, which are few, count as none.

Legend: N patches of a picture, T tokens, C channels, F width of the MLP, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

BYTES_PER_NUMBER = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}  # bytes of a number


class Tower(Protocol):
    """The fields of a `TowerConfig` that do."""

    @property
    def layers(self) -> int: ...
    @property
    def d_ff(self) -> int: ...
    @property
    def num_heads(self) -> int: ...
    @property
    def d_kv(self) -> int: ...


class Shape(Protocol):
    """The fields of a `Pix2StructConfig` that decide how much there is to do."""

    @property
    def hidden_size(self) -> int: ...
    @property
    def encoder(self) -> Tower: ...
    @property
    def decoder(self) -> Tower: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def patch_dim(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What some computation needs at the least."""

    num_bytes: float  # to be read
    operations: float  # to be done

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.num_bytes + other.num_bytes, self.operations + other.operations)


def layer_weights(shape: Shape) -> int:
    """Weights of the matrices of one encoder layer: four of C x heads, three of C x F."""
    return shape.hidden_size * (4 * _heads(shape.encoder) + 3 * shape.encoder.d_ff)


def encoder_weights(shape: Shape) -> int:
    """Weights of the encoder's matrices, the patch projection included."""
    return shape.patch_dim * shape.hidden_size + shape.encoder.layers * layer_weights(shape)


def cross_weights(shape: Shape) -> int:
    """Weights that make the decoder's cross-attention keys and values: two of C x C a layer, used once a picture."""
    return shape.decoder.layers * 2 * shape.hidden_size**2


def token_weights(shape: Shape) -> int:
    """Weights that every token has to read: the decoder's layers without cross keys and values, and the head.

    Of the embedding a token reads one row, which does not count.
    """
    channels = shape.hidden_size
    layer = 6 * channels**2 + 3 * channels * shape.decoder.d_ff
    return shape.decoder.layers * layer + channels * shape.vocab_size


def normed_input_weights(shape: Shape) -> int:
    """Those of encoder and cross keys and values whose inputs are norms: queries, keys, values, gate and up."""
    layer = shape.hidden_size * (3 * _heads(shape.encoder) + 2 * shape.encoder.d_ff)
    return shape.encoder.layers * layer + cross_weights(shape)


def encode_cost(
    shape: Shape, sizes: Sequence[int], *, dtype: str, normed_input_dtype: str | None = None
) -> dict[str, Cost]:
    """Encoding pictures of `sizes` patches, the decoder's cross keys and values included, by what it is computed in.

    normed_input_dtype: what products whose inputs are norms are computed in (default: dtype, as all else is). Attention
    compares all patches of a picture: 4 N^2 C operations a layer, half of them for the scores.
    """
    normed_weights = normed_input_weights(shape)
    other_weights = encoder_weights(shape) + cross_weights(shape) - normed_weights
    attention = sum(4 * size**2 * _heads(shape.encoder) * shape.encoder.layers for size in sizes)
    rest = Cost(other_weights * BYTES_PER_NUMBER[dtype], 2 * other_weights * sum(sizes) + attention)
    normed_dtype = normed_input_dtype or dtype
    normed = Cost(normed_weights * BYTES_PER_NUMBER[normed_dtype], 2 * normed_weights * sum(sizes))
    return {dtype: rest + normed} if normed_dtype == dtype else {dtype: rest, normed_dtype: normed}


def decode_step_cost(
    shape: Shape, sizes: Sequence[int], *, past: float, beams: int = 1, weights: str = "float32", cache: str = "float32"
) -> Cost:
    """One token for every row (of `sizes` patches) and beam, with `past` tokens before it.

    The weights are read once for all rows, the cross keys and values once a row (all beams look at the same), and the
    self-attention keys and values once a beam. `weights` and `cache` are what each is stored in.
    """
    width = 2 * shape.decoder.layers * shape.hidden_size  # numbers cached for one patch or token
    num_cached = sum(sizes) * width, len(sizes) * beams * past * width
    num_bytes = token_weights(shape) * BYTES_PER_NUMBER[weights] + sum(num_cached) * BYTES_PER_NUMBER[cache]
    # Each cached number takes part in one multiplication and addition for every query that sees it.
    operations = 2 * token_weights(shape) * len(sizes) * beams + 2 * (num_cached[0] * beams + num_cached[1])
    return Cost(num_bytes, operations)


def train_step_cost(shape: Shape, sizes: Sequence[int], *, tokens: int, dtype: str) -> Cost:
    """Forward and backward of a batch with `tokens` labels a picture: backward takes twice the operations.

    Bytes: weights, gradients and what an optimizer keeps are read at least once each; here the weights, twice.
    """
    channels, rows = shape.hidden_size, len(sizes)
    encoding = encode_cost(shape, sizes, dtype=dtype)[dtype]
    width = 2 * shape.decoder.layers * channels
    # The T x T half of self attention that lies behind each token, and all patches in cross attention.
    attention = 2 * width * (rows * tokens * (tokens + 1) / 2 + sum(sizes) * tokens)
    forward = encoding.operations + 2 * token_weights(shape) * rows * tokens + attention
    return Cost(2 * (encoding.num_bytes + token_weights(shape) * BYTES_PER_NUMBER[dtype]), 3 * forward)


def _heads(tower: Tower) -> int:
    """Numbers that the heads of a tower take together."""
    return tower.num_heads * tower.d_kv
