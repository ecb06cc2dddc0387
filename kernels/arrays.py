"""Loads and stores without index wraparound, and prefetch, on one-dimensional integer arrays.

numba adds the length to a negative index, which costs a compare and a select at every access;
kernels that move hundreds of millions of words use these instead. Every index must lie inside
its array, which is contiguous. With ``GRAMDEX_CHECK_BOUNDS=1`` indices are checked; prefetching may
aim anywhere.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from gramdex.kernels.jit import CHECK_BOUNDS, JIT_DISABLED, kernel


def _require_contiguous(array):
    if not (isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C"):
        raise TypingError(f"{array}: expected a contiguous one-dimensional array")


def _pointer(context, builder, array_type, array, index):
    view = context.make_array(array_type)(context, builder, array)
    return builder.gep(view.data, [index])


def _compiled_load(typing_context, array, index):
    """Element ``index`` of an integer array, as int64."""
    _require_contiguous(array)

    def emit(context, builder, signature, arguments):
        value = builder.load(_pointer(context, builder, array, *arguments))
        extend = builder.sext if array.dtype.signed else builder.zext
        return extend(value, ir.IntType(64)) if array.dtype.bitwidth < 64 else value

    return types.int64(array, types.int64), emit


def _compiled_store(typing_context, array, index, value):
    """Store the low bits of an int64 as element ``index``."""
    _require_contiguous(array)

    def emit(context, builder, signature, arguments):
        target, position, number = arguments
        if array.dtype.bitwidth < 64:
            number = builder.trunc(number, ir.IntType(array.dtype.bitwidth))
        builder.store(number, _pointer(context, builder, array, target, position))
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), emit


def emit_prefetch(builder, pointer, write):
    """Emit the prefetch of a pointer's cache line into all levels, to be read or written."""
    byte_pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    signature = ir.FunctionType(ir.VoidType(), [byte_pointer, number, number, number])
    prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte_pointer], signature)
    keep, data = number(3), number(1)
    pointer = builder.bitcast(pointer, byte_pointer)
    builder.call(prefetch, [pointer, number(write), keep, data])


def _prefetcher(write):
    def prefetch(typing_context, array, index):
        """Start loading the cache line of element ``index``, which may lie anywhere."""
        _require_contiguous(array)

        def emit(context, builder, signature, arguments):
            emit_prefetch(builder, _pointer(context, builder, array, *arguments), write)
            return context.get_dummy_value()

        return types.void(array, types.int64), emit

    return prefetch


def _checked_load(array, index):
    if not 0 <= index < array.size:
        raise IndexError("load outside the array")
    return int(array[index])


def _checked_store(array, index, value):
    if not 0 <= index < array.size:
        raise IndexError("store outside the array")
    array[index] = value


load: Any
store: Any
if JIT_DISABLED:
    load, store = _checked_load, _checked_store
    prefetch_load = prefetch_store = lambda array, index: None
else:
    prefetch_load, prefetch_store = (intrinsic(_prefetcher(write)) for write in (0, 1))
    if CHECK_BOUNDS:
        load, store = kernel(_checked_load), kernel(_checked_store)
    else:
        load, store = intrinsic(_compiled_load), intrinsic(_compiled_store)
