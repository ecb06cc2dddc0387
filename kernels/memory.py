"""Loads from mapped memory, and prefetch.

Kernels read the arrays of a shard at addresses, so that one compiled function serves every index:
see ``kernels/suffix_array/columns.py`` and ``kernels/fm/columns.py``.
"""

from __future__ import annotations

import ctypes

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gramdex.kernels.arrays import emit_prefetch
from gramdex.kernels.jit import JIT_DISABLED, kernel

SEPARATOR = 0


class CorruptShard(Exception):
    """A position, or an entry of a table, read from a shard cannot be."""


def _python_load(ctype):
    size = ctypes.sizeof(ctype)

    def load(address, index):
        return ctype.from_address(int(address) + size * int(index)).value

    return load


def _compiled_load(bits):
    def load(typing_context, address, index):
        def emit(context, builder, signature, arguments):
            base, offset = arguments
            integer = ir.IntType(bits)
            pointer = builder.inttoptr(base, integer.as_pointer())
            value = builder.load(builder.gep(pointer, [offset]), align=1)
            return builder.zext(value, ir.IntType(64)) if bits < 64 else value

        return types.int64(types.int64, types.int64), emit

    return intrinsic(load)


if JIT_DISABLED:
    load_u8, load_u16, load_u32, load_64 = map(
        _python_load, (ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int64)
    )
else:
    load_u8, load_u16, load_u32, load_64 = map(_compiled_load, (8, 16, 32, 64))


def _compiled_prefetch(typing_context, address):
    """Start loading the cache line of an address that will be read soon."""

    def emit(context, builder, signature, arguments):
        pointer = builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())
        emit_prefetch(builder, pointer, write=0)
        return context.get_dummy_value()

    return types.void(types.int64), emit


prefetch = (lambda address: None) if JIT_DISABLED else intrinsic(_compiled_prefetch)


@kernel
def load_token(address, width, index):
    """Element ``index`` of an unsigned array of ``width`` bytes an element."""
    if width == 2:
        return load_u16(address, index)
    if width == 1:
        return load_u8(address, index)
    return load_u32(address, index)
