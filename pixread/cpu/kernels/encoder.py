"""What lies between the linear layers of the encoder, compiled for this processor by numba: norms, gates, attention.

Each is one pass over memory, where torch makes one for every operation. bfloat16 comes and goes as its bits (uint16);
within, all is float32.

Legend: R rows (patches of all pictures), C channels, D size of a head, F width of the MLP, N keys.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic, overload

from pixread.cpu.kernels import ZERO_POINT
from pixread.cpu.kernels.decoder import FAST_MATH, TINY, Array, Arrays, exp, larger
from pixread.cpu.kernels.tiles import COLUMNS, QUERIES, tile_of_words

__all__ = ["add_rms_norm", "gelu_gate", "quantise", "self_attention"]

ROWS_PER_TASK = 16  # rows of a thread's task
QUERIES_PER_TASK = 2048  # queries of a thread's task, which packs keys and values anew
INT8_MAX = np.float32(127)
BFLOAT16_ROUND_UP = np.float32(1 + 2**-8)
LOG2_E = np.float32(1.4426950408889634)
GELU = np.float32(-2 * math.sqrt(2 / math.pi) / math.log(2))
GELU_CUBE = np.float32(0.044715) * GELU
MAX_EXP2 = np.float32(126)
MIN_EXP2 = np.float32(-126)  # of 2, with all bits


@intrinsic
def _bfloat16_to_float32(typing_context: Any, bits: Any) -> Any:
    """The float32 of a bfloat16, given as its bits in uint16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        return builder.bitcast(builder.shl(builder.zext(arguments[0], word), ir.Constant(word, 16)), ir.FloatType())

    return types.float32(types.uint16), generate


@intrinsic
def _float32_to_bfloat16(typing_context: Any, number: Any) -> Any:
    """The bits of the bfloat16 nearest to a float32, the farther from 0 of two; what is no number does not come."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        raised = builder.add(builder.bitcast(arguments[0], word), ir.Constant(word, 0x8000))
        return builder.trunc(builder.lshr(raised, ir.Constant(word, 16)), ir.IntType(16))

    return types.uint16(types.float32), generate


@intrinsic
def _ldexp(typing_context: Any, number: Any, exponent: Any) -> Any:
    """number * 2 ** exponent, float32 and int32: added to the bits of the number's exponent."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        number, exponent = arguments
        bits = builder.add(builder.bitcast(number, word), builder.shl(exponent, ir.Constant(word, 23)))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.float32, types.int32), generate


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def _exp2(x: Any) -> Any:
    """2 ** x for x up to 126, exact to 13 bits: more than a bfloat16 has."""
    x = larger(x, MIN_EXP2)
    exponent = np.rint(x)
    rest = x - exponent
    series = np.float32(0.0550086)
    for factor in (0.2422104, 0.6932829, 1.0):
        series = series * rest + np.float32(factor)
    return _ldexp(series, np.int32(exponent))


