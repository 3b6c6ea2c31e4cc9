"""``theano.Op``: operations that a script defines, with the methods of Theano's years.

PyTensor asks an Op for ``pullback``, ``pushforward`` and, in its older versions, for ``infer_shape`` with the graph as its
first argument. Here a script's ``grad`` or ``L_op``, ``R_op`` and ``infer_shape(node, shapes)`` answer, with marked variables.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Variable
from pytensor.graph.op import Op as PlainOp
from pytensor.graph.utils import MetaType, MethodNotDefined

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config
from symae.theano._impl.nodes import Apply
from symae.theano._impl.values import run_thunk, value_for_test
from symae.theano._impl.variables import behind, called_by_script, legacy, mark, unmark, with_test_values

__all__ = [
    "Apply",
    "MethodNotDefined",
    "Op",
    "PureOp",
    "debug_assert",
    "debug_error_message",
    "get_debug_values",
    "get_test_value",
    "missing_test_message",
]


class _AnyOp(MetaType):
    """Count PyTensor's Ops as Theano's, whose class they all had."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or (cls is Op and isinstance(instance, PlainOp))


class Op(PlainOp, metaclass=_AnyOp):
    """Provide what operations of a script inherit: ``make_node``, ``perform``, and ``grad(inputs, output_grads)``."""

    def __init_subclass__(cls, **kwargs: Any):
        own = vars(cls)
        if "make_node" in own:
            setattr(cls, "make_node", _make_node(own["make_node"]))  # noqa: B010
        if "perform" in own and not cls.__module__.startswith("symae."):
            setattr(cls, "perform", _perform(own["perform"]))  # noqa: B010
        if "make_thunk" in own and cls.perform is Op.perform:
            setattr(cls, "perform", _perform(_by_thunk))  # noqa: B010
        if "infer_shape" in own:
            cls.infer_shape = _infer_shape(own["infer_shape"])
        if "grad" in own or "L_op" in own:
            cls.pullback = _pullback(cls)
        if "do_constant_folding" in own:
            cls.do_constant_folding = _do_constant_folding(own["do_constant_folding"])
        if "R_op" in own:
            cls.pushforward = _pushforward
            cls.has_derivatives_of_its_own = True
        super().__init_subclass__(**kwargs)

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        # Theano's keyword for test values of its own graphs
        kwargs.pop("_no_test_value", None)
        result = super().__call__(*inputs, **kwargs)
        return with_test_values(mark(result)) if called_by_script(inputs) else result

    def make_node(self, *inputs: Any) -> Apply:
        return _make_node(PlainOp.make_node)(self, *inputs)

    def perform(self, node: Apply, inputs: Any, output_storage: Any) -> None:
        raise MethodNotDefined("perform", type(self), type(self).__name__)

    def R_op(self, inputs: Sequence[Variable], eval_points: Sequence[Any]) -> Any:
        raise NotImplementedError(f"{self} has no R_op")


PureOp = Op  # in Theano without what an Op had for C


