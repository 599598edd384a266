"""What lies between the linear layers of the encoder, compiled for this processor by numba: norms, gates, attention.

Each is one way through memory, where torch takes one for every operation. bfloat16 comes and goes as the bits it is
(uint16); within, all is float32.

Legend: R rows (patches of all pictures), C channels, D size of a head, F width of the MLP, N keys.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic, overload

from pixread.models.kernels import LOOSE, TINY, Array, Arrays, exp, larger
from pixread.models.tiles import COLUMNS, QUERIES, tile_of_words

__all__ = ["attended", "gated", "normed", "rounded"]

AT_ONCE = 16  # rows of a thread's turn
PART = 2048  # queries of a thread's turn, which packs keys and values anew
MIDDLE = 128  # what 0 is among 8 bits without a sign
LARGEST = np.float32(127)
BIT_MORE = np.float32(1 + 2**-8)
LOG2_E = np.float32(1.4426950408889634)
GELU = np.float32(-2 * math.sqrt(2 / math.pi) / math.log(2))
GELU_CUBE = np.float32(0.044715) * GELU
MOST_POWER = np.float32(126)
LEAST_POWER = np.float32(-126)  # of 2, with all bits


@intrinsic
def _wide(typing_context: Any, bits: Any) -> Any:
    """The float32 of a bfloat16, given as its bits in uint16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        return builder.bitcast(builder.shl(builder.zext(arguments[0], word), ir.Constant(word, 16)), ir.FloatType())

    return types.float32(types.uint16), generate


@intrinsic
def _narrow(typing_context: Any, number: Any) -> Any:
    """The bits of the bfloat16 nearest to a float32, the farther from 0 of two; what is no number does not come."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        raised = builder.add(builder.bitcast(arguments[0], word), ir.Constant(word, 0x8000))
        return builder.trunc(builder.lshr(raised, ir.Constant(word, 16)), ir.IntType(16))

    return types.uint16(types.float32), generate


@intrinsic
def _raised(typing_context: Any, number: Any, power: Any) -> Any:
    """number * 2 ** power, float32 and a whole power in int32: added to the bits of its exponent."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        number, power = arguments
        bits = builder.add(builder.bitcast(number, word), builder.shl(power, ir.Constant(word, 23)))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.float32, types.int32), generate


@njit(cache=True, fastmath=LOOSE, forceinline=True)
def _two_to(x: Any) -> Any:
    """2 ** x for x up to 126, exact to 13 bits: more than a bfloat16 has."""
    x = larger(x, LEAST_POWER)
    power = np.rint(x)
    rest = x - power
    series = np.float32(0.0550086)
    for factor in (0.2422104, 0.6932829, 1.0):
        series = series * rest + np.float32(factor)
    return _raised(series, np.int32(power))


