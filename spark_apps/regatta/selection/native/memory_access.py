"""Two instructions that numba has no word for. Both leave out every check: the caller knows the bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

CACHE_LINE = 64  # bytes


@intrinsic  # type: ignore[untyped-decorator]
def prefetch_row(typing_context: Any, matrix: Any, row: Any) -> Any:
    """Ask for the cache line in which a row of a matrix begins, and do not wait for it.

    Rows of a deep node lie anywhere in memory, and waiting for each is most of the time that growing takes.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        row_bytes = cgutils.unpack_tuple(builder, array.strides, 2)[0]
        byte = ir.IntType(8).as_pointer()
        address = builder.gep(builder.bitcast(array.data, byte), [builder.mul(arguments[1], row_bytes)])
        int32 = ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [byte], ir.FunctionType(ir.VoidType(), [byte, int32, int32, int32])
        )
        builder.call(prefetch, [address, int32(0), int32(3), int32(1)])  # to read, keep, data
        return context.get_dummy_value()

    return types.void(matrix, types.intp), generate


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """An uninitialised array whose first element begins a cache line, so that no short row crosses two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)
