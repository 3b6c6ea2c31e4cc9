"""Sums of matrix products with transposed operands, added to a matrix that is there: BLAS's gemm as an op."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable

from symae.errors import InputError
from symae.ops.base import BackendOp

Flags = tuple[bool, bool]


class _Products(BackendOp):
    """Hold what matrix products share.

    `flags` say of each product which operands are transposed; if `unpacked`, machine code makes products of few rows or terms
    without BLAS.
    """

    flags: tuple[Flags, ...]
    unpacked: bool = False  # of what earlier versions have pickled

    def checked(self, operands: Sequence[Any]) -> tuple[list[Variable], tuple[int | None, int | None]]:
        """Return the operands as matrices of one dtype, and what is known of the result's shape."""
        where = type(self).__name__
        matrices = [pt.as_tensor(v) for v in operands]
        dtypes = {v.type.dtype for v in matrices}
        if any(v.type.ndim != 2 for v in matrices):
            raise InputError(where, f"operands of {', '.join(str(v.type.ndim) for v in matrices)} dimensions", "matrices")
        if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
            raise TypeError(f"{where}: found dtypes {', '.join(sorted(dtypes))}, expected float32 or float64 alone")
        shape: tuple[int | None, int | None] = (None, None)
        for a, b, (ta, tb) in zip(matrices[::2], matrices[1::2], self.flags, strict=True):
            shape = shape[0] or a.type.shape[1 if ta else 0], shape[1] or b.type.shape[0 if tb else 1]
        return matrices, shape

    def sum_of_products(self, matrices: Sequence[np.ndarray]) -> np.ndarray:
        """Compute the sum by NumPy."""
        total: np.ndarray = sum(a @ b for a, b in self.factors(matrices))
        return total

    def factors(self, matrices: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the matrices of each product, NumPy's or PyTorch's, as they are multiplied; all of them can be."""
        pairs = zip(matrices[::2], matrices[1::2], self.flags, strict=True)
        factors = [(a.T if ta else a, b.T if tb else b) for a, b, (ta, tb) in pairs]
        for a, b in factors:
            if a.shape[1] != b.shape[0]:
                raise _not_multiplied(a.shape, b.shape)
        return factors

    def numba_key(self, node: Apply) -> Any:
        return node.outputs[0].type.dtype  # and the flags, which are settings


class MatrixProduct(_Products):
    """Compute (A, B) -> op(A) op(B), where op transposes what `flags` say."""

    __props__ = ("flags", "unpacked")

    def __init__(self, transpose_a: bool = False, transpose_b: bool = False, unpacked: bool = False):
        self.flags = ((transpose_a, transpose_b),)
        self.unpacked = unpacked

    def make_node(self, A: Any, B: Any) -> Apply:
        matrices, shape = self.checked([A, B])
        return Apply(self, matrices, [pt.TensorType(matrices[0].type.dtype, shape=shape)()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        ((ta, tb),) = self.flags
        return [(shapes[0][1 if ta else 0], shapes[1][0 if tb else 1])]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        output_storage[0][0] = self.sum_of_products(inputs)

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.matrix_products import ask_for_products, product

        ask_for_products(node.outputs[0].type.dtype)
        return product(*self.flags[0], self.unpacked)

    def pytorch(self, node: Apply) -> Callable[..., Any]:
        import torch

        return lambda *matrices: torch.mm(*self.factors(matrices)[0])


class Gemm(_Products):
    """Compute (C, beta, alpha, A1, B1[, A2, B2]) -> beta C + alpha (op(A1) op(B1) + op(A2) op(B2)), in C if `inplace`."""

    __props__ = ("flags", "inplace", "unpacked")

    def __init__(self, flags: Sequence[Flags], inplace: bool = False, unpacked: bool = False):
        self.flags = tuple((bool(ta), bool(tb)) for ta, tb in flags)
        self.inplace, self.unpacked = inplace, unpacked
        if inplace:
            self.destroy_map = {0: [0]}
        if len(self.flags) not in (1, 2):
            raise InputError("Gemm", f"{len(self.flags)} products", "1 or 2")

    def make_node(self, C: Any, beta: Any, alpha: Any, *operands: Any) -> Apply:
        matrices, _ = self.checked(operands)
        C, dtype = pt.as_tensor(C), matrices[0].type.dtype
        if C.type.dtype != dtype or C.type.ndim != 2:
            raise TypeError(f"Gemm, C: found {C.type}, expected a matrix of {dtype}")
        factors = [pt.cast(pt.as_tensor(factor), dtype) for factor in (beta, alpha)]
        return Apply(self, [C, *factors, *matrices], [C.type()])

    def output_shapes(self, node: Apply, shapes: Sequence[Any]) -> list[Any]:
        return [shapes[0]]

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        C, beta, alpha, *matrices = inputs
        added = self.sum_of_products(matrices)
        if added.shape != C.shape:
            raise _does_not_fit(added.shape, C.shape)
        output_storage[0][0] = beta * C + alpha * added

    def pytorch(self, node: Apply) -> Callable[..., Any]:
        import torch

        known = [float(v.data) if isinstance(v, Constant) else None for v in node.inputs[1:3]]
        multiply = torch.Tensor.addmm_ if self.inplace else torch.addmm

        def gemm(C: Any, beta: Any, alpha: Any, *matrices: Any) -> Any:
            beta, alpha = (x.item() if k is None else k for x, k in zip((beta, alpha), known, strict=True))
            total = None
            for a, b in self._fitting_factors(C, matrices):
                if not (alpha and beta):  # what is NaN or infinite is left out
                    total = (C * beta if total is None else total) + torch.mm(a, b) * alpha
                elif total is None:
                    total = multiply(C, a, b, beta=beta, alpha=alpha)
                else:
                    total.addmm_(a, b, alpha=alpha)
            return C.copy_(total) if self.inplace and total is not C else total

        return gemm

    def pytorch_check(self) -> Callable[..., None]:
        """Return what raises where PyTorch's function would for the shapes of its arguments."""

        def check(C: Any, beta: Any, alpha: Any, *matrices: Any) -> None:
            self._fitting_factors(C, matrices)

        return check

    def _fitting_factors(self, C: Any, matrices: Sequence[Any]) -> list[tuple[Any, Any]]:
        """Return the tensors to be multiplied, all of which fit: nothing is written before."""
        factors = self.factors(matrices)
        for a, b in factors:
            shape = a.shape[0], b.shape[1]
            if shape != C.shape:  # PyTorch repeats C
                raise _does_not_fit(shape, C.shape)
        return factors

    def numba(self, node: Apply) -> Callable[..., Any]:
        from symae.kernels.matrix_products import accumulated, ask_for_products

        ask_for_products(node.outputs[0].type.dtype)
        return accumulated(self.flags, self.inplace, self.unpacked)


def _not_multiplied(a: Sequence[int], b: Sequence[int]) -> InputError:
    expected = f"{a[1]} rows in the second, as many as columns in the first"
    return InputError("matrix product", f"matrices {tuple(a)} and {tuple(b)}", expected)


def _does_not_fit(product: Sequence[int], place: Sequence[int]) -> InputError:
    return InputError("matrix product", f"a product {tuple(product)}", f"{tuple(place)}, the shape of what it is added to")
