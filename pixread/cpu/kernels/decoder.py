"""A step of the decoder, compiled for this processor by numba (`pip install 'pixread[fast]'`).

A token reads every weight and every cached key once, so the loops here do little but read: an output at a time over
weights as they lie in memory (float32, bfloat16 or 8 bits), of several rows a few outputs at a time (`tiles.py`), and a
patch at a time over keys and values. Between layers all is float32. torch's own threads do the work. What is compiled
is kept on disk.

Functions with sums in any order are inlined by force. Otherwise a process that compiles would call the copies that it
compiled one by one, and a process that reads the loops from disk those within them, which add up in another order.

Legend: B pictures, Q queries of each (one, or one a beam, or tokens in a row), R = B * Q rows, C channels, H heads,
D size of a head, N keys, I inputs and O outputs of a product, F width of the MLP, V vocabulary.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import njit, prange, types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from pixread.cpu.kernels.tiles import BLOCK, TALL, inputs_per_step, tile

Array = NDArray[Any]
Arrays = tuple[Array, ...]
FEW_ROWS = 4  # below, one output at a time reads faster
AHEAD = 2 * BLOCK  # outputs between those at work and those on their way
LARGEST_SUM = 2**31 - 1  # of products in 32 bits
LARGEST_INPUT = 2**13 - 1  # quantised: 14 bits with the sign are more accurate than any weight of 8
LARGEST_WEIGHT = 127
TINY = np.float32(1e-30)
MIN_EXPONENT = np.float32(-87.0)  # e to that power is about the least number with all bits
FAST_MATH = {"nnan", "nsz", "reassoc", "contract"}  # sums in any order; infinities stay what they are


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Work with so many threads, in this thread of Python; new_values code that uses numba keeps its own number."""
    former = numba.get_num_threads()
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        numba.set_num_threads(former)


