"""Variables in pickles of Theano's: the shared ones with their values, and the expressions over them, built again.

Each class that a pickle names is answered by one that takes the state and becomes the variable that PyTensor has for it. An
expression is rebuilt from its inputs by the function of `symae.theano` of these semantics, and a compiled function is compiled
again from its expressions. What has no such function leaves a variable without inputs: parameters and all other expressions of
the pickle are there all the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["theanos"]


def theanos(module: str, name: str) -> Any:
    """Return what stands for ``module.name`` of Theano while a pickle is read: nothing of it computes or calls anything."""
    if name in SCALARS_HELPERS:
        return _Plain
    if name == "CudaNdarray_unpickler":
        return np.asarray
    if name == "GpuArray_unpickler":
        return _from_context
    classes = _classes()
    if name in classes:
        return classes[name]
    if name == "_constructor_Function":
        return _compiled_again
    if name in ("RandomStreams", "MRG_RandomStreams"):
        from symae.theano.sandbox import rng_mrg
        from symae.theano.tensor import shared_randomstreams

        return getattr(rng_mrg if module == "theano.sandbox.rng_mrg" else shared_randomstreams, name, None)
    return type(name, (_Op,), {})


# Functions that a scalar operation carries along; they say how its type comes about, which PyTensor knows itself.
SCALARS_HELPERS = {
    *(
        "upcast_out",
        "upcast_out_nobool",
        "upcast_out_min8",
        "same_out",
        "same_out_nobool",
        "same_out_float_only",
        "same_out_min8",
    ),
    *("upgrade_to_float", "upgrade_to_float64", "upgrade_to_float_no_complex", "transfer_type", "specific_out", "real_out"),
    *("int_out", "float_out", "same_out_complex", "all_int", "no_complex", "bool_out"),
}


def _from_context(array: Any, context: Any = None) -> np.ndarray:
    """Return the values of an array of the GPU named `context`."""
    return np.asarray(array)


class _Plain:
    """Keep what it is given."""

    def __init__(self, *arguments: Any):
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state if isinstance(state, dict) else {"state": state})


class _Op(_Plain):
    """Hold an operation by its name and its state."""

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute that the operation had."""
        return self.__dict__.get(name, default)


class _Type(_Plain):
    """Hold a type of tensors."""

    dtype: str = "float64"
    broadcastable: tuple[bool, ...] | None = None

    def built(self) -> Any:
        """Build PyTensor's type."""
        from pytensor.graph.type import Type
        from pytensor.link.c.type import generic
        from pytensor.tensor.type import TensorType

        if self.broadcastable is None:
            kept: Type = generic
            return kept
        return TensorType(self.dtype, shape=tuple(1 if one else None for one in self.broadcastable))


class _CudaType(_Type):
    """Hold a type of arrays on a GPU of the first kind, which were all of float32 and did not say so."""

    dtype = "float32"


class _Apply(_Plain):
    """Apply an operation: it is built when its inputs are there."""

    op: _Op
    inputs: list[Any]

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.built = _applied(self.op, self.inputs)
        for waiting in self.__dict__.pop("waiting", []):
            waiting()

    def take(self, variable: Any, state: dict[str, Any]) -> None:
        """Let `variable` become the output that it was, now or when this is built."""
        if "built" not in vars(self):
            vars(self).setdefault("waiting", []).append(lambda: self.take(variable, state))
            return
        index = state.get("index") or 0
        output = self.built[index] if self.built is not None and index < len(self.built) else None
        if output is None:
            output = _marked(state["type"].built()(name=state.get("name") or f"{type(self.op).__name__} of an old pickle"))
        _become(variable, output, state.get("name"))


def _compiled_again(maker: _Op, *_: Any) -> Any:
    """Compile the function that a pickle describes, from the expressions it was made of, not from what Theano made of these."""
    import symae.theano as theano

    inputs, updates = [], []
    for entry in maker.get("inputs"):
        value: Any = getattr(entry, "value", None)
        if entry.update is not None:
            updates.append((entry.variable, entry.update))
        if not entry.get("shared", entry.get("implicit", False)):
            value = value.storage[0] if hasattr(value, "storage") else value
            inputs.append(theano.In(entry.variable, name=entry.name, value=value, allow_downcast=entry.get("allow_downcast")))
    outputs: Any = [output.variable for output in np.ravel(maker.get("outputs"))]
    if maker.get("return_none"):
        outputs = None
    elif maker.get("unpack_single"):
        (outputs,) = outputs
    return theano.function(inputs, outputs, updates=updates, on_unused_input="ignore")


