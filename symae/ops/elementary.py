"""Elementary functions that a backend lacks, or has otherwise than NumPy, in the functions of its arrays, `xp`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.math import Dot, ProdWithoutZeros


def sign(xp: Any, x: Any) -> Any:
    """Compute -1, 0 or 1, and NaN of NaN, for which PyTorch and MLX have 0."""
    return xp.where(xp.isnan(x), x, xp.sign(x))


def rounded_away_from_zero(xp: Any, x: Any) -> Any:
    """Round to the nearest whole number, halves away from zero."""
    size = xp.abs(x)
    whole = xp.floor(size)
    return xp.where(size - whole >= 0.5, whole + 1, whole) * xp.sign(x)


def whole_product(x: Any, y: Any) -> Any:
    """Compute ``x @ y`` of whole numbers, of which MLX has no product."""
    if x.ndim > 1 and y.ndim > 1:
        return (x[..., None] * y[..., None, :, :]).sum(-2)
    return (x[:, None] * y).sum(0) if y.ndim > 1 else (x * y).sum(-1)


def products(
    xp: Any, convert: Callable[[Any, str], Any], of_whole: Callable[..., Any] | None = None
) -> dict[type, Callable[..., Any]]:
    """Return conversions of products, ``conversion(stock, op, node, **keywords)``, by the kind of op.

    Operands of products of matrices are converted to the dtype of the result first, because PyTorch multiplies none of two
    dtypes, and JAX makes a float32 of an int32 and a float32, where a graph has float64; `of_whole` multiplies whole numbers
    where it is given. ProdWithoutZeros, of which the gradient of prod is made, no backend has in PyTensor 3.0.
    """

    def of_matrices(stock: Callable[..., Any], op: Any, node: Any, **keywords: Any) -> Callable[..., Any]:
        dtype = node.outputs[0].type.dtype
        is_whole = dtype.startswith(("int", "uint"))
        compute = of_whole if of_whole is not None and is_whole else stock(op, node=node, **keywords)
        return lambda x, y: compute(convert(x, dtype), convert(y, dtype))

    def without_zeros(stock: Callable[..., Any], op: ProdWithoutZeros, node: Any, **_: Any) -> Callable[..., Any]:
        return _product_without_zeros(xp, op, node, convert)

    return {Dot: of_matrices, BatchedDot: of_matrices, ProdWithoutZeros: without_zeros}


def _product_without_zeros(xp: Any, op: ProdWithoutZeros, node: Any, convert: Callable[[Any, str], Any]) -> Callable[..., Any]:
    """Return the product of all entries but zeros; 0 where there are none."""
    axes = range(node.inputs[0].type.ndim) if op.axis is None else op.axis

    def compute(x: Any) -> Any:
        x = convert(x, node.outputs[0].type.dtype)
        any_left = x != 0
        product = xp.where(any_left, x, xp.ones_like(x))
        for axis in sorted(axes, reverse=True):
            product, any_left = xp.prod(product, axis), xp.any(any_left, axis)
        return convert(xp.where(any_left, product, xp.zeros_like(product)), node.outputs[0].type.dtype)

    return compute
