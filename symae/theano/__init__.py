"""Theano's names, laid out like Theano's own tree, with Theano's semantics on PyTensor.

``import symae.theano as theano`` in new code. In old code ``import theano`` is answered with it for a script by ``symae run
script.py``, for whatever a process imports by `install`, for a program and its libraries by ``python -m symae.theano``.

What holds here and not in PyTensor: comparisons are int8; Python 2's ``/`` follows ``config.int_division``; updates of `scan`
can be added to lists; functions have default values and outputs by name; `tensor.nnet`, `tensor.signal` and
`tensor.shared_randomstreams` are Theano's. A name that is not here raises AttributeError, which says what to use instead.
"""

from __future__ import annotations

import sys as _sys

from pytensor.graph.basic import Constant
from pytensor.link.basic import Container
from pytensor.tensor.variable import TensorConstant

from symae.theano._impl.absent import getter as _getter
from symae.theano._impl.configuration import change_flags, config
from symae.theano._impl.nodes import Apply, FunctionGraph
from symae.theano._impl.values import compute_test_values as _compute_test_values
from symae.theano._impl.variable_classes import TensorVariable, Variable
from symae.theano._impl.variables import mark, registered

from symae.theano.updates import OrderedUpdates  # isort: skip
from symae.theano import compile, gof, gradient, printing, scan_module, tensor, version  # isort: skip
from symae.theano._impl.functions import In, Out, Param, UnusedInputError, function, function_dump
from symae.theano._impl.installation import install, load_ipython_extension, uninstall, unload_ipython_extension
from symae.theano.compile.builders import OpFromGraph
from symae.theano.compile.mode import Mode, predefined_linkers, predefined_modes, predefined_optimizers
from symae.theano.compile.ops import as_op
from symae.theano.gof.op import Op
from symae.theano.gof.type import Generic, Type, generic
from symae.theano.gradient import Lop, Rop, grad, subgraph_grad
from symae.theano.misc.safe_asarray import _asarray
from symae.theano.printing import pp, pprint
from symae.theano.scan_module import clone, foldl, foldr, map, reduce, scan, scan_checkpoints
from symae.theano.shared import shared
from symae.theano.tensor.creation import CREATION as _CREATION

__version__ = version.version

get_scalar_constant_value = _CREATION["get_scalar_constant_value"]
theano = _sys.modules[__name__]

registered.update(tensor=tensor, function=function, test_values=_compute_test_values)

__getattr__ = _getter(
    __name__,
    elsewhere={
        "InconsistencyError": "gof",
        "FunctionMaker": "compile",
        "ProfileMode": "compile",
        "ProfileStats": "compile",
        "SymbolicInput": "compile",
        "SymbolicOutput": "compile",
        "toolbox": "gof:toolbox",
        "PY3": "compat",
        "dot": "tensor",
        "Linker": "gof",
        "LocalLinker": "gof",
        "PerformLinker": "gof",
        "CLinker": "gof",
        "DualLinker": "gof",
        "OpWiseCLinker": "gof",
    },
    submodules=[
        "compat",
        "configdefaults",
        "configparser",
        "d3viz",
        "gpuarray",
        "ifelse",
        "misc",
        "raise_op",
        "sandbox",
        "scalar",
        "sparse",
        "tests",
        "typed_list",
    ],
    instead={
        "sparse_grad": "use theano.grad, whose gradients of indexing are dense",
        "test": "use pytest on symae's own tests",
        "OpenMPOp": "use theano.Op: Numba makes parallel code by itself",
    },
    pytensor=["pytensor", "pytensor.compile", "pytensor.graph", "pytensor.link.basic"],
)

__all__ = [
    "Apply",
    "Constant",
    "Container",
    "FunctionGraph",
    "Generic",
    "In",
    "Lop",
    "Mode",
    "Op",
    "OpFromGraph",
    "OrderedUpdates",
    "Out",
    "Param",
    "Rop",
    "TensorConstant",
    "TensorVariable",
    "Type",
    "UnusedInputError",
    "Variable",
    "_asarray",
    "as_op",
    "change_flags",
    "clone",
    "compile",
    "config",
    "foldl",
    "foldr",
    "function",
    "function_dump",
    "generic",
    "get_scalar_constant_value",
    "gof",
    "grad",
    "gradient",
    "install",
    "load_ipython_extension",
    "map",
    "mark",
    "pp",
    "pprint",
    "predefined_linkers",
    "predefined_modes",
    "predefined_optimizers",
    "printing",
    "reduce",
    "scan",
    "scan_checkpoints",
    "scan_module",
    "shared",
    "subgraph_grad",
    "tensor",
    "theano",
    "uninstall",
    "unload_ipython_extension",
    "version",
]