@njit(parallel=True, cache=True, nogil=True, fastmath=LOOSE)
def normed(x: Array, added: Array, weight: Array, eps: Any, y: Array) -> None:
    """x += added, and the root-mean-square norm of its rows. x: (R, C) float32, added and y: (R, C) bfloat16."""
    rows, channels = x.shape
    for turn in prange((rows + AT_ONCE - 1) // AT_ONCE):
        for row in range(turn * AT_ONCE, min((turn + 1) * AT_ONCE, rows)):
            total = np.float32(0)
            for place in range(channels):
                number = x[row, place] + _wide(added[row, place])
                x[row, place] = number
                total += number * number
            factor = np.float32(1) / np.sqrt(total / np.float32(channels) + eps)
            for place in range(channels):
                y[row, place] = _narrow(x[row, place] * factor * weight[place])


@njit(parallel=True, cache=True, nogil=True, fastmath=LOOSE)
def rounded(x: Array, y: Array, steps: Array) -> None:
    """x: (R, C) bfloat16 -> y: (R, C), whole steps in 8 bits above `MIDDLE`, and the sizes of the steps (R,)."""
    rows, channels = x.shape
    for turn in prange((rows + AT_ONCE - 1) // AT_ONCE):
        for row in range(turn * AT_ONCE, min((turn + 1) * AT_ONCE, rows)):
            largest = TINY
            for place in range(channels):
                largest = larger(largest, abs(_wide(x[row, place])))
            # The next step that bfloat16 holds: multiplying by it is exact but for its own rounding.
            steps[row] = _wide(_narrow(largest * BIT_MORE / LARGEST))
            factor = np.float32(1) / steps[row]
            for place in range(channels):
                y[row, place] = np.uint8(np.int32(np.rint(_wide(x[row, place]) * factor)) + np.int32(MIDDLE))


@njit(parallel=True, cache=True, nogil=True, fastmath=LOOSE)
def gated(both: Array, steps: Array, y: Array) -> None:
    """both: (R, 2 * F) bfloat16, gate and up in steps (R,) -> y: (R, F) bfloat16, gelu(gate) * up.

    With the tanh form of gelu: half * (1 + tanh(t)) is 1 / (1 + e ** (-2 t)), here 1 / (1 + 2 ** power).
    """
    rows, width = y.shape
    for turn in prange((rows + AT_ONCE - 1) // AT_ONCE):
        for row in range(turn * AT_ONCE, min((turn + 1) * AT_ONCE, rows)):
            gate, up, step = both[row, :width], both[row, width:], steps[row]
            for place in range(width):
                x = _wide(gate[place]) * step
                power = x * (GELU + GELU_CUBE * x * x)
                shared = x / (np.float32(1) + _two_to(min(power, MOST_POWER)))
                y[row, place] = _narrow(shared * (_wide(up[place]) * step))


def in_words(x: Array) -> Array:
    """float32 as it is, and two bfloat16 as one uint32."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(in_words)
def _in_words(x: Any) -> Any:
    def wide(x: Any) -> Any:
        return x

    def pairs(x: Any) -> Any:
        return x.view(np.uint32)

    return wide if x.dtype == types.float32 else pairs


def power(x: Any, kept: Array) -> Any:
    """e ** x for x up to 80, as exact as an array keeps it: in float32, or roughly in bfloat16."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(power)
def _power(x: Any, kept: Any) -> Any:
    def exact(x: Any, kept: Any) -> Any:
        return exp(x)

    def rough(x: Any, kept: Any) -> Any:
        return _two_to(x * LOG2_E)

    return exact if kept.dtype == types.float32 else rough


def as_kept(number: Any, kept: Array) -> Any:
    """A float32 as an array keeps it: as it is, or as the bits of a bfloat16."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(as_kept)
def _as_kept(number: Any, kept: Any) -> Any:
    def wide(number: Any, kept: Any) -> Any:
        return number

    def narrow(number: Any, kept: Any) -> Any:
        return _narrow(number)

    return wide if kept.dtype == types.float32 else narrow


@njit(cache=True, forceinline=True)
def _packed_keys(keys: Array) -> Array:
    """keys: (N, D) -> (blocks of `COLUMNS` keys, words of D, `COLUMNS`); zeros where there are no more."""
    (count, size), pair = keys.shape, 4 // keys.itemsize
    packed = np.zeros(((count + COLUMNS - 1) // COLUMNS, (size + pair - 1) // pair, COLUMNS * pair), keys.dtype)
    for block in range(len(packed)):
        first = block * COLUMNS
        for key in range(first, min(first + COLUMNS, count)):
            for place in range(size):
                packed[block, place // pair, (key - first) * pair + place % pair] = keys[key, place]
    return in_words(packed)


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
            for place in range(len(given)):
                own[pair * place + side] = given[place]
    return in_words(packed)


@njit(cache=True, fastmath=LOOSE, forceinline=True)
def powers(scores: Array, found: Array) -> Any:
    """scores: (N,) float32 -> powers of e, the highest 1, as an array keeps them; returns what makes parts of 1."""
    highest, total = np.float32(-np.inf), np.float32(0)
    for place in range(len(scores)):
        highest = larger(highest, scores[place])
    for place in range(len(scores)):
        raised = power(scores[place] - highest, found)
        found[place] = as_kept(raised, found)
        total += raised
    return np.float32(1) / total


@njit(cache=True, fastmath=LOOSE, forceinline=True)
def _attend(queries: Array, keys: Array, values: Array, count: int, mixed: Array) -> None:
    """queries: (Q, D), keys and values: packed ones of `count` -> mixed: (Q, D). Scores of a few stay in the cache."""
    size, pair = queries.shape[1], 4 // queries.itemsize
    given = np.zeros((QUERIES, keys.shape[1] * pair), queries.dtype)
    weights = np.zeros((QUERIES, values.shape[1] * pair), queries.dtype)
    given_words, weight_words = in_words(given), in_words(weights)
    scores = np.empty((QUERIES, len(keys) * COLUMNS), np.float32)
    found = np.empty((QUERIES, len(values) * COLUMNS), np.float32)
    shares = np.empty(QUERIES, np.float32)
    for first in range(0, len(queries), QUERIES):
        several = min(QUERIES, len(queries) - first)
        for number in range(several):
            for place in range(size):
                given[number, place] = queries[first + number, place]
        for block in range(len(keys)):
            tile_of_words(given_words, keys[block], scores, block * COLUMNS)
        for number in range(several):
            shares[number] = powers(scores[number, :count], weights[number])
        for block in range(len(values)):
            tile_of_words(weight_words, values[block], found, block * COLUMNS)
        for number in range(several):
            share = shares[number]
            for place in range(size):
                mixed[first + number, place] = as_kept(found[number, place] * share, mixed)


@njit(cache=True, forceinline=True)
def _take_turn(turn: int, part: int, sides: Arrays, starts: tuple[int, int, int], size: int, mixed: Array) -> None:
    """A head and `part` of the queries, of `attended`."""
    heads = mixed.shape[1] // size
    place, first = turn % heads * size, turn // heads * part
    last = min(first + part, len(mixed))
    queries = sides[0][first:last, starts[0] + place : starts[0] + place + size]
    packed_keys = _packed_keys(sides[1][:, starts[1] + place : starts[1] + place + size])
    words = len(packed_keys) * COLUMNS * mixed.itemsize // 4
    packed_values = _packed_values(sides[2][:, starts[2] + place : starts[2] + place + size], words)
    _attend(queries, packed_keys, packed_values, len(mixed), mixed[first:last, place : place + size])


@njit(parallel=True, cache=True, nogil=True)
def attended(sides: Arrays, starts: tuple[int, int, int], size: int, mixed: Array) -> None:
    """Attention of a picture's patches over themselves -> mixed (N, C), float32 or bfloat16; size: of a head.

    sides: queries, keys and values, (N, C) from the column on that `starts` names. A thread takes turns at heads.
    """
    count, heads = len(mixed), mixed.shape[1] // size
    parts = (count + PART - 1) // PART
    part = ((count + parts - 1) // parts + QUERIES - 1) // QUERIES * QUERIES
    for turn in prange(heads * parts):
        _take_turn(turn, part, sides, starts, size, mixed)