def _seen_by_script(method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a script's `method` on variables of a graph that PyTensor has in hand: they are plain when it is done."""
    with legacy(*arguments):
        result = method(*arguments)
        result = [result] if isinstance(result, Variable) else list(result)
    unmark(behind(([r for r in result if isinstance(r, Variable)],)))
    return result


def _pullback(cls: type) -> Callable[..., Any]:
    # L_op is asked first where a class has both, and grad where it is the newer of the two
    name = "L_op" if "L_op" in vars(cls) else "grad"

    def pullback(self: Any, inputs: Any, outputs: Any, output_grads: Any) -> list[Variable]:
        if name == "grad":
            found = _seen_by_script(self.grad, list(inputs), list(output_grads))
        else:
            found = _seen_by_script(self.L_op, list(inputs), list(outputs), list(output_grads))
        return [disconnected_type() if g is None else g for g in found]

    return pullback


def _pushforward(self: Any, inputs: Any, outputs: Any, tangents: Any) -> list[Variable]:
    points = [None if isinstance(t.type, DisconnectedType) else t for t in tangents]
    found = _seen_by_script(self.R_op, list(inputs), points)
    return [disconnected_type() if r is None else r for r in found]


def _make_node(theirs: Callable[..., Apply]) -> Callable[..., Apply]:
    @functools.wraps(theirs)
    def make_node(self: Any, *args: Any, **kwargs: Any) -> Apply:
        node = theirs(self, *args, **kwargs)
        if not called_by_script(args):
            unmark(node.outputs)  # Theano's types make marked variables
        return node

    return make_node


def _perform(theirs: Any) -> Any:
    """Wrap a script's ``perform``, which may ask types of the node for what Theano's knew."""

    @functools.wraps(theirs)
    def perform(self: Any, node: Apply, *args: Any) -> Any:
        with legacy(node.inputs, node.outputs):
            return theirs(self, node, *args)

    return perform


def _by_thunk(self: Any, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
    """Compute by the ``make_thunk`` of an Op without ``perform``, which is all that compiled modes ask for."""
    storage = {v: [x] for v, x in zip(node.inputs, inputs, strict=True)}
    storage |= zip(node.outputs, output_storage, strict=True)
    run_thunk(self, node, storage)


def _infer_shape(theirs: Callable[..., Any]) -> Callable[..., Any]:
    if len(inspect.signature(theirs).parameters) != 3:  # PyTensor's own, with the graph or with *args
        return theirs

    # PyTensor 3.0 passes (fgraph, node, shapes), later lines (node, shapes).
    def infer_shape(self: Any, *args: Any) -> Any:
        node, shapes = args[-2:]
        with legacy(shapes):
            result = theirs(self, node, shapes)
        unmark(behind((result,)))
        return result

    return infer_shape


def _do_constant_folding(theirs: Any) -> Any:
    if not callable(theirs) or len(inspect.signature(theirs).parameters) != 2:  # PyTensor's own, with the graph
        return theirs
    return functools.wraps(theirs)(lambda self, fgraph, node: theirs(self, node))


def get_test_value(v: Any) -> Any:
    """Compute the value that `v` has when the variables that it depends on have their ``tag.test_value``.

    Raises
    ------
    AttributeError
        One of them has none.
    """
    return value_for_test(v)


def get_debug_values(*args: Any) -> list[Any]:
    """Return a list of one element, the test value of the variable or the tuple of those of several.

    It is empty where ``config.compute_test_value`` is "off", or a variable has none; what happens then is what that flag says.
    """
    if config.compute_test_value == "off":
        return []
    values = []
    for i, variable in enumerate(args):
        try:
            values.append(get_test_value(variable))
        except AttributeError:
            name = getattr(variable, "name", None)
            missing_test_message(f"Argument {i}{f'({name!r})' if name else ''} has no test value")
            return []
    return values if len(values) == 1 else [tuple(values)]


def missing_test_message(msg: str) -> None:
    """Raise AttributeError where ``config.compute_test_value`` is "raise", and warn where it is "warn"."""
    _report(AttributeError(msg), ("raise",))


def debug_error_message(msg: str) -> None:
    """Raise ValueError for test values that do not fit, or warn where ``config.compute_test_value`` is "warn"."""
    _report(ValueError(msg), ("raise", "ignore"))


def debug_assert(condition: Any, msg: str | None = None) -> None:
    """Raise AssertionError unless `condition` holds, or warn where ``config.compute_test_value`` is "warn"."""
    if not condition:
        _report(AssertionError(msg or "debug_assert failed"), ("raise", "ignore"))


def _report(error: Exception, raising: tuple[str, ...]) -> None:
    if config.compute_test_value in raising:
        raise error
    if config.compute_test_value == "warn":
        warnings.warn(str(error), stacklevel=3)


__getattr__ = getter(
    __name__,
    instead={
        "COp": "use theano.Op with perform: C code for Theano's own C interface does not compile against PyTensor's",
        "OpenMPOp": "use theano.Op: Numba makes parallel code by itself",
    },
    pytensor=["pytensor.graph.op"],
)
