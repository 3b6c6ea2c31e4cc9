"""Classes of variables, types and Ops that programs look for in graphs."""

from __future__ import annotations

from typing import Any

from pytensor.compile.ops import ViewOp
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.op import Op
from pytensor.graph.type import Type
from pytensor.graph.utils import MethodNotDefined
from pytensor.link.c.type import Generic
from pytensor.tensor import basic, elemwise, exceptions, math, subtensor, type
from pytensor.tensor.shape import Reshape, Shape
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.type_other import MakeSlice, NoneConst, NoneTypeT, SliceConstant, SliceType, make_slice, slicetype
from pytensor.tensor.variable import TensorConstant

from symae.theano._impl.variable_classes import TensorVariable, Variable

__all__ = ["CLASSES"]

_NAMES: dict[Any, str] = {
    basic: (
        "ARange Alloc AllocDiag AllocEmpty Choose ExtractDiag Eye Join MakeVector ScalarFromTensor Split TensorFromScalar Tri"
    ),
    elemwise: "CAReduce Elemwise",
    exceptions: "NotScalarConstantError ShapeError AdvancedIndexingError",
    math: "Argmax Dot Max Min Sum Prod All Any",
    subtensor: "AdvancedIncSubtensor AdvancedSubtensor IncSubtensor Subtensor",
    type: (
        "all_dtypes complex_dtypes continuous_dtypes discrete_dtypes float_dtypes int_dtypes integer_dtypes uint_dtypes "
        "values_eq_approx_always_true"
    ),
}

_OWN: tuple[Any, ...] = (
    Apply,
    Constant,
    DisconnectedType,
    Generic,
    MakeSlice,
    MethodNotDefined,
    NoneTypeT,
    Op,
    Reshape,
    Shape,
    SliceConstant,
    SliceType,
    TensorConstant,
    TensorSharedVariable,
    TensorVariable,
    Type,
    Variable,
    ViewOp,
)

# What a line of PyTensor's does not have is answered by the module's __getattr__.
CLASSES: dict[str, Any] = {
    name: getattr(module, name) for module, names in _NAMES.items() for name in names.split() if hasattr(module, name)
}
CLASSES |= {cls.__name__: cls for cls in _OWN} | {"NoneConst": NoneConst, "make_slice": make_slice, "slicetype": slicetype}