def _become(variable: Any, built: Any, name: str | None) -> None:
    """Let `variable`, which others hold already, replace `built` in its graph."""
    owner, index = built.owner, built.index
    vars(variable).clear()
    vars(variable).update(vars(built))
    variable.__class__ = type(built)
    if name is not None:
        variable.name = name
    if owner is not None:
        owner.outputs[index] = variable


def _marked(variable: Any) -> Any:
    from symae.theano._impl.variables import mark

    return mark(variable)


VARIABLES = ("TensorVariable", "CudaNdarrayVariable", "GpuArrayVariable", "Variable")
CONSTANTS = ("TensorConstant", "ScalarConstant", "Constant", "CudaNdarrayConstant", "GpuArrayConstant")


def _set(variable: Any, state: dict[str, Any]) -> None:
    """Set the state of a variable that is read, as its ``__setstate__``."""
    owner = state.get("owner")
    if owner is not None:
        owner.take(variable, state)
    else:
        _become(variable, _root(state), state.get("name"))


@functools.cache
def _classes() -> dict[str, Any]:
    from symae.theano._impl import variables

    def loading(cls: type) -> type:
        """Return `cls` while it is read; its layout has to stay, because an object changes from one to the other."""
        return type(f"Loading{cls.__name__}", (cls,), {"__slots__": (), "__setstate__": _set})

    shared = ("TensorSharedVariable", "ScalarSharedVariable", "CudaNdarraySharedVariable", "GpuArraySharedVariable")
    return {
        **dict.fromkeys((*shared, "SharedVariable"), loading(variables.TheanoTensorSharedVariable)),
        **dict.fromkeys(
            ("TensorVariable", "CudaNdarrayVariable", "GpuArrayVariable", "Variable"), loading(variables.TheanoTensorVariable)
        ),
        **dict.fromkeys(CONSTANTS, loading(variables.TheanoTensorConstant)),
        **dict.fromkeys(("TensorType", "GpuArrayType", "Generic", "Scalar", "NoneTypeT"), _Type),
        "CudaNdarrayType": _CudaType,
        **dict.fromkeys(("Container", "scratchpad", "ValidatingScratchpad", "frozendict"), _Plain),
        "Apply": _Apply,
    }


def _root(state: dict[str, Any]) -> Any:
    """Return a variable that is not an output: shared, constant, or an input."""
    from symae.theano import shared, tensor

    container = state.get("container")
    if container is not None:
        value = container.storage[0]
        kind = state["type"]
        if kind.broadcastable is None:
            return shared(value)
        return shared(np.asarray(value, kind.dtype), broadcastable=tuple(kind.broadcastable), borrow=True)
    if "data" in state:
        value = state["data"]
        return tensor.constant(value) if value is not None else _marked(_none())
    return _marked(state["type"].built()())


def _none() -> Any:
    from pytensor.tensor.type_other import NoneConst

    return NoneConst.clone()


def _applied(op: _Op, inputs: list[Any]) -> list[Any] | None:
    """Return the outputs of `op` of these inputs, or None where symae does not know how to build them."""
    from symae.theano import tensor

    name = type(op).__name__
    rule = RULES.get(name)
    try:
        if rule is not None:
            outputs = rule(tensor, op, *inputs)
        elif name in ("Elemwise", "CAReduce", "CAReduceDtype", "GpuElemwise"):
            outputs = _scalar(tensor, op, inputs, reduces=name.startswith("CAReduce"))
        elif name.startswith("Gpu") or name == "HostFromGpu":
            outputs = inputs[0] if len(inputs) == 1 else None
        else:
            outputs = None
    except Exception:  # a graph of another time; the rest of the pickle is worth having
        return None
    return None if outputs is None else list(outputs) if isinstance(outputs, list | tuple) else [outputs]


ELEMENTWISE = {
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "TrueDiv": "true_div",
    "IntDiv": "int_div",
    "Mod": "mod",
    "Pow": "pow",
    "Neg": "neg",
    "Abs": "abs_",
    "Inv": "inv",
    "Sgn": "sgn",
    "Sqr": "sqr",
    "Sqrt": "sqrt",
    "Exp": "exp",
    "Log": "log",
    "Log1p": "log1p",
    "Expm1": "expm1",
    "Tanh": "tanh",
    "Sin": "sin",
    "Cos": "cos",
    "Switch": "switch",
    "Clip": "clip",
    "Maximum": "maximum",
    "Minimum": "minimum",
    "EQ": "eq",
    "NEQ": "neq",
    "LT": "lt",
    "GT": "gt",
    "LE": "le",
    "GE": "ge",
    "Second": "fill",
    "ScalarSigmoid": "nnet.sigmoid",
    "ScalarSoftplus": "nnet.softplus",
    "UltraFastScalarSigmoid": "nnet.ultra_fast_sigmoid",
    "Floor": "floor",
    "Ceil": "ceil",
    "RoundHalfToEven": "round",
}
REDUCTIONS = {"Add": "sum", "Mul": "prod", "Maximum": "max", "Minimum": "min"}


