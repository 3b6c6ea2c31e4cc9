"""How Theano wrote nodes, constants and types: ``Elemwise{add,no_inplace}``, ``TensorConstant{1.0}``.

One table has the names of PyTensor's Ops, and of symae's, where Theano's were others; all else is written as it writes itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.scalar.basic import Cast, ScalarType
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.type import TensorType
from pytensor.tensor.type_other import NoneTypeT

__all__ = [
    "computed",
    "function_of",
    "is_function",
    "place_of",
    "text_of",
    "text_of_apply",
    "text_of_node",
    "text_of_scalar_op",
    "text_of_type",
]

_PATTERNS = {(): "scalar", (False,): "vector", (False, True): "col", (True, False): "row", (False, False): "matrix"}


def text_of_type(kind: Any) -> str:
    """Return how Theano wrote a type, ``TensorType(float64, matrix)``; types that it did not have as they write themselves."""
    if isinstance(kind, ScalarType):
        return str(kind.dtype)
    if not isinstance(kind, TensorType):
        return str(kind)
    pattern = tuple(kind.broadcastable)
    return f"TensorType({kind.dtype}, {_PATTERNS.get(pattern, pattern if any(pattern) else f'{len(pattern)}D')})"


def text_of(variable: Any) -> str:
    """Return how Theano wrote a variable: by its name, its value, the Op that it is computed by, or its type."""
    if not isinstance(variable, Variable):
        return str(variable)
    if variable.name is not None:
        return str(variable.name)
    if isinstance(variable, Constant):
        return _text_of_constant(variable)
    if variable.owner is None:
        return f"<{text_of_type(variable.type)}>"
    output, node, _ = computed(variable)
    if node is None:
        return text_of(output)
    place = _OUTPUTS.get(type(node.op).__name__, output.index)
    return f"{text_of_node(node)}.{'out' if node.op.default_output == place else place}"


def text_of_apply(node: Apply) -> str:
    """Return how Theano wrote a node, with the variables that it is applied to."""
    return f"{text_of_node(node)}({', '.join(text_of(v) for v in node.inputs)})"


def place_of(output: Variable) -> str:
    """Return ".1" for the second output of a node, "" for the only one, of those that the node had in Theano."""
    node = output.owner
    if type(node.op).__name__ in _OUTPUTS:
        return f".{_OUTPUTS[type(node.op).__name__]}"
    return f".{node.outputs.index(output)}" if len(node.outputs) > 1 else ""


def computed(variable: Variable) -> tuple[Variable, Apply | None, list[Variable]]:
    """Return the output, the node and its inputs that Theano had for `variable`.

    A comparison is without the cast to int8 that stands behind it here, and a product of vectors is not one of matrices.
    """
    node = variable.owner
    if node is None:
        return variable, None, []
    if getattr(variable.tag, "is_answer", False):
        return computed(node.inputs[0])
    inner = variable
    while inner.owner is not None and isinstance(inner.owner.op, DimShuffle) and inner.owner.op.is_squeeze:
        inner = inner.owner.inputs[0]
    if inner is not variable and inner.owner is not None and isinstance(inner.owner.op, Dot):
        return inner, inner.owner, [_vector(v) for v in inner.owner.inputs]
    return variable, node, _inputs(node)


def _inputs(node: Apply) -> list[Variable]:
    """Return the inputs that a node had in Theano; newer lines of PyTensor keep axes in the Op."""
    name, axis = type(node.op).__name__, getattr(node.op, "axis", None)
    if name == "Join" and axis is not None:
        return [pt.constant(axis, dtype="int8"), *node.inputs]
    if name in ("SortOp", "ArgSortOp") and axis is not None and len(node.inputs) == 1:
        return [*node.inputs, pt.constant(axis, dtype="int8")]
    return list(node.inputs)


def _vector(matrix: Variable) -> Variable:
    """Return the vector that has been made a matrix of one row or column."""
    node = matrix.owner
    made = node is not None and isinstance(node.op, DimShuffle) and node.op.is_expand_dims and node.inputs[0].type.ndim == 1
    return node.inputs[0] if made else matrix


def text_of_node(node: Apply) -> str:
    """Return Theano's name for the Op of a node."""
    for cls in type(node.op).__mro__:
        if cls.__name__ in _NAMES:
            name = _NAMES[cls.__name__]
            return name if isinstance(name, str) else name(node)
    return str(node.op)


def text_of_scalar_op(op: Any) -> str:
    """Return Theano's name for an Op of scalars."""
    return _SCALARS.get(type(op).__name__, str(op))


def _text_of_constant(constant: Constant) -> str:
    if not isinstance(constant.type, TensorType):
        text = "NoneConst" if isinstance(constant.type, NoneTypeT) else str(constant.data)
        return text if text == "NoneConst" else f"Constant{{{_shortened(text, '...')}}}"
    data = np.asarray(constant.data)
    if data.ndim and data.size and (data == data.flat[0]).all():
        return f"TensorConstant{{{_shortened(f'{data.shape} of {data.flat[0]!s}', '..')}}}"
    return f"TensorConstant{{{_shortened(str(data), '..')}}}"