@njit(parallel=True, cache=True, nogil=True, fastmath=FAST_MATH)
def add_rms_norm(x: Array, added: Array, weight: Array, eps: Any, y: Array) -> None:
    """x += added, and the root-mean-square norm of its rows. x: (R, C) float32, added and y: (R, C) bfloat16."""
    rows, channels = x.shape
    for task in prange((rows + ROWS_PER_TASK - 1) // ROWS_PER_TASK):
        for row in range(task * ROWS_PER_TASK, min((task + 1) * ROWS_PER_TASK, rows)):
            total = np.float32(0)
            for index in range(channels):
                number = x[row, index] + _bfloat16_to_float32(added[row, index])
                x[row, index] = number
                total += number * number
            factor = np.float32(1) / np.sqrt(total / np.float32(channels) + eps)
            for index in range(channels):
                y[row, index] = _float32_to_bfloat16(x[row, index] * factor * weight[index])


@njit(parallel=True, cache=True, nogil=True, fastmath=FAST_MATH)
def quantise(x: Array, y: Array, scales: Array) -> None:
    """x: (R, C) bfloat16 -> y: (R, C) uint8, quantised symmetrically about `ZERO_POINT`, and the scales (R,)."""
    rows, channels = x.shape
    for task in prange((rows + ROWS_PER_TASK - 1) // ROWS_PER_TASK):
        for row in range(task * ROWS_PER_TASK, min((task + 1) * ROWS_PER_TASK, rows)):
            largest = TINY
            for index in range(channels):
                largest = larger(largest, abs(_bfloat16_to_float32(x[row, index])))
            # The next scale that bfloat16 holds: multiplying by it is exact but for its own rounding.
            scales[row] = _bfloat16_to_float32(_float32_to_bfloat16(largest * BFLOAT16_ROUND_UP / INT8_MAX))
            factor = np.float32(1) / scales[row]
            for index in range(channels):
                y[row, index] = np.uint8(
                    np.int32(np.rint(_bfloat16_to_float32(x[row, index]) * factor)) + np.int32(ZERO_POINT)
                )


@njit(parallel=True, cache=True, nogil=True, fastmath=FAST_MATH)
def gelu_gate(both: Array, scales: Array, y: Array) -> None:
    """both: (R, 2 * F) bfloat16, gate and up before scaling; scales: (R,) -> y: (R, F) bfloat16, gelu(gate) * up.

    With the tanh form of gelu: half * (1 + tanh(t)) is 1 / (1 + e ** (-2 t)), here 1 / (1 + 2 ** exponent).
    """
    rows, width = y.shape
    for task in prange((rows + ROWS_PER_TASK - 1) // ROWS_PER_TASK):
        for row in range(task * ROWS_PER_TASK, min((task + 1) * ROWS_PER_TASK, rows)):
            gate, up, scale = both[row, :width], both[row, width:], scales[row]
            for index in range(width):
                x = _bfloat16_to_float32(gate[index]) * scale
                exponent = x * (GELU + GELU_CUBE * x * x)
                gelu = x / (np.float32(1) + _exp2(min(exponent, MAX_EXP2)))
                y[row, index] = _float32_to_bfloat16(gelu * (_bfloat16_to_float32(up[index]) * scale))


def as_words(x: Array) -> Array:
    """float32 as it is, and two bfloat16 as one uint32."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(as_words)
def _as_words(x: Any) -> Any:
    def as_float32(x: Any) -> Any:
        return x

    def pairs(x: Any) -> Any:
        return x.view(np.uint32)

    return as_float32 if x.dtype == types.float32 else pairs


def exp_like(x: Any, array: Array) -> Any:
    """e ** x for x up to 80, as accurate as the dtype of an array: float32, or bfloat16."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(exp_like)
def _exp_like(x: Any, array: Any) -> Any:
    def float32_exp(x: Any, array: Any) -> Any:
        return exp(x)

    def bfloat16_exp(x: Any, array: Any) -> Any:
        return _exp2(x * LOG2_E)

    return float32_exp if array.dtype == types.float32 else bfloat16_exp


def cast_like(number: Any, array: Array) -> Any:
    """A float32 in the dtype of an array: as it is, or as the bits of a bfloat16."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(cast_like)
def _cast_like(number: Any, array: Any) -> Any:
    def as_float32(number: Any, array: Any) -> Any:
        return number

    def as_bfloat16(number: Any, array: Any) -> Any:
        return _float32_to_bfloat16(number)

    return as_float32 if array.dtype == types.float32 else as_bfloat16


@njit(cache=True, forceinline=True)
def _packed_keys(keys: Array) -> Array:
    """keys: (N, D) -> (blocks of `COLUMNS` keys, words of D, `COLUMNS`); zeros where there are no more."""
    (count, size), pair = keys.shape, 4 // keys.itemsize
    packed = np.zeros(((count + COLUMNS - 1) // COLUMNS, (size + pair - 1) // pair, COLUMNS * pair), keys.dtype)
    for block in range(len(packed)):
        first = block * COLUMNS
        for key in range(first, min(first + COLUMNS, count)):
            for index in range(size):
                packed[block, index // pair, (key - first) * pair + index % pair] = keys[key, index]
    return as_words(packed)


@njit(cache=True, forceinline=True)
def _packed_values(values: Array, words: int) -> Array:
    """values: (N, D) -> (blocks of `COLUMNS` of D, words of N, `COLUMNS`); zeros where there are no more."""
    (count, size), pair = values.shape, 4 // values.itemsize
    blocks = (size + COLUMNS - 1) // COLUMNS
    packed = np.zeros((blocks, words, COLUMNS * pair), values.dtype)
    for block in range(blocks):
        first = block * COLUMNS
        for value in range(count):
            own, given, side = packed[block, value // pair], values[value, first : first + COLUMNS], value % pair
            for index in range(len(given)):
                own[pair * index + side] = given[index]
    return as_words(packed)


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def softmax_numerators(scores: Array, numerators: Array) -> Any:
    """scores: (N,) float32 -> softmax_numerators of e, the highest 1, in the array's dtype; returns 1 / their sum."""
    highest, total = np.float32(-np.inf), np.float32(0)
    for index in range(len(scores)):
        highest = larger(highest, scores[index])
    for index in range(len(scores)):
        numerator = exp_like(scores[index] - highest, numerators)
        numerators[index] = cast_like(numerator, numerators)
        total += numerator
    return np.float32(1) / total


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def _attend(queries: Array, keys: Array, values: Array, count: int, mixed: Array) -> None:
    """queries: (Q, D), keys and values: packed ones of `count` -> mixed: (Q, D). Scores of a few stay in the cache."""
    size, pair = queries.shape[1], 4 // queries.itemsize
    given = np.zeros((QUERIES, keys.shape[1] * pair), queries.dtype)
    weights = np.zeros((QUERIES, values.shape[1] * pair), queries.dtype)
    given_words, weight_words = as_words(given), as_words(weights)
    scores = np.empty((QUERIES, len(keys) * COLUMNS), np.float32)
    sums = np.empty((QUERIES, len(values) * COLUMNS), np.float32)
    factors = np.empty(QUERIES, np.float32)
    for first in range(0, len(queries), QUERIES):
        several = min(QUERIES, len(queries) - first)
        for number in range(several):
            for index in range(size):
                given[number, index] = queries[first + number, index]
        for block in range(len(keys)):
            tile_of_words(given_words, keys[block], scores, block * COLUMNS)
        for number in range(several):
            factors[number] = softmax_numerators(scores[number, :count], weights[number])
        for block in range(len(values)):
            tile_of_words(weight_words, values[block], sums, block * COLUMNS)
        for number in range(several):
            factor = factors[number]
            for index in range(size):
                mixed[first + number, index] = cast_like(sums[number, index] * factor, mixed)


@njit(cache=True, forceinline=True)
def _attend_task(task: int, part: int, sides: Arrays, starts: tuple[int, int, int], size: int, mixed: Array) -> None:
    """A head and `part` of the queries, of `self_attention`."""
    heads = mixed.shape[1] // size
    column, first = task % heads * size, task // heads * part
    last = min(first + part, len(mixed))
    queries = sides[0][first:last, starts[0] + column : starts[0] + column + size]
    packed_keys = _packed_keys(sides[1][:, starts[1] + column : starts[1] + column + size])
    words = len(packed_keys) * COLUMNS * mixed.itemsize // 4
    packed_values = _packed_values(sides[2][:, starts[2] + column : starts[2] + column + size], words)
    _attend(queries, packed_keys, packed_values, len(mixed), mixed[first:last, column : column + size])


@njit(parallel=True, cache=True, nogil=True)
def self_attention(sides: Arrays, starts: tuple[int, int, int], size: int, mixed: Array) -> None:
    """Attention of a picture's patches over themselves -> mixed (N, C), float32 or bfloat16; size: of a head.

    sides: queries, keys and values, (N, C) from the column on that `starts` names. A task of a thread is a head.
    """
    count, heads = len(mixed), mixed.shape[1] // size
    parts = (count + QUERIES_PER_TASK - 1) // QUERIES_PER_TASK
    part = ((count + parts - 1) // parts + QUERIES - 1) // QUERIES * QUERIES
    for task in prange(heads * parts):
        _attend_task(task, part, sides, starts, size, mixed)
