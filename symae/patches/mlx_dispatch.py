"""MLX has the elementary functions, takes arrays of any strides, adds more than two, casts sizes, and looks at assertions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.raise_op import Assert, CheckAndRaise
from pytensor.scalar import basic
from pytensor.scalar.basic import Add, Cast, Mul
from pytensor.tensor.math import Prod

from symae.ops.elementary import products, rounded_away_from_zero, sign, whole_product
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

    def of_dtype(x: Any, dtype: str) -> Any:
        # Both calls copy an array that is one of MLX's, and of the dtype, already.
        x, wanted = x if isinstance(x, mx.array) else mx.array(x), getattr(mx, dtype)
        return x if x.dtype == wanted else x.astype(wanted)

    functions: dict[str, Callable[..., Any]] = {
        "Clip": lambda x, low, high: mx.where(x < low, low, mx.where(x > high, high, x)),
        "Exp2": lambda x: mx.power(2.0, x),
        "Deg2Rad": mx.radians,  # not an op any more in PyTensor 3.3
        "Rad2Deg": mx.degrees,
        "IntDiv": _floor_divide,
        "RoundHalfToEven": mx.round,
        "RoundHalfAwayFromZero": functools.partial(rounded_away_from_zero, mx),
        "Sign": functools.partial(sign, mx),
    }
    there = {getattr(basic, name): function for name, function in functions.items() if hasattr(basic, name)}
    changes.compute_by(dispatch.mlx_funcify, there)

    def prod(stock: Callable[..., Any], op: Prod, node: Any, **keywords: Any) -> Callable[..., Any]:
        multiply = stock(op, node=node, **keywords)  # of int32 it stays int32, and goes over
        return lambda x: multiply(of_dtype(x, node.outputs[0].type.dtype))

    changes.adapt(dispatch.mlx_funcify, products(mx, of_dtype, whole_product) | {Prod: prod})

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


def _floor_divide(x: Any, y: Any) -> Any:
    import mlx.core as mx

    x, y = mx.array(x), mx.array(y)
    quotient = mx.floor_divide(x, y)
    if not mx.issubdtype(quotient.dtype, mx.floating):
        return quotient
    return mx.where(mx.isinf(x) & (y != 0), mx.nan, quotient)


PATCH = Patch(
    module="pytensor.link.mlx.dispatch",
    replaces="PyTensor's MLX conversions of arrays, Add, Mul, Cast, Assert, CheckAndRaise, and of clip, sign, rounding, //",
    why="negative strides and sums of arrays that broadcast fail, sizes cannot be cast, assertions are skipped; MLX has no "
    "clip of PyTensor's kind, other names for rounding, the sign of NaN is 0, and infinity // 1 infinity",
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