def _shortened(text: str, between: str) -> str:
    return f"{text[:10]}{between}{text[-10:]}" if len(text) > 20 else text


# What ``str`` of an Op of scalars was in Theano, where it is not what it is here.
_SCALARS = {
    "Maximum": "maximum",
    "Minimum": "minimum",
    "Reciprocal": "inv",
    "Sign": "sgn",
    "Sigmoid": "scalar_sigmoid",
    "Softplus": "scalar_softplus",
}
# What its function was called in ``theano.tensor``, where that is not its name in `pytensor.scalar`.
_FUNCTIONS = {"abs": "abs_", "reciprocal": "inv", "sign": "sgn"}
_WITHOUT_ELEMWISE = {"sigmoid", "softplus"}


@functools.cache
def _functions() -> dict[str, str]:
    """Return the names that functions of ``theano.tensor`` had, by the classes of their Ops of scalars."""
    names = {type(op).__name__: name for name, op in reversed(vars(ps).items()) if isinstance(op, ps.ScalarOp)}
    return {key: _FUNCTIONS.get(name, name) for key, name in names.items()}


@functools.cache
def _of_functions() -> set[int]:
    """Return the identities of the Ops that are functions of `pytensor.tensor`; gradients make others, which are equal."""
    return {id(op) for module in (pt.math, pt.basic) for op in vars(module).values() if isinstance(op, Elemwise)}


def function_of(op: Elemwise) -> str:
    """Return the name that a function of ``theano.tensor`` had, by its Op, or that of the Op of scalars."""
    if isinstance(op.scalar_op, Cast):
        return str(op.scalar_op.o_type.dtype)
    return _functions().get(type(op.scalar_op).__name__, str(op.scalar_op))


def is_function(op: Any) -> bool:
    """Return True if an Op is a function of `pytensor.tensor`, False for one that a gradient has made, or that is fused."""
    return id(op) in _of_functions() and not isinstance(op.scalar_op, Cast | ps.Identity)


def _elemwise(node: Apply) -> str:
    op = node.op
    if is_function(op):
        name = function_of(op)
        return name if name in _WITHOUT_ELEMWISE else f"Elemwise{{{name},no_inplace}}"
    pattern = sorted(op.inplace_pattern.items())
    return f"Elemwise{{{text_of_scalar_op(op.scalar_op)}}}{pattern or ''}"


def _axes(node: Apply, op: Any = None) -> tuple[int, ...] | None:
    """Return the axes of a reduction, None for all of them if it was made so."""
    axis = (op or node.op).axis
    return axis if axis is None or isinstance(axis, tuple) else tuple(np.atleast_1d(axis).tolist())


def _sum(node: Apply) -> str:
    axes = _axes(node)
    return f"Sum{{{'' if axes is None else f'axis=[{_listed(axes)}], '}acc_dtype={node.op.acc_dtype}}}"


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))


def _truth(node: Apply) -> str:
    axes = _axes(node)
    name = type(node.op).__name__
    return name if axes is None else f"{name}{{{_listed(axes)}}}"


def _extreme(node: Apply) -> str:
    axes = _axes(node)
    return f"MaxAndArgmax{{axis={tuple(range(node.inputs[0].type.ndim)) if axes is None else axes}}}"


def _at(node: Apply) -> str:
    """Return the name of a read by arrays: one of rows has another."""
    indices = node.inputs[1:]
    if any(v.type.dtype == "bool" for v in indices):
        return "AdvancedBooleanSubtensor"
    return "AdvancedSubtensor1" if _is_of_rows(node, 1) else "AdvancedSubtensor"


def _is_of_rows(node: Apply, first: int) -> bool:
    indices = node.inputs[first:]
    entries = getattr(node.op, "idx_list", (0,))
    return len(indices) == len(entries) == 1 and not isinstance(entries[0], slice) and indices[0].type.ndim == 1


def _index(node: Apply, first: int) -> str:
    """Return the indices of a node, each by its dtype; its inputs from `first` on are theirs."""

    def dtype(position: Any) -> str:
        return "" if position is None else str(node.inputs[first + position].type.dtype)

    def entry(index: Any) -> str:
        return ":".join(map(dtype, (index.start, index.stop, index.step))) if isinstance(index, slice) else dtype(index)

    return ", ".join(map(entry, node.op.idx_list))


def _changed(node: Apply) -> str:
    kind = "Set" if node.op.set_instead_of_inc else "Inc"
    return f"IncSubtensor{{{'Inplace' if node.op.inplace else ''}{kind};{_index(node, 2)}}}"


def _changed_rows(node: Apply) -> str:
    place = "inplace" if node.op.inplace else "no_inplace"
    return f"AdvancedIncSubtensor1{{{place},{'set' if node.op.set_instead_of_inc else 'inc'}}}"


