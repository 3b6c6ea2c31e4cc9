"""What the ops of pooling and unpooling share: their kernels in C++, and how they call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply

from symae.geometry.windows import Axis
from symae.kernels import header
from symae.ops.traced import TracedOp


class PoolingOp(TracedOp):
    """Connect an op to kernels in ``symae/kernels/pooling.h``. `where` names in errors the function that was called."""

    where: str

    def c_call(self, node: Apply, outputs: Sequence[str]) -> tuple[str, Sequence[Any]]:
        """Return the C++ function's name, with its template arguments after the type, and what it takes between its arrays."""
        raise NotImplementedError

    def c_support_code(self, **_: Any) -> str:
        return header("pooling.h")

    def numba_key(self, node: Apply) -> Any:
        from symae.kernels.pooling import threads_for_pixels

        first, result = node.inputs[0].type, node.outputs[0].type
        return first.dtype, threads_for_pixels(first.shape), threads_for_pixels(result.shape)

    def c_code(self, node: Apply, name: str, inputs: Sequence[str], outputs: Sequence[str], sub: dict[str, str]) -> str:
        dtype = np.dtype(node.outputs[0].type.dtype)
        function, constants = self.c_call(node, outputs)
        arrays = [name for name, variable in zip(inputs, node.inputs, strict=True) if variable.type.ndim == 4]
        sizes = [
            f"*(npy_int64 *)PyArray_DATA({name})"
            for name, variable in zip(inputs, node.inputs, strict=True)
            if not variable.type.ndim
        ]
        arguments = ", ".join([*arrays, *sizes, *(f"&{output}" for output in outputs), str(dtype.num), *map(str, constants)])
        call = function.format(type=f"npy_{dtype.name}")
        return f'if ({call}({arguments}, "{self.where}")) {{ {sub["fail"]} }}'


def c_axis(axis: Axis) -> str:
    """Return an `Axis` as the C++ structure."""
    numbers = (axis.size, axis.stride, axis.offset, axis.extra, axis.least, axis.pad or 0)
    return f"symae_axis{{{', '.join(map(str, numbers))}, {'true' if axis.pad is None else 'false'}}}"