def _scalar(tensor: Any, op: _Op, inputs: list[Any], reduces: bool) -> Any:
    scalar = op.get("scalar_op")
    kind = type(scalar).__name__
    if reduces:
        return getattr(tensor, REDUCTIONS[kind])(inputs[0], axis=_axes(op))
    if kind == "Cast":
        return tensor.cast(inputs[0], scalar.get("o_type").dtype)
    if kind == "Identity":
        return inputs[0]
    if kind not in ELEMENTWISE:
        return None
    return functools.reduce(getattr, ELEMENTWISE[kind].split("."), tensor)(*inputs)


def _axes(op: _Op) -> Any:
    axis = op.get("axis")
    return list(axis) if isinstance(axis, tuple | list) else axis


def _indexed(tensor: Any, op: _Op, x: Any, *indices: Any) -> Any:
    """Index by slices and integers: where the list has a type, the next input stands."""
    rest = list(indices)

    def part(entry: Any) -> Any:
        if isinstance(entry, slice):
            return slice(part(entry.start), part(entry.stop), part(entry.step))
        return rest.pop(0) if isinstance(entry, _Type) else entry

    return x[tuple(part(entry) for entry in op.get("idx_list", ()))]


RULES: dict[str, Callable[..., Any]] = {
    "Dot": lambda T, op, a, b: T.dot(a, b),
    "Dot22": lambda T, op, a, b: T.dot(a, b),
    "Softmax": lambda T, op, x: T.nnet.softmax(x),
    "SoftmaxWithBias": lambda T, op, x, b: T.nnet.softmax(x + b),
    "CrossentropyCategorical1Hot": lambda T, op, p, y: T.nnet.categorical_crossentropy(p, y),
    "DimShuffle": lambda T, op, x: x.dimshuffle(*op.get("new_order")),
    "InplaceDimShuffle": lambda T, op, x: x.dimshuffle(*op.get("new_order")),
    "Sum": lambda T, op, x: T.sum(x, axis=_axes(op)),
    "Prod": lambda T, op, x: T.prod(x, axis=_axes(op)),
    "Max": lambda T, op, x: T.max(x, axis=_axes(op)),
    "Min": lambda T, op, x: T.min(x, axis=_axes(op)),
    "Argmax": lambda T, op, x, *axis: T.argmax(x, axis=_axes(op)),
    "MaxAndArgmax": lambda T, op, x, *axis: [T.max(x, axis=_first(op, axis)), T.argmax(x, axis=_first(op, axis))],
    "ARange": lambda T, op, a, b, c: T.arange(a, b, c, dtype=op.get("dtype")),
    "Shape": lambda T, op, x: x.shape,
    "Shape_i": lambda T, op, x: x.shape[op.get("i")],
    "Reshape": lambda T, op, x, shape: T.reshape(x, shape, ndim=op.get("ndim")),
    "Join": lambda T, op, axis, *parts: T.join(axis, *parts),
    "MakeVector": lambda T, op, *parts: T.stack(list(parts)),
    "Alloc": lambda T, op, value, *shape: T.alloc(value, *shape),
    "Rebroadcast": lambda T, op, x: x,
    "Flatten": lambda T, op, x: T.flatten(x, op.get("outdim", 1)),
    "Subtensor": _indexed,
    "AdvancedSubtensor": lambda T, op, x, *indices: x[indices],
    "AdvancedSubtensor1": lambda T, op, x, index: x[index],
    "TensorFromScalar": lambda T, op, x: x,
    "ScalarFromTensor": lambda T, op, x: x,
}


def _first(op: _Op, axis: tuple[Any, ...]) -> Any:
    """Return the axis of a maximum: the operation's, or in older pickles a constant input."""
    if op.get("axis") is not None or not axis:
        return _axes(op)
    return [int(n) for n in np.ravel(axis[0].data)] if getattr(axis[0], "data", None) is not None else None