def _changed_entries(node: Apply) -> str:
    if _is_of_rows(node, 2):
        return _changed_rows(node)
    return f"AdvancedIncSubtensor{{inplace={node.op.inplace},  set_instead_of_inc={node.op.set_instead_of_inc}}}"


def _with(template: str) -> Callable[[Apply], str]:
    """Return what fills attributes of the Op into a template."""
    return lambda node: template.format(op=node.op, node=node)


def _blockwise(node: Apply) -> str:
    core = node.op.core_op
    return "BatchedDot" if isinstance(core, Dot) else text_of_node(Apply(core, list(node.inputs), []))


def _convolution(node: Apply) -> str:
    op, shapes = node.op, [tuple(v.type.shape) for v in node.inputs]
    return (
        f"AbstractConv2d{{convdim=2, border_mode={op.border_mode!r}, subsample={op.subsample}, filter_flip={op.filter_flip}, "
        f"imshp={shapes[0]}, kshp={shapes[1]}, filter_dilation={op.dilation}, num_groups={op.groups}, unshared=False}}"
    )


_NAMES: dict[str, str | Callable[[Apply], str]] = {
    "Elemwise": _elemwise,
    "ScalarOp": lambda node: text_of_scalar_op(node.op),
    "DimShuffle": lambda node: f"InplaceDimShuffle{{{','.join(map(str, node.op.new_order))}}}",
    "Sum": _sum,
    "Prod": lambda node: f"Prod{{axis={_axes(node)}, dtype='{node.outputs[0].type.dtype}', acc_dtype='{node.op.acc_dtype}'}}",
    "All": _truth,
    "Any": _truth,
    "Max": _extreme,
    "Argmax": _extreme,
    "Dot": "dot",
    "Blockwise": _blockwise,
    "BatchedDot": "BatchedDot",
    "Subtensor": lambda node: f"Subtensor{{{_index(node, 1)}}}",
    "IncSubtensor": _changed,
    "AdvancedSubtensor1": "AdvancedSubtensor1",
    "AdvancedSubtensor": _at,
    "AdvancedIncSubtensor1": _changed_rows,
    "AdvancedIncSubtensor": _changed_entries,
    "Alloc": "Alloc",
    "AllocEmpty": _with("AllocEmpty{{dtype='{op.dtype}'}}"),
    "MakeVector": _with("MakeVector{{dtype='{op.dtype}'}}"),
    "ARange": _with("ARange{{dtype='{op.dtype}'}}"),
    "Eye": _with("Eye{{dtype='{op.dtype}'}}"),
    "Tri": _with("Tri{{dtype='{op.dtype}'}}"),
    "Join": "Join",
    "Split": _with("Split{{{op.len_splits}}}"),
    "Reshape": _with("Reshape{{{op.ndim}}}"),
    "Shape": "Shape",
    "Shape_i": _with("Shape_i{{{op.i}}}"),
    "ScalarFromTensor": "ScalarFromTensor",
    "TensorFromScalar": "TensorFromScalar",
    "Nonzero": "Nonzero",
    "CumOp": _with("CumOp{{{op.axis}, {op.mode}}}"),
    "SortOp": _with("SortOp{{{op.kind}, None}}"),
    "ArgSortOp": _with("ArgSortOp{{{op.kind}, None}}"),
    "AllocDiag": _with("AllocDiag{{offset={op.offset}, axis1={op.axis1}, axis2={op.axis2}}}"),
    "ExtractDiag": _with("ExtractDiag{{offset={op.offset}, axis1={op.axis1}, axis2={op.axis2}, view=False}}"),
    "Choose": _with("Choose{{mode='{op.mode}'}}"),
    "MakeList": "MakeList",
    "Softmax": "Softmax",
    "LogSoftmax": "LogSoftmax",
    "SoftmaxGrad": "SoftmaxGrad",
    "MatrixInverse": "MatrixInverse",
    "Det": "Det",
    "Cholesky": _with("Cholesky{{lower={op.lower}, destructive=False, on_error='raise'}}"),
    "Solve": _with("Solve{{A_structure='general', lower=False, overwrite_A=False, overwrite_b=False}}"),
    "IfElse": "if{}",
    "DisconnectedGrad": "DisconnectedGrad",
    "GradClip": "GradClip",
    "Scan": lambda node: (
        f"{'do_while' if node.op.info.as_while else 'for'}{{{'inplace{}' if node.op.destroy_map else ''}cpu,{node.op.name}}}"
    ),
    "Unbroadcast": lambda node: f"Rebroadcast{{{','.join('0' for _ in node.op.axes)}}}",
    "Addbroadcast": lambda node: f"Rebroadcast{{{','.join('1' for _ in node.op.axes)}}}",
    "CheckAndRaise": _with("Assert{{msg='{op.msg}'}}"),
    "Convolution": _convolution,
    "UniformDraw": "RandomFunction{uniform}",
    "NormalDraw": "RandomFunction{normal}",
    "BinomialDraw": "RandomFunction{binomial}",
}
# Which output these are of Ops that had two in Theano.
_OUTPUTS = {"Max": 0, "Argmax": 1}
