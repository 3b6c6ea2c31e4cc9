"""Variables with Theano's operators: PyTensor's, of a subclass whose methods and operators mean what Theano's meant.

A variable is *marked* by giving it that class, and everything that `symae.theano` returns is marked, so a legacy script never
holds another. What PyTensor's own code sees is not: `as_theano` unmarks arguments for the time of a call, and `plain` whole
graphs while they are differentiated or compiled, because PyTensor's gradients and rewrites count on its own operators.

The type of a marked variable is Theano's: a dtype, and which lengths are 1. PyTensor's, which `known_type` returns, may know
other lengths too, and is kept for the kernels that are made for them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors
from pytensor.tensor.sharedvar import TensorSharedVariable
from pytensor.tensor.variable import TensorConstant, TensorVariable, _tensor_py_operators

from symae.patches.sparse_operands import OPERATORS, left_to_sparse
from symae.theano._impl.configuration import config
from symae.theano._impl.nodes import written_as_theanos
from symae.theano._impl.op_names import text_of
from symae.theano._impl.symbolic_slices import opened

__all__ = [
    "as_theano",
    "called_by_script",
    "condition",
    "divided",
    "is_marked",
    "known_type",
    "legacy",
    "logical",
    "mark",
    "plain",
    "registered",
    "unmark",
    "with_test_values",
]

# What methods of variables call: the module `tensor`, the function `function`, `test_values`, which computes them, and `type`,
# which opens a type of PyTensor's.
# Those are made of variables, so `symae.theano` puts them here at the end of its own import.
registered: dict[str, Any] = {}


def mark(values: Any) -> Any:
    """Give variables, in lists, tuples and mappings too, Theano's operators; other things come back as they are."""
    for variable in _variables(_visited(values, _MARKED)):
        if is_marked(variable):
            written_as_theanos(variable.owner)
    return values


def with_test_values(values: Any) -> Any:
    """Compute test values of variables, in lists, tuples and mappings too, where ``config.compute_test_value`` asks for it."""
    if config._values.get("compute_test_value", "off") != "off" and "test_values" in registered:
        registered["test_values"]([v for v in _variables(values) if is_marked(v)])
    return values


def unmark(values: Any) -> Any:
    """Give variables, in lists, tuples and mappings too, PyTensor's operators back."""
    return _visited(values, _PLAIN)


def known_type(variable: Any) -> Any:
    """Return PyTensor's type of a variable, with all lengths that it knows."""
    return vars(variable)["type"]


def is_marked(value: Any) -> bool:
    """Return True if `value` is a variable with Theano's operators."""
    return type(value) in _PLAIN


def called_by_script(inputs: Iterable[Any]) -> bool:
    """Return whether it is a script that calls an operation with `inputs`, not a gradient or rewrite with plain variables."""
    variables = list(_variables(list(inputs)))
    return not variables or any(map(is_marked, variables))


@contextmanager
def plain(*values: Any) -> Iterator[None]:
    """Give all variables that `values` depend on PyTensor's operators as long as the block lasts.

    The default updates of shared variables count as things that they depend on.
    """
    marked = [v for v in behind(values) if type(v) in _PLAIN]
    unmark(marked)
    try:
        yield
    finally:
        mark(marked)


@contextmanager
def legacy(*values: Any) -> Iterator[None]:
    """Give `values` Theano's operators inside a `plain` block, while a function of a legacy script has them."""
    unmarked = [v for v in _variables(values) if type(v) in _MARKED]
    mark(unmarked)
    try:
        yield
    finally:
        unmark(unmarked)


def as_theano(function: Callable[..., Any], name: str | None = None, module: str | None = None) -> Callable[..., Any]:
    """Wrap PyTensor's `function` for legacy code: its variables are plain while it runs, and what it returns is marked.

    With `name` and `module` the result says that it is that function of that module, so that it can be pickled by name.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = list(_variables((args, kwargs)))
        marked = [v for v in given if type(v) in _PLAIN]
        unmark(marked)
        try:
            result = function(*args, **kwargs)
        finally:
            mark(marked)
        return with_test_values(_marked_with_graph(result, given) if marked else mark(result))

    if name is not None:
        wrapped.__name__ = wrapped.__qualname__ = name
    if module is not None:
        wrapped.__module__ = module
    return wrapped


def logical(function: Callable[..., Variable]) -> Callable[..., Variable]:
    """Wrap a PyTensor function that answers yes or no: the answer is Theano's 1 or 0 in int8, to be added and negated."""

    @functools.wraps(function)
    def answered(*args: Any, **kwargs: Any) -> Variable:
        answer = pt.cast(function(*args, **kwargs), "int8")
        answer.tag.is_answer = True
        return answer

    return as_theano(answered)


def condition(value: Any) -> Any:
    """Return an answer of `logical` as the bool that it was made from, which PyTensor's rewrites know; others as they are."""
    if isinstance(value, Variable) and getattr(value.tag, "is_answer", False) and value.owner is not None:
        return value.owner.inputs[0]
    return value