@intrinsic
def _add_product(typing_context: Any, total: Any, weight: Any, x: Any) -> Any:
    """total + weight * x, summed in any order; a weight of type uint16 holds the bits of a bfloat16."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, weight, x = arguments
        word = ir.IntType(32)
        if signature.args[1] == types.int8:
            # Without numba's widening to 64 bits, two products and their sum are one instruction.
            return builder.add(total, builder.mul(builder.sext(weight, word), builder.sext(x, word), flags=("nsw",)))
        if signature.args[1] == types.uint16:
            bits = builder.shl(builder.zext(weight, word), ir.Constant(word, 16))
            weight = builder.bitcast(bits, ir.FloatType())
        return builder.fadd(total, builder.fmul(weight, x, flags=("fast",)), flags=("fast",))

    return total(total, weight, x), generate


@intrinsic
def _two_to_the(typing_context: Any, power: Any) -> Any:
    """2 ** power as float32, for a whole power in int32 from -126 to 127: the bits of its exponent."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(32)
        bits = builder.shl(builder.add(arguments[0], ir.Constant(word, 127)), ir.Constant(word, 23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def larger(typing_context: Any, one: Any, new_values: Any) -> Any:
    """The larger of two float32; unlike `max`, many at once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.FloatType()
        larger = builder.module.declare_intrinsic("llvm.maxnum", [number], ir.FunctionType(number, [number, number]))
        return builder.call(larger, arguments, fastmath=("nnan", "nsz"))

    return types.float32(types.float32, types.float32), generate


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def exp(x: Any) -> Any:
    """e ** x for x up to 80, to the last bit or two; unlike the C library's, many at once."""
    x = larger(x, MIN_EXPONENT)
    power = np.rint(x * np.float32(1.4426950408889634))
    rest = x - power * np.float32(0.693359375) + power * np.float32(2.12194440e-4)  # ln 2 in two parts
    series = np.float32(1 / 5040)
    for factor in (1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        series = series * rest + np.float32(factor)
    return series * _two_to_the(np.int32(power))


@njit(cache=True, forceinline=True)
def _dot(weights: Array, x: Array, zero: Any) -> Any:
    total = zero
    for index in range(len(weights)):
        total = _add_product(total, weights[index], x[index])
    return total


@njit(parallel=True, cache=True)
def _multiply(x: Array, x_scales: Array, weights: Array, scales: Array, zero: Any, y: Array) -> None:
    """x: (R, I) with scales (R,), weights: (O, I) with scales (O,) -> y: (R, O)."""
    rows, outputs = len(x), len(weights)
    for block in prange((outputs + BLOCK - 1) // BLOCK):
        first, last = BLOCK * block, BLOCK * (block + 1)
        if rows >= FEW_ROWS and last <= outputs:
            _multiply_block(x, x_scales, weights, scales, y, first)
        else:
            for output in range(first, min(last, outputs)):
                for row in range(rows):
                    y[row, output] = _dot(weights[output], x[row], zero) * scales[output] * x_scales[row]


@njit(cache=True, forceinline=True)
def _multiply_block(x: Array, x_scales: Array, weights: Array, scales: Array, y: Array, first: int) -> None:
    """All rows, a few at once, for the outputs from `first` on; meanwhile the weights of others are on their way."""
    rows, inputs = x.shape
    tiles, steps = (rows + TALL - 1) // TALL, inputs // inputs_per_step(weights)
    stride = BLOCK * inputs_per_step(weights) * weights.itemsize // tiles
    ahead = (first + AHEAD) * inputs * weights.itemsize
    for number in range(tiles):
        row = min(number * TALL, rows - TALL)
        if tiles == 1:
            sums = tile(x, row, weights, first, ahead, stride, 4)
        else:
            sums = tile(x, row, weights, first, ahead + number * steps * stride, stride, 2)
        for cell, total in enumerate(sums):
            x_row, output = row + cell // BLOCK, first + cell % BLOCK
            for index in range(steps * inputs_per_step(weights), inputs):
                total = _add_product(total, weights[output, index], x[x_row, index])
            y[x_row, output] = total * scales[output] * x_scales[x_row]


@njit(cache=True, fastmath=FAST_MATH)
def _quantise(x: Array) -> tuple[Array, Array]:
    """x: (R, I) -> quantised (R, I) int16, as large as a sum has room for, and the scales (R,)."""
    rows, inputs = x.shape
    most = np.float32(min(LARGEST_INPUT, LARGEST_SUM // (LARGEST_WEIGHT * inputs)))
    quantised, scales = np.empty((rows, inputs), np.int16), np.empty(rows, np.float32)
    for row in range(rows):
        largest = TINY
        for index in range(inputs):
            largest = larger(largest, abs(x[row, index]))
        scales[row] = largest / most
        for index in range(inputs):
            quantised[row, index] = np.int16(np.rint(x[row, index] * (most / largest)))
    return quantised, scales


def product(x: Array, weights: Array, scales: Array, y: Array) -> None:
    """x: (R, I) float32, weights: (O, I) float32, uint16 (bits of bfloat16) or int8, scales: (O,) -> y: (R, O)."""
    raise NotImplementedError("only what numba compiles calls it")


@overload(product)
def _product(x: Any, weights: Any, scales: Any, y: Any) -> Any:
    def quantising(x: Any, weights: Any, scales: Any, y: Any) -> Any:
        quantised, x_scales = _quantise(x)
        _multiply(quantised, x_scales, weights, scales, np.int32(0), y)

    def plain(x: Any, weights: Any, scales: Any, y: Any) -> Any:
        _multiply(x, np.ones(len(x), np.float32), weights, scales, np.float32(0), y)

    return quantising if weights.dtype == types.int8 else plain


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def _softmax_numerators(scores: Array) -> Any:
    """Turns scores into their powers of e; returns 1 / their sum."""
    highest = np.float32(-np.inf)
    for index in range(len(scores)):
        highest = larger(highest, scores[index])
    total = np.float32(0)
    for index in range(len(scores)):
        power = exp(scores[index] - highest)
        scores[index] = power
        total += power
    return np.float32(1) / total


@njit(cache=True, forceinline=True)
def _add_scores(queries: Array, keys: Array, added: Array, scores: Array) -> None:
    """queries: (Q, D), keys: (N, D), added: (1 or Q, N) -> scores: (Q, N)."""
    for row in range(len(queries)):
        for index in range(len(keys)):
            scores[row, index] = _dot(keys[index], queries[row], np.float32(0)) + added[row % len(added), index]


@njit(cache=True, forceinline=True)
def _weighted_sum(powers: Array, values: Array, mixed: Array) -> None:
    """powers: (Q, N), values: (N, D) -> mixed: (Q, D)."""
    mixed[:] = np.float32(0)
    rows, columns = powers.shape
    whole = columns // BLOCK * BLOCK
    for index in range(0, whole, BLOCK):
        v0, v1, v2, v3 = values[index], values[index + 1], values[index + 2], values[index + 3]
        for row in range(rows):
            own, total = powers[row], mixed[row]
            p0, p1, p2, p3 = own[index], own[index + 1], own[index + 2], own[index + 3]
            for number in range(len(total)):
                pair: Any = _add_product(_add_product(total[number], v0[number], p0), v1[number], p1)
                total[number] = _add_product(_add_product(pair, v2[number], p2), v3[number], p3)
    for index in range(whole, columns):
        for row in range(rows):
            for number in range(mixed.shape[1]):
                mixed[row, number] = _add_product(mixed[row, number], values[index, number], powers[row, index])


@njit(parallel=True, cache=True)
def _attention(queries: Array, keys: Array, values: Array, bias: Array, rows: Array, mixed: Array) -> None:
    """queries: (R, C), keys and values: (B, H, >= N, D), bias: (B or 1, H or 1, Q or 1, N) -> mixed: (R, C).

    rows: the numbers of the pictures, of B, that the queries are of, Q of each.
    """
    _, heads, _, size = keys.shape
    count, columns = len(queries) // len(rows), bias.shape[3]
    for group in prange(len(rows) * heads):
        picture, head = rows[group // heads], group % heads
        first, start = group // heads * count, head * size
        scores, weighted = np.empty((count, columns), np.float32), np.empty((count, size), np.float32)
        own = queries[first : first + count, start : start + size].copy()
        added = bias[picture % bias.shape[0], head % bias.shape[1]]
        _add_scores(own, keys[picture, head, :columns], added, scores)
        for query in range(count):
            factor = _softmax_numerators(scores[query])
            for index in range(columns):
                scores[query, index] *= factor
        _weighted_sum(scores, values[picture, head, :columns], weighted)
        mixed[first : first + count, start : start + size] = weighted


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def _rms_norm(x: Array, weight: Array, eps: Any) -> Array:
    """Root-mean-square norm of the rows of x: (R, C)."""
    y = np.empty_like(x)
    for row in range(len(x)):
        total = np.float32(0)
        for index in range(x.shape[1]):
            total += x[row, index] * x[row, index]
        factor = np.float32(1) / np.sqrt(total / np.float32(x.shape[1]) + eps)
        for index in range(x.shape[1]):
            y[row, index] = x[row, index] * factor * weight[index]
    return y


@njit(cache=True, fastmath=FAST_MATH, forceinline=True)
def _gelu_gate(gate: Array, up: Array) -> None:
    """gate becomes gelu(gate) * up, with the tanh form of gelu: half * (1 + tanh(t)) is 1 / (1 + e ** (-2 t))."""
    for row in range(len(gate)):
        for index in range(gate.shape[1]):
            x = gate[row, index]
            doubled = np.float32(2 * math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)
            gate[row, index] = x / (np.float32(1) + exp(min(-doubled, np.float32(80)))) * up[row, index]


@njit(cache=True)
def _write_cache(new: Array, cache: Array, start: int) -> None:
    """Write new (R, C) into columns of the cache (B, H, T, D), from `start` on."""
    pictures, heads, _, size = cache.shape
    count = len(new) // pictures
    for picture in range(pictures):
        for head in range(heads):
            for query in range(count):
                given = new[picture * count + query]
                for number in range(size):
                    cache[picture, head, start + query, number] = given[head * size + number]


@njit(cache=True, nogil=True)
def step(
    x: Array,
    start: int,
    eps: Any,
    norms: Arrays,
    products: tuple[tuple[Arrays, Arrays], ...],
    head: tuple[Array, Array],
    cache: tuple[Arrays, Arrays],
    bias: Array,
    memory: tuple[Arrays, Arrays],
    mask: Array,
    memory_rows: Array,
    logits: Array,
) -> None:
    """One step of all layers. x: (R, C), the embedded tokens, is used up; logits: (R, V).

    norms: three of (C,) a layer and the last one. products: (weights of all layers, scales of all layers) of query,
    key, value, output, cross query, cross output, gate, up and down. cache: keys and values of all layers, of which
    columns from `start` on are written, and those attended to that `bias` has (see `_attention`). memory, mask: the
    same of the pictures, of which `memory_rows` are read.
    """
    query, key, value, output, cross_query, cross_output, gate, up, down = products
    projected, new_values, mixed = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    all_rows = np.arange(len(cache[0][0]))
    gate_projected = np.empty((len(x), len(gate[1][0])), np.float32)
    up_projected = np.empty((len(x), len(gate[1][0])), np.float32)
    for layer in range(len(norms) // 3):
        normed = _rms_norm(x, norms[3 * layer], eps)
        product(normed, key[0][layer], key[1][layer], projected)
        product(normed, value[0][layer], value[1][layer], new_values)
        _write_cache(projected, cache[0][layer], start)
        _write_cache(new_values, cache[1][layer], start)
        product(normed, query[0][layer], query[1][layer], projected)
        _attention(projected, cache[0][layer], cache[1][layer], bias, all_rows, mixed)
        product(mixed, output[0][layer], output[1][layer], projected)
        x += projected
        normed = _rms_norm(x, norms[3 * layer + 1], eps)
        product(normed, cross_query[0][layer], cross_query[1][layer], projected)
        _attention(projected, memory[0][layer], memory[1][layer], mask, memory_rows, mixed)
        product(mixed, cross_output[0][layer], cross_output[1][layer], projected)
        x += projected
        normed = _rms_norm(x, norms[3 * layer + 2], eps)
        product(normed, gate[0][layer], gate[1][layer], gate_projected)
        product(normed, up[0][layer], up[1][layer], up_projected)
        _gelu_gate(gate_projected, up_projected)
        product(gate_projected, down[0][layer], down[1][layer], projected)
        x += projected
    product(_rms_norm(x, norms[-1], eps), head[0], head[1], logits)
