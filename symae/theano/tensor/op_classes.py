"""Theano's classes of Ops that are functions in `symae.theano.tensor`, by the modules that they stood in.

``CumOp(axis=1)(x)`` is ``cumsum(x, 1)``, and ``isinstance(node.op, CumOp)`` finds PyTensor's Op where that has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.tensor import basic, elemwise, extra_ops, linalg, math, special, subtensor
from pytensor.tensor import blas as pytensors_blas
from pytensor.tensor.shape import Reshape, SpecifyShape
from pytensor.tensor.sort import ArgSortOp, SortOp

from symae.ops.unbroadcast import Addbroadcast, Unbroadcast
from symae.theano._impl.op_class import op_class
from symae.theano._impl.variables import as_theano
from symae.theano.tensor import blas, nlinalg, nnet, slinalg
from symae.theano.tensor import extra_ops as extra
from symae.theano.tensor import sort as sorting
from symae.theano.tensor import subtensor as indexing
from symae.theano.tensor.creation import CREATION
from symae.theano.tensor.nnet import blocksparse, bn, conv3d2d
from symae.theano.tensor.reductions import REDUCTIONS
from symae.theano.tensor.shaping import SHAPING

__all__ = ["OPS"]


def _always(function: Callable[..., Any]) -> Callable[[], Callable[..., Any]]:
    return lambda: function


def _rebroadcast(*axis: tuple[int, bool]) -> Callable[..., Any]:
    for number, broadcasts in axis:
        if isinstance(number, bool) or not hasattr(number, "__index__") or not isinstance(broadcasts, bool):
            raise TypeError(f"Rebroadcast: found {(number, broadcasts)}, expected pairs of an integer axis and a bool")

    def apply(x: Any) -> Any:
        for number, broadcasts in axis:
            x = SHAPING["addbroadcast" if broadcasts else "unbroadcast"](x, number)
        return x

    return apply


def _top_k(
    axis: int = -1,
    sorted: bool = True,
    idx_dtype: str = "int64",
    return_values: bool = True,
    return_indices: bool = True,
) -> Callable[..., Any]:
    if not (return_values or return_indices):
        raise ValueError("TopKOp: found neither return_values nor return_indices, expected one of them")
    chosen = slice(None) if return_values and return_indices else 0 if return_values else 1
    return lambda x, kth: sorting.topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[chosen]


def _changed(inplace: bool = False, set_instead_of_inc: bool = False) -> Callable[..., Any]:
    return indexing.advanced_set_subtensor if set_instead_of_inc else indexing.advanced_inc_subtensor


def _maximum(axis: list[int]) -> Callable[..., Any]:
    return lambda x: REDUCTIONS["max_and_argmax"](x, list(axis))


# name: what makes the function of inputs from the settings, and PyTensor's Ops
_EXTRA: dict[str, Any] = {
    "Bartlett": (_always(extra.bartlett), extra_ops.Bartlett),
    "CpuContiguous": (_always(extra.cpu_contiguous), extra_ops.CpuContiguous),
    "CumOp": (
        lambda axis=None, mode="add": lambda x: (extra.cumsum if mode == "add" else extra.cumprod)(x, axis),
        extra_ops.CumOp,
    ),
    "CumprodOp": (lambda axis=None: lambda x: extra.cumprod(x, axis), extra_ops.CumOp),
    "CumsumOp": (lambda axis=None: lambda x: extra.cumsum(x, axis), extra_ops.CumOp),
    "DiffOp": (lambda n=1, axis=-1: lambda x: extra.diff(x, n, axis),),
    "FillDiagonal": (_always(extra.fill_diagonal), extra_ops.FillDiagonal),
    "FillDiagonalOffset": (_always(extra.fill_diagonal_offset), extra_ops.FillDiagonalOffset),
    "RavelMultiIndex": (
        lambda mode="raise", order="C": lambda *parts: extra.ravel_multi_index(parts[:-1], parts[-1], mode, order),
        extra_ops.RavelMultiIndex,
    ),
    "RepeatOp": (lambda axis=None: lambda x, repeats: extra.repeat(x, repeats, axis), extra_ops.Repeat),
    "SearchsortedOp": (
        lambda side="left": lambda x, v, sorter=None: extra.searchsorted(x, v, side, sorter),
        extra_ops.SearchsortedOp,
    ),
    "Unique": (
        lambda return_index=False, return_inverse=False, return_counts=False, axis=None: (
            lambda x: extra._unique(x, return_index, return_inverse, return_counts, axis)
        ),
        extra_ops.Unique,
    ),
    "UnravelIndex": (
        lambda ndim=None, order="C": lambda indices, dims: extra.unravel_index(indices, dims, order, ndim),
        extra_ops.UnravelIndex,
    ),
}
_LINEAR: dict[str, Any] = {
    "AllocDiag": (_always(nlinalg.alloc_diag), basic.AllocDiag),
    "Det": (_always(nlinalg.det), linalg.summary.Det),
    "Eig": (_always(nlinalg.eig), linalg.decomposition.eigen.Eig),
    "Eigh": (lambda UPLO="L": lambda a: nlinalg.eigh(a, UPLO), linalg.decomposition.eigen.Eigh),
    "ExtractDiag": (lambda view=False: nlinalg.extract_diag, basic.ExtractDiag),
    "MatrixInverse": (_always(nlinalg.matrix_inverse), linalg.inverse.MatrixInverse),
    "MatrixPinv": (_always(nlinalg.pinv), linalg.inverse.MatrixPinv),
    "QRFull": (lambda mode: lambda a: nlinalg.qr(a, mode), linalg.decomposition.qr.QR),
    "QRIncomplete": (lambda mode: lambda a: nlinalg.qr(a, mode), linalg.decomposition.qr.QR),
    "SVD": (
        lambda full_matrices=True, compute_uv=True: lambda a: nlinalg.svd(a, full_matrices, compute_uv),
        linalg.decomposition.svd.SVD,
    ),
    "TensorInv": (lambda ind=2: lambda a: nlinalg.tensorinv(a, ind), linalg.inverse.TensorInv),
    "TensorSolve": (lambda axes=None: lambda a, b: nlinalg.tensorsolve(a, b, axes), linalg.solvers.lstsq.TensorSolve),
    "lstsq": (_always(as_theano(nlinalg.in_double(linalg.lstsq, 2))), linalg.solvers.lstsq.Lstsq),
}
_SCIPYS: dict[str, Any] = {
    "Eigvalsh": (
        lambda lower=True: lambda a, b=None: slinalg.eigvalsh(a, b, lower),
        linalg.decomposition.eigen.Eigvalsh,
    ),
    "Expm": (_always(slinalg.expm), linalg.products.Expm),
}
_SORTING: dict[str, Any] = {
    "ArgSortOp": (lambda kind="quicksort", order=None: lambda a, axis=-1: sorting.argsort(a, axis, kind, order), ArgSortOp),
    "SortOp": (lambda kind="quicksort", order=None: lambda a, axis=-1: sorting.sort(a, axis, kind, order), SortOp),
    "TopKOp": (_top_k,),
}
_INDEXING: dict[str, Any] = {
    "AdvancedIncSubtensor1": (_changed, subtensor.AdvancedIncSubtensor),
    "AdvancedSubtensor1": (lambda sparse_grad=False: indexing.advanced_subtensor, subtensor.AdvancedSubtensor),
    "AdvancedBooleanSubtensor": (_always(indexing.advanced_subtensor), subtensor.AdvancedSubtensor),
    "AdvancedBooleanIncSubtensor": (_changed, subtensor.AdvancedIncSubtensor),
}
_TENSOR: dict[str, Any] = {
    "Flatten": (lambda outdim=1: lambda x: SHAPING["flatten"](x, outdim), Reshape),
    "MaxAndArgmax": (_maximum, math.Argmax),
    "Rebroadcast": (_rebroadcast, Addbroadcast, Unbroadcast),
    "SpecifyShape": (_always(SHAPING["specify_shape"]), SpecifyShape),
    "Tile": (lambda ndim: lambda x, reps: SHAPING["tile"](x, reps, ndim),),
}
_DIMENSIONS: dict[str, Any] = {
    "DimShuffle": (
        lambda input_broadcastable, new_order, inplace=True: lambda x: CREATION["as_tensor_variable"](x).dimshuffle(new_order),
        elemwise.DimShuffle,
    ),
}
_LAYERS: dict[str, Any] = {
    "CrossentropyCategorical1Hot": (_always(nnet.crossentropy_categorical_1hot),),
    "CrossentropyCategorical1HotGrad": (_always(nnet.crossentropy_categorical_1hot_grad),),
    "CrossentropySoftmax1HotWithBiasDx": (_always(nnet.crossentropy_softmax_1hot_with_bias_dx),),
    "CrossentropySoftmaxArgmax1HotWithBias": (lambda **others: nnet.crossentropy_softmax_argmax_1hot_with_bias,),
    "LogSoftmax": (_always(nnet.logsoftmax), special.LogSoftmax),
    "Prepend_scalar_constant_to_each_row": (lambda val=0: lambda mat: nnet.prepend_scalar_to_each_row(val, mat),),
    "Prepend_scalar_to_each_row": (_always(nnet.prepend_scalar_to_each_row),),
    "Softmax": (_always(nnet.softmax), special.Softmax),
    "SoftmaxGrad": (_always(nnet.softmax_grad),),
    "SoftmaxWithBias": (_always(nnet.softmax_with_bias),),
}
_BLOCKS: dict[str, Any] = {
    "SparseBlockGemv": (lambda inplace=False: blocksparse.sparse_block_gemv,),
    "SparseBlockOuter": (lambda inplace=False: blocksparse.sparse_block_outer,),
}
_DIAGONALS: dict[str, Any] = {
    "DiagonalSubtensor": (lambda inplace=False: conv3d2d.diagonal_subtensor,),
    "IncDiagonalSubtensor": (lambda inplace=False: conv3d2d.inc_diagonal_subtensor,),
}
_PRODUCTS: dict[str, Any] = {
    "Dot22Scalar": (_always(blas._dot22scalar), pytensors_blas.Dot22Scalar),
    "Gemm": (lambda inplace: blas.gemm, pytensors_blas.Gemm),
    "Gemv": (lambda inplace: blas.gemv, pytensors_blas.Gemv),
    "Ger": (lambda destructive: blas.ger, *([pytensors_blas.Ger] if hasattr(pytensors_blas, "Ger") else [])),
}
_IN_C: dict[str, Any] = {"CGemv": _PRODUCTS["Gemv"], "CGer": _PRODUCTS["Ger"]}
_IN_FORTRAN: dict[str, Any] = {"ScipyGer": _PRODUCTS["Ger"]}
_NORMALISING: dict[str, Any] = {
    "AbstractBatchNormInference": (
        lambda axes=(0,): (
            lambda x, scale, bias, estimated_mean, estimated_variance, epsilon=1e-4: bn.batch_normalization_test(
                x, scale, bias, estimated_mean, estimated_variance, axes, epsilon
            )
        ),
    ),
    "AbstractBatchNormTrain": (
        lambda axes=(0,): (
            lambda x, scale, bias, epsilon=1e-4, running_average_factor=0.1, running_mean=None, running_var=None: list(
                bn.batch_normalization_train(x, scale, bias, axes, epsilon, running_average_factor, running_mean, running_var)
            )
        ),
    ),
    "AbstractBatchNormTrainGrad": (
        lambda axes=(0,): (
            lambda x, dy, scale, x_mean, x_invstd, epsilon=1e-4: bn.gradients_of_train(x, dy, scale, x_mean, x_invstd, axes)
        ),
    ),
}
_BY_MODULE = {
    "tensor": _TENSOR,
    "tensor.blas": _PRODUCTS,
    "tensor.blas_c": _IN_C,
    "tensor.blas_scipy": _IN_FORTRAN,
    "tensor.elemwise": _DIMENSIONS,
    "tensor.extra_ops": _EXTRA,
    "tensor.nlinalg": _LINEAR,
    "tensor.nnet.blocksparse": _BLOCKS,
    "tensor.nnet.bn": _NORMALISING,
    "tensor.nnet.conv3d2d": _DIAGONALS,
    "tensor.nnet.nnet": _LAYERS,
    "tensor.slinalg": _SCIPYS,
    "tensor.sort": _SORTING,
    "tensor.subtensor": _INDEXING,
}
OPS: dict[str, dict[str, type]] = {
    module: {name: op_class(f"symae.theano.{module}", name, make, tuple(of)) for name, (make, *of) in classes.items()}
    for module, classes in _BY_MODULE.items()
}
