"""Mapped files that shrink while they are read: the handler of SIGBUS, and whether it was needed.

Reading a page that a file no longer has raises SIGBUS, which ends the process. The handler looks
the address up in a table of mapped ranges, counts the hit, and puts zeros in place of the range
from that page on; then the read goes on. The hit is counted before there is anything to read, so
whoever has read zeros and then looks at the table sees it.

    table int64[MOST, 4]  a row per range
      BEGIN, END          addresses [BEGIN, END); all 0 where the row is free
      HITS                how often a page of it was missing
      PROBE               address of the last byte of the file that is not zero

What is cut off inside the last page that is left reads as zeros and raises nothing: that is what
the probe is for, which is then zero itself.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gramdex.kernels.jit import callback, kernel
from gramdex.kernels.memory import load_64, load_u8, load_u32

BEGIN, END, HITS, PROBE = range(4)
COLUMNS = 4

ACTION_BYTES = 256
"""Room for one ``struct sigaction``."""

# What the handler keeps: the action that was there before it, the default, and how often it has
# handed a signal on.
BEFORE, DEFAULT, HANDED = 0, ACTION_BYTES, 2 * ACTION_BYTES
KEPT_BYTES = 2 * ACTION_BYTES + 8

# Of Linux: siginfo_t, and the arguments of mmap.
_CODE, _ADDRESS = 8, 16
_READ, _ZEROS = 1, 0x02 | 0x10 | 0x20 | 0x4000  # private, fixed, anonymous, not reserved

_mmap = types.ExternalFunction(
    "mmap",
    types.intp(types.intp, types.intp, types.int32, types.int32, types.int32, types.intp),
)
_sigaction = types.ExternalFunction("sigaction", types.int32(types.int32, types.intp, types.intp))
_raise = types.ExternalFunction("raise", types.int32(types.int32))


@intrinsic
def _count(typing_context, address):
    """Add one to the int64 at an address, seen by all threads; what it was."""

    def emit(context, builder, signature, arguments):
        integer = ir.IntType(64)
        pointer = builder.inttoptr(arguments[0], integer.as_pointer())
        return builder.atomic_rmw("add", pointer, integer(1), "seq_cst")

    return types.int64(types.int64), emit


def compile_handler(table, rows, page, kept):
    """Compile the handler of SIGBUS for one process; its ``address`` is what sigaction takes.

    A signal for another address, or from another process, goes to the action that was there before;
    if it comes back, to the default. The handler takes no lock, no memory and not the GIL.

    Args:
        table: address of the table.
        rows: of it.
        page: bytes of a page.
        kept: address of KEPT_BYTES, with both actions.
    """

    @callback("void(int32, intp, intp)")
    def handle(signal, information, context):
        code, address = load_u32(information + _CODE, 0), load_64(information + _ADDRESS, 0)
        end = 0
        if 0 < code < 1 << 31:  # else another process sent it, and there is no address
            for row in range(table, table + 8 * COLUMNS * rows, 8 * COLUMNS):
                if load_64(row, BEGIN) <= address < load_64(row, END):
                    end = load_64(row, END)
                    _count(row + 8 * HITS)
        start = address & -page
        if end > 0 and _mmap(start, end - start, _READ, _ZEROS, -1, 0) == start:
            return
        action = kept + (BEFORE if _count(kept + HANDED) == 0 else DEFAULT)
        _sigaction(signal, action, 0)
        if end == 0 and not 0 < code < 1 << 31:
            _raise(signal)  # what was read is read again, but what was sent must be sent again

    return handle


@kernel
def first_damaged(table, rows, start):
    """First of ``rows[start:]`` int64[n] whose file is shorter than it was, or -1.

    Touches a page of each file.
    """
    for i in range(start, rows.size):
        row = rows[i]
        if table[row, HITS] != 0 or load_u8(table[row, PROBE], 0) == 0:
            return i
    return -1
