"""Products a few rows and a few columns at a time, whose sums are kept in registers.

What numba makes of a loop over such sums uses few of the registers, has no room between its instructions to prefetch
the weights that come next, and knows no instruction for bfloat16. So these loops are spelled out as vectors.

Legend: I inputs and O outputs of a product, R rows, W words of one float32 or two bfloat16.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numba.np import arrayobj

binding.initialize_native_asmparser()  # for the one instruction that LLVM has no name for in all versions
# Of the processor that numba compiles for: this one, or another that NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name.
FEATURES = frozenset(cpu_target.target_context.codegen().magic_tuple()[2].split(","))
WIDE = "+avx512f" in FEATURES
LANES = 16 if WIDE else 8  # of 32 bits
TALL = 4 if WIDE else 2  # rows of a tile: as many sums as there are registers for
BLOCK = 4  # outputs of a tile
QUERIES = 6 if WIDE else 2  # rows of a tile of words
COLUMNS = 4 * LANES  # of a tile of words
LINE = 64  # bytes that come from memory at once

FLOAT, WORD, ADDRESS = ir.FloatType(), ir.IntType(32), ir.IntType(64)


@intrinsic
def inputs_per_step(typing_context: Any, weights: Any) -> Any:
    """How many inputs `tile` takes at once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, _inputs_per_step(signature.args[0].dtype))

    return types.intp(weights), generate


