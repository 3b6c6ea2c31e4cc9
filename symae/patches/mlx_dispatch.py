"""MLX takes arrays of any strides, adds and multiplies more than two, casts sizes, and looks at assertions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.raise_op import Assert, CheckAndRaise
from pytensor.scalar.basic import Add, Cast, Mul

from symae.ops.runtime_errors import error_unless
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    import mlx.core as mx

    @changes.convert(dispatch.mlx_typify, np.ndarray)
    def typify(data: np.ndarray, dtype: Any = None, **_: Any) -> Any:
        # MLX takes no negative strides
        return mx.array(data.copy() if any(stride < 0 for stride in data.strides) else data, dtype=dtype)

    # Of three and more arguments PyTensor makes a stack, for which they have to be of one shape.
    @changes.convert(dispatch.mlx_funcify, Add)
    def add(op: Add, **_: Any) -> Callable[..., Any]:
        return lambda *terms: functools.reduce(mx.add, terms)

    @changes.convert(dispatch.mlx_funcify, Mul)
    def mul(op: Mul, **_: Any) -> Callable[..., Any]:
        return lambda *factors: functools.reduce(mx.multiply, factors)

    pytensors_cast = dispatch.mlx_funcify.dispatch(Cast)

    @changes.convert(dispatch.mlx_funcify, Cast)
    def cast(op: Cast, **keywords: Any) -> Callable[..., Any]:
        convert = pytensors_cast(op, **keywords)
        integer = getattr(op, "scalar_op", op).o_type.dtype.startswith(("int", "uint"))

        def cast(x: Any) -> Any:
            # A size is an int, which PyTensor cannot cast; one that stays an integer has to stay known where MLX traces.
            if isinstance(x, int) and integer:
                return x
            return convert(x if isinstance(x, mx.array) else mx.array(x))

        return cast

    @changes.convert(dispatch.mlx_funcify, Assert, CheckAndRaise)
    def check_and_raise(op: CheckAndRaise, **_: Any) -> Callable[..., Any]:
        def check(x: Any, *conditions: Any) -> Any:
            # PyTensor skips it, with a warning
            for condition in conditions:
                error_unless(mx.all(mx.array(condition)), lambda: op.exc_type(op.msg))
            return x

        return check


PATCH = Patch(
    module="pytensor.link.mlx.dispatch",
    replaces="PyTensor's MLX conversions of arrays, Add, Mul, Cast, Assert and CheckAndRaise",
    why="negative strides and sums of arrays that broadcast fail, sizes cannot be cast, assertions are skipped",
    upstream="not proposed: copy arrays with negative strides in mlx_typify; fold Add and Mul by mx.add and mx.multiply "
    "instead of stacking, which wants one shape; let Cast take Python's ints, the sizes; CheckAndRaise needs a way to"
    " raise after mx.compile.",
    delete_when="tests/patches/test_conversions.py passes with SYMAE_PATCHES=-mlx_dispatch",
    apply=apply,
    expects=(
        Expected("pytensor.link.mlx.dispatch.basic", "mlx_funcify"),
        Expected("pytensor.link.mlx.dispatch.basic", "mlx_typify"),
    ),
)
