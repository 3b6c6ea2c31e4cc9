"""``theano.tensor``: PyTensor's functions under Theano's names, with Theano's arguments, dtypes and comparisons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytensor.tensor.math import _allclose, _get_atol_rtol

from symae.theano import gradient as _gradient
from symae.theano._impl.absent import getter as _getter
from symae.theano._impl.configuration import config as _config
from symae.theano.tensor import sort as _sort
from symae.theano.tensor import var as _var  # noqa: F401  (before its name becomes that of the function)
from symae.theano.tensor.classes import CLASSES as _CLASSES
from symae.theano.tensor.creation import CREATION as _CREATION
from symae.theano.tensor.elementwise import ELEMENTWISE as _ELEMENTWISE
from symae.theano.tensor.reductions import REDUCTIONS as _REDUCTIONS
from symae.theano.tensor.shaping import SHAPING as _SHAPING
from symae.theano.tensor.type import CONSTRUCTORS as _CONSTRUCTORS
from symae.theano.tensor.type import GROUPS as _GROUPS
from symae.theano.tensor.type import TensorType as _TensorType
from symae.theano.tensor.type import tensor as _tensor

_GRADIENTS = (
    "Lop Rop consider_constant grad grad_not_implemented grad_undefined hessian jacobian numeric_grad subgraph_grad verify_grad"
)

_NAMES: dict[str, Any] = (
    _CLASSES
    | _CONSTRUCTORS
    | _GROUPS
    | _ELEMENTWISE
    | _REDUCTIONS
    | _SHAPING
    | _CREATION
    | {name: getattr(_gradient, name) for name in _GRADIENTS.split()}
    | {name: getattr(_sort, name) for name in _sort.__all__}
    | {"_allclose": _allclose, "_get_atol_rtol": _get_atol_rtol}
    | {"TensorType": _TensorType, "Tensor": _TensorType, "tensor": _tensor, "config": _config}
)
globals().update(_NAMES)

_SUBMODULES = [
    "basic",
    "blas",
    "blas_c",
    "blas_scipy",
    "elemwise",
    "extra_ops",
    "fft",
    "fourier",
    "inplace",
    "io",
    "nlinalg",
    "nnet",
    "opt",
    "raw_random",
    "shared_randomstreams",
    "sharedvar",
    "signal",
    "slinalg",
    "sort",
    "subtensor",
    "type",
    "type_other",
    "utils",
    "var",
    "xlogx",
]
_EXTRA = [
    "cumsum",
    "cumprod",
    "bincount",
    "bartlett",
    "fill_diagonal",
    "fill_diagonal_offset",
    "Bartlett",
    "CumOp",
    "DiffOp",
    "FillDiagonal",
    "FillDiagonalOffset",
    "RavelMultiIndex",
    "RepeatOp",
    "SearchsortedOp",
    "UnravelIndex",
    "searchsorted",
    "compress",
    "Unique",
    "to_one_hot",
]
_INDEXING = [
    "AdvancedBooleanIncSubtensor",
    "AdvancedBooleanSubtensor",
    "AdvancedIncSubtensor1",
    "AdvancedSubtensor1",
    "advanced_subtensor",
    "advanced_subtensor1",
    "advanced_set_subtensor",
    "advanced_set_subtensor1",
    "advanced_inc_subtensor",
    "advanced_inc_subtensor1",
    "advanced_boolean_subtensor",
    "get_idx_list",
    "get_canonical_form_slice",
    "as_index_variable",
    "as_int_none_variable",
]

__getattr__ = _getter(
    __name__,
    submodules=_SUBMODULES,
    elsewhere=dict.fromkeys(_EXTRA, "tensor.extra_ops")
    | dict.fromkeys(_INDEXING, "tensor.subtensor")
    | {"pprint": "printing", "min_informative_str": "printing", "_tensor_py_operators": "tensor.var"}
    | dict.fromkeys(["ArgSortOp", "SortOp", "TopKOp"], "tensor.sort")
    | {"DimShuffle": "tensor.elemwise", "hashtype": "gof.utils"}
    | {"LoadFromDisk": "tensor.io", "load": "tensor.io"}
    | {"np": "misc.safe_asarray:np", "numpy": "misc.safe_asarray:np"}
    | {"compile": ":compile", "gof": ":gof", "printing": ":printing", "scal": ":scalar", "theano": ":theano"},
    instead={
        "logsumexp": "use tensor.log(tensor.sum(tensor.exp(x), axis)), which is stabilised, or pytensor.tensor.logsumexp",
        "sigmoid": "use tensor.nnet.sigmoid",
        "softmax": "use tensor.nnet.softmax",
        "relu": "use tensor.nnet.relu",
        "conv": "use tensor.nnet.conv",
        "TensorConstantSignature": "use TensorConstant.signature()",
    }
    | dict.fromkeys(
        [
            "MPIRecv",
            "MPIRecvWait",
            "MPISend",
            "MPISendWait",
            "irecv",
            "isend",
            "recv",
            "send",
            "mpi_send_wait_key",
            "mpi_tag_key",
        ],
        "use mpi4py: there is no communication between machines inside a graph",
    ),
    pytensor=["pytensor.tensor", "pytensor.tensor.basic", "pytensor.tensor.math", "pytensor.tensor.subtensor"],
    ops="tensor",
)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


float32_atol, float32_rtol = 1e-5, 1e-5
float64_atol, float64_rtol = 1e-8, 1e-5
float16_atol, float16_rtol = 5e-3, 1e-3

# What `from theano.tensor import *` has always brought: everything, with the modules that Theano imported here. Not the module
# `type`, in whose place programs want Python's.
_MODULES = "nlinalg nnet raw_random shared_randomstreams basic blas elemwise extra_ops io opt sharedvar subtensor utils xlogx"
_IMPORTED = "compile gof np numpy printing pprint scal theano DimShuffle"
__all__ = sorted({*(name for name in _NAMES if name[0] != "_"), *_MODULES.split(), *_IMPORTED.split(), *_EXTRA})