@as_theano
def divided(a: Any, b: Any) -> Variable:
    """Divide ``a / b`` as Theano 0.x: of whole numbers by ``config.int_division``, rounded down by default."""
    a, b = pt.as_tensor_variable(a), pt.as_tensor_variable(b)
    whole = all(v.dtype.startswith(("int", "uint", "bool")) for v in (a, b))
    if whole and config.int_division == "int":
        return pt.int_div(a, b)
    if whole and config.int_division == "raise":
        raise TypeError("a / b of whole numbers: config.int_division is 'raise', expected a // b or a cast to floats")
    quotient = pt.true_div(a, b)
    return pt.cast(quotient, config.floatX) if whole and config.int_division == "floatX" else quotient


def _variables(values: Any) -> Iterator[Variable]:
    """Yield all variables in `values` and in the lists, tuples, slices and mappings within."""
    if isinstance(values, Variable):
        yield values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield from _variables(key)
            yield from _variables(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _variables(value)
    elif isinstance(values, slice):
        yield from _variables((values.start, values.stop, values.step))


def behind(values: Any, blockers: Iterable[Variable] = ()) -> list[Variable]:
    """Return the variables in `values`, all that they are computed from, and all that the default updates of those are.

    What only variables among `blockers` are computed from is left out.
    """
    found: dict[Variable, None] = {}
    rest = list(_variables(values))
    while rest:
        new = [v for v in ancestors(rest, blockers=[*found, *blockers]) if v not in found]
        found.update(dict.fromkeys(new))
        updates = [v.default_update for v in new if isinstance(v, SharedVariable)]
        updates += [v for of in new for v in getattr(of.tag, "also_depends_on", ())]
        rest = [u for u in updates if u is not None and u not in found]
    return list(found)


def _marked_with_graph(result: Any, given: Iterable[Variable]) -> Any:
    """Mark `result`, and what it is computed from as far as `given` and the variables that have been marked before.

    PyTensor's own stay PyTensor's, and so does what has a length that its type would not tell any more: a size of a draw, say,
    from which PyTensor reads how many axes there are when it compiles a graph that nobody has unmarked.
    """
    mark(result)
    theirs = {id(v) for v in given}
    rest = [v.owner for v in _variables(result) if v.owner is not None and id(v) not in theirs]
    while rest:
        node = rest.pop()
        written_as_theanos(node)
        for variable in node.inputs:
            if type(variable) not in _MARKED or id(variable) in theirs or any(n not in (None, 1) for n in variable.type.shape):
                continue
            if variable.owner is not None or isinstance(variable, TensorConstant):
                mark(variable)
                if variable.owner is not None:
                    rest.append(variable.owner)
    return result


def _visited(values: Any, classes: Mapping[type, type]) -> Any:
    for v in _variables(values):
        if type(v) in classes:
            v.__class__ = classes[type(v)]
    return values


def _property(attribute: property) -> property:
    return property(as_theano(attribute.fget)) if attribute.fget is not None else attribute


def _with_theanos_operators(cls: type) -> type:
    """Make a subclass of `cls` whose methods and properties take and return marked variables."""
    members: dict[str, Any] = {"__module__": __name__, "__hash__": cls.__hash__}
    for name in _methods():
        attribute = getattr(_tensor_py_operators, name)
        members[name] = _property(attribute) if isinstance(attribute, property) else as_theano(attribute)
    members |= {name: left_to_sparse(members[name]) for name in OPERATORS}
    members |= _legacy_methods()
    members["type"] = property(_type, _set_type)
    members |= {"__str__": text_of, "__repr__": _shown}
    if issubclass(cls, SharedVariable):
        members |= {"default_update": _default_update, "value": property(_value, _set_value)}
    elif issubclass(cls, TensorConstant):
        members["value"] = property(lambda self: self.data)
    where = "sharedvar" if issubclass(cls, SharedVariable) else "var"
    meta = type("_AsTheanos", (type(cls),), {"__repr__": lambda self: f"<class 'theano.tensor.{where}.{cls.__name__}'>"})
    return meta(f"Theano{cls.__name__}", (cls,), members)


def _shown(self: Variable) -> str:
    """Return the variable's text, and its test value if ``config.print_test_value`` is set."""
    value = getattr(self.tag, "test_value", None) if config.print_test_value else None
    return text_of(self) if value is None else f"{text_of(self)}\n{np.asarray(value)!r}"


def _methods() -> Iterable[str]:
    """Return the operators, methods and properties that make expressions of a variable."""
    kept = {"__bool__", "__index__", "__int__", "__float__", "__complex__", "__iter__", "ndim", "dtype", "broadcastable"}
    return [
        name
        for name, attribute in vars(_tensor_py_operators).items()
        if name not in kept and (callable(attribute) or isinstance(attribute, property))
    ]


def _named(name: str) -> Callable[..., Any]:
    """Return the function of `symae.theano.tensor` of that name, as a method."""

    def method(self: Variable, *args: Any, **kwargs: Any) -> Any:
        return getattr(registered["tensor"], name)(self, *args, **kwargs)

    method.__name__ = name
    return method


def _reshape(self: Variable, shape: Any, ndim: int | None = None) -> Variable:
    return _named("reshape")(self, shape, ndim=ndim)


def _item(self: Variable, args: Any) -> Variable:
    # An answer picks what it says yes to. Before Theano 1.0 its 0s and 1s were row numbers, which nobody meant.
    masks = args if isinstance(args, tuple) else (args,)
    masks = tuple(condition(m) if isinstance(m, Variable) and getattr(m.type, "ndim", 0) > 0 else opened(m) for m in masks)
    return _getitem(self, masks if isinstance(args, tuple) else masks[0])


_getitem = as_theano(_tensor_py_operators.__getitem__)


def _entries(self: Variable) -> Iterator[Variable]:
    """Return the entries of a vector whose length is known, though its type does not tell it."""
    if self.type.ndim != 1:
        return _tensor_py_operators.__iter__(self)
    return (self[i] for i in range(_named("get_vector_length")(self)))


def _is_something(self: Variable) -> bool:
    # `if not W:` asks whether there is a W. Only of an answer it would mean what nobody knows yet.
    if getattr(self.tag, "is_answer", False):
        raise TypeError("Variables do not support boolean operations: use theano.tensor.switch or theano.ifelse.ifelse")
    return True


def _inverted(self: Variable) -> Variable:
    return _named("invert")(self)


def _eval(self: Variable, inputs_to_values: Mapping[Variable, Any] | None = None, **kwargs: Any) -> Any:
    """Compute the variable's value, given those of the variables that it depends on; compiled once for each set of them."""
    given = dict(inputs_to_values or {})
    compiled = self.__dict__.setdefault("_fn_cache", {})
    if not isinstance(compiled, dict):
        compiled = self.__dict__["_fn_cache"] = {}
    key = tuple(given)
    if key not in compiled:
        compiled[key] = registered["function"](list(given), self, **kwargs)
    return compiled[key](*given.values())


def _set_default_update(self: Any, value: Any) -> None:
    # PyTensor deprecates its own setter, because it has other plans for its generators; Theano's programs set it freely.
    self._default_update = None if value is None else _of_type(value, known_type(self))


@as_theano
def _of_type(value: Any, wanted: Any) -> Variable:
    """Return `value` as a variable of exactly the type `wanted`, though more may be known of its shape."""
    variable = wanted.filter_variable(value, allow_convert=True)
    if variable.type != wanted:
        variable = pt.tensor_copy(variable)
        variable.type = wanted
    return variable


def _type(self: Variable) -> Any:
    """Return the variable's type, in which lengths other than 1 are open."""
    return registered["type"](known_type(self))


def _set_type(self: Variable, value: Any) -> None:
    vars(self)["type"] = value.plain() if hasattr(value, "plain") else value


def _value(self: Any) -> Any:
    """Return the value, as scripts of Theano's first years read and set it."""
    return self.get_value()


def _set_value(self: Any, value: Any) -> None:
    self.set_value(value)


_default_update = property(lambda self: self._default_update, _set_default_update, lambda self: _set_default_update(self, None))


def _legacy_methods() -> dict[str, Any]:
    def answered(name: str) -> Callable[..., Any]:
        return lambda self, other: _named(name)(self, other)

    return {
        "__bool__": _is_something,
        "__lt__": answered("lt"),
        "__le__": answered("le"),
        "__gt__": answered("gt"),
        "__ge__": answered("ge"),
        "__and__": answered("and_"),
        "__or__": answered("or_"),
        "__xor__": answered("xor"),
        "__invert__": _inverted,
        "__div__": divided,
        "__rdiv__": lambda self, other: divided(other, self),
        "__getitem__": _item,
        "__iter__": _entries,
        "any": _named("any"),
        "all": _named("all"),
        "eval": _eval,
        "reshape": _reshape,
        "choose": _named("choose"),
        "flatten": _named("flatten"),
        "round": _named("round"),
        "max": _named("max"),
        "min": _named("min"),
        "argmax": _named("argmax"),
        "argmin": _named("argmin"),
        "trace": _named("trace"),
        "var": _named("var"),
        "std": _named("std"),
        "get_scalar_constant_value": _named("get_scalar_constant_value"),
    }


TheanoTensorVariable = _with_theanos_operators(TensorVariable)
TheanoTensorConstant = _with_theanos_operators(TensorConstant)
TheanoTensorSharedVariable = _with_theanos_operators(TensorSharedVariable)

_MARKED = {
    TensorVariable: TheanoTensorVariable,
    TensorConstant: TheanoTensorConstant,
    TensorSharedVariable: TheanoTensorSharedVariable,
}
_PLAIN = {marked: cls for cls, marked in _MARKED.items()}