@intrinsic(prefer_literal=True)
def tile(typing_context: Any, x: Any, row: Any, weights: Any, first: Any, ahead: Any, stride: Any, lines: Any) -> Any:
    """The sums of `TALL` rows of x (R, I) from `row` on and `BLOCK` outputs of weights (O, I) from `first` on.

    Row by row; of all inputs but the rest that is less than `inputs_per_step`. With each step it prefetches `lines`
    (a constant) lines of weights, from the byte `ahead` on, where the next ones are `stride` bytes further.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tables = [arrayobj.make_array(signature.args[at])(context, builder, arguments[at]) for at in (0, 2)]
        starts = [
            [
                _start(context, builder, signature.args[at], tables[at // 2], arguments[at + 1], more)
                for more in range(count)
            ]
            for at, count in ((0, TALL), (2, BLOCK))
        ]
        kind = signature.args[2].dtype
        zero = ir.Constant(ir.VectorType(FLOAT if kind != types.int8 else WORD, LANES), None)
        sums = [cgutils.alloca_once_value(builder, zero) for _ in range(TALL * BLOCK)]
        inputs = builder.extract_value(tables[1].shape, 1)
        steps = builder.udiv(inputs, ir.Constant(ADDRESS, _inputs_per_step(kind)))
        with cgutils.for_range(builder, steps) as loop:
            _prefetch(builder, tables[1].data, arguments[4:6], loop.index, count=lines.literal_value)
            offset = builder.mul(loop.index, ir.Constant(ADDRESS, _inputs_per_step(kind)))
            weight_vectors = [_vector(builder, start, offset, kind) for start in starts[1]]
            for number, start in enumerate(starts[0]):
                x_vector = _vector(builder, start, offset, signature.args[0].dtype, count=_inputs_per_step(kind))
                for output, weight in enumerate(weight_vectors):
                    total = sums[number * BLOCK + output]
                    builder.store(_multiply_add(builder, builder.load(total), weight, x_vector), total)
        return context.make_tuple(
            builder, signature.return_type, [_sum(builder, builder.load(total)) for total in sums]
        )

    if not isinstance(lines, types.IntegerLiteral):
        return None
    total = types.int32 if weights.dtype == types.int8 else types.float32
    where = (types.intp, weights, types.intp, types.intp, types.intp)
    return types.UniTuple(total, TALL * BLOCK)(x, *where, lines), generate


def _inputs_per_step(kind: Any) -> int:
    # Two products of 16 bits make one sum of 32.
    return 2 * LANES if kind == types.int8 else LANES


def _start(context: Any, builder: Any, kind: Any, table: Any, row: Any, more: int) -> Any:
    """Where row `row` + `more` of a table begins."""
    offset = [builder.add(row, ir.Constant(ADDRESS, more)), ir.Constant(ADDRESS, 0)]
    return cgutils.get_item_pointer(context, builder, kind, table, offset, wraparound=False)


def _prefetch(builder: Any, weights: Any, where: Any, step: Any, *, count: int) -> None:
    byte = ir.IntType(8).as_pointer()
    prefetch = builder.module.declare_intrinsic(
        "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, WORD, WORD, WORD])
    )
    ahead, stride = where
    begin = builder.add(ahead, builder.mul(step, stride))
    # To the second cache: the first has too few places for lines on their way, and would make us wait.
    read, second, data = (ir.Constant(WORD, value) for value in (0, 2, 1))
    for line in range(count):
        at = builder.gep(builder.bitcast(weights, byte), [builder.add(begin, ir.Constant(ADDRESS, LINE * line))])
        builder.call(prefetch, [at, read, second, data])


def _vector(builder: Any, start: Any, offset: Any, kind: Any, *, count: int | None = None) -> Any:
    """Numbers from a place on: float32, or 16 bits each where weights have 8."""
    narrow = {types.int8: ir.IntType(8), types.int16: ir.IntType(16), types.uint16: ir.IntType(16)}.get(kind, FLOAT)
    vector = ir.VectorType(narrow, count or _inputs_per_step(kind))
    at = builder.bitcast(builder.gep(start, [offset]), vector.as_pointer())
    loaded = builder.load(at, align=kind.bitwidth // 8)
    if kind == types.int8:
        return builder.sext(loaded, ir.VectorType(ir.IntType(16), vector.count))
    if kind == types.uint16:  # the bits of a bfloat16
        words = ir.VectorType(WORD, vector.count)
        raised = builder.shl(builder.zext(loaded, words), ir.Constant(words, [16] * vector.count))
        return builder.bitcast(raised, ir.VectorType(FLOAT, vector.count))
    return loaded


def _multiply_add(builder: Any, total: Any, weight: Any, x_vector: Any) -> Any:
    """total + weight * x_vector; of whole numbers two products to each sum."""
    if weight.type.element == FLOAT:
        return builder.fadd(total, builder.fmul(weight, x_vector, flags=("contract",)), flags=("contract",))
    words = ir.VectorType(WORD, weight.type.count)
    products = builder.mul(builder.sext(weight, words), builder.sext(x_vector, words), flags=("nsw",))
    half = ir.VectorType(WORD, LANES)
    even, odd = (
        builder.shuffle_vector(products, products, ir.Constant(half, list(range(at, weight.type.count, 2))))
        for at in (0, 1)
    )
    return builder.add(total, builder.add(even, odd))


def _sum(builder: Any, total: Any) -> Any:
    """All lanes of a vector, in any order."""
    kind = total.type
    start, loose = ([ir.Constant(FLOAT, 0.0)], ("reassoc",)) if kind.element == FLOAT else ([], ())
    suffix = f"fadd.v{kind.count}f32" if kind.element == FLOAT else f"add.v{kind.count}i32"
    function = ir.FunctionType(kind.element, [*(value.type for value in start), kind])
    reduce = cgutils.get_or_insert_function(builder.module, function, f"llvm.vector.reduce.{suffix}")
    return builder.call(reduce, [*start, total], fastmath=loose)


@intrinsic
def tile_of_words(typing_context: Any, a: Any, b: Any, c: Any, column: Any) -> Any:
    """a: (QUERIES, W) times b: (W, COLUMNS) -> c: (QUERIES, O) float32, from `column` on.

    a and b hold a float32 in each word, or in a uint32 two bfloat16, and what is added up are the products of both.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        a, b, c = (arrayobj.make_array(kinds[at])(context, builder, arguments[at]) for at in range(3))
        zero = ir.Constant(ADDRESS, 0)
        rows = [_start(context, builder, kinds[0], a, zero, query) for query in range(QUERIES)]
        vector = ir.VectorType(FLOAT, LANES)
        blank, parts = ir.Constant(vector, None), range(0, COLUMNS, LANES)
        sums = [[cgutils.alloca_once_value(builder, blank) for _ in parts] for _ in rows]
        with cgutils.for_range(builder, builder.extract_value(b.shape, 0)) as loop:
            start = cgutils.get_item_pointer(context, builder, kinds[1], b, [loop.index, zero], wraparound=False)
            theirs = [_words(builder, start, part) for part in parts]
            for row, totals in zip(rows, sums, strict=True):
                word = _broadcast(builder, builder.load(builder.gep(row, [loop.index])))
                for total, other in zip(totals, theirs, strict=True):
                    add = _multiply_add if kinds[0].dtype == types.float32 else _multiply_add_pairs
                    builder.store(add(builder, builder.load(total), other, word), total)
        for query, totals in enumerate(sums):
            offset = [ir.Constant(ADDRESS, query), arguments[3]]
            start = cgutils.get_item_pointer(context, builder, kinds[2], c, offset, wraparound=False)
            for part, total in zip(parts, totals, strict=True):
                at = builder.gep(start, [ir.Constant(ADDRESS, part)])
                builder.store(builder.load(total), builder.bitcast(at, vector.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.none(a, b, c, types.intp), generate


def _words(builder: Any, start: Any, offset: int) -> Any:
    at = builder.gep(start, [ir.Constant(ADDRESS, offset)])
    return builder.load(builder.bitcast(at, ir.VectorType(start.type.pointee, LANES).as_pointer()), align=4)


def _broadcast(builder: Any, word: Any) -> Any:
    """A word in all lanes."""
    vector = ir.VectorType(word.type, LANES)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), word, ir.Constant(WORD, 0))
    return builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(WORD, LANES), [0] * LANES))


def _multiply_add_pairs(builder: Any, total: Any, left: Any, right: Any) -> Any:
    """total + the products of both halves of the words."""
    floats = total.type
    if WIDE and "+avx512bf16" in FEATURES:
        function = ir.FunctionType(floats, [floats, left.type, left.type])
        return builder.asm(function, "vdpbf16ps $3, $2, $0", "=v,0,v,v", [total, left, right], side_effect=False)
    sixteen, upper = (ir.Constant(left.type, [value] * LANES) for value in (16, 0xFFFF0000))
    low = [builder.bitcast(builder.shl(words, sixteen), floats) for words in (left, right)]
    high = [builder.bitcast(builder.and_(words, upper), floats) for words in (left, right)]
    for mine, theirs in (low, high):
        total = builder.fadd(total, builder.fmul(mine, theirs, flags=("contract",)), flags=("contract",))
    return total
