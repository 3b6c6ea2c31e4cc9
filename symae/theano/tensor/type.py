"""``theano.tensor.type``: types of arrays, and the functions that make variables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytensor
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType as PlainType
from pytensor.tensor.type import (
    values_eq_approx_always_true,
    values_eq_approx_remove_inf,
    values_eq_approx_remove_inf_nan,
    values_eq_approx_remove_nan,
)

from symae.theano._impl.absent import getter
from symae.theano._impl.op_names import text_of_type
from symae.theano._impl.variables import mark, registered

__all__ = [
    "CONSTRUCTORS",
    "GROUPS",
    "TensorType",
    "tensor",
    "values_eq_approx_always_true",
    "values_eq_approx_remove_inf",
    "values_eq_approx_remove_inf_nan",
    "values_eq_approx_remove_nan",
]

__getattr__ = getter(__name__, pytensor=["pytensor.tensor.type"])


class _IsATensorType(type(PlainType)):  # type: ignore[misc]
    """Count all array types as Theano's: ``isinstance(x.type, T.TensorType)``."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, PlainType)


class TensorType(PlainType, metaclass=_IsATensorType):
    """Describe arrays of a dtype, with a bool for each dimension: True where its length is 1 and it broadcasts.

    Equal to PyTensor's type of the same arrays. Calling it makes a variable.
    """

    def __init__(self, dtype: Any, broadcastable: Iterable[Any] = (), name: str | None = None, sparse_grad: bool = False):
        # Theano read 0 and 1 as no and yes; PyTensor reads numbers as lengths.
        super().__init__(dtype, shape=tuple(1 if b else None for b in broadcastable), name=name)
        self.sparse_grad = sparse_grad

    def plain(self) -> PlainType:
        """Return PyTensor's type of the same arrays."""
        return PlainType(self.dtype, shape=self.shape)

    def __call__(self, name: str | None = None, **kwargs: Any) -> Variable:
        return mark(self.plain()(name, **kwargs))

    def make_variable(self, name: str | None = None) -> Variable:
        return self(name)

    def value_zeros(self, shape: Any) -> np.ndarray:
        """Return an array of zeros of this type."""
        return np.zeros(shape, dtype=self.dtype)

    def clone(self, dtype: Any = None, broadcastable: Any = None, shape: Any = None, **kwargs: Any) -> PlainType:
        changed = tuple(1 if b else None for b in broadcastable) if broadcastable is not None else shape
        return self.plain().clone(dtype=dtype, shape=changed)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PlainType):
            return bool(self.dtype == other.dtype and self.shape == other.shape)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.plain())

    def __repr__(self) -> str:
        return text_of_type(self)

    __str__ = __repr__


def tensor(*args: Any, **kwargs: Any) -> Variable:
    """Make a variable of ``TensorType(dtype, broadcastable)``; ``name=`` names it."""
    name = kwargs.pop("name", None)
    return TensorType(*args, **kwargs)(name)


_LETTERS = {
    "b": "int8",
    "w": "int16",
    "i": "int32",
    "l": "int64",
    "f": "float32",
    "d": "float64",
    "c": "complex64",
    "z": "complex128",
}
_KINDS: dict[str, tuple[bool, ...]] = {
    "scalar": (),
    "vector": (False,),
    "row": (True, False),
    "col": (False, True),
    "matrix": (False, False),
    **{f"tensor{n}": (False,) * n for n in range(3, 8)},
}
_PLURALS = {"matrix": "matrices"}


def _of_floatX(kind: str) -> Callable[..., Variable]:
    def make(name: str | None = None, dtype: Any = None) -> Variable:
        return TensorType(pytensor.config.floatX if dtype is None else dtype, _KINDS[kind])(name)

    make.__doc__ = f"A variable, {kind}, of `dtype`, floatX unless given."
    return _in_tensor(make, kind)


def _several(one: Callable[..., Variable], name: str) -> Callable[..., Any]:
    def make(*names: Any) -> Any:
        if len(names) == 1:
            names = (None,) * names[0] if isinstance(names[0], int) else tuple(names[0])
            if names and len(names) == 1 and names[0] is not None:
                return one(names[0])
        return [one(n) for n in names]

    make.__doc__ = (
        "Several variables, by their names, by the letters of one text, or by how many; of one letter one, in no list."
    )
    return _in_tensor(make, name)


def _in_tensor(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    function.__module__ = "symae.theano.tensor"
    return function


_types: dict[tuple[str, tuple[bool, ...]], TensorType] = {}


def _open(known: Any) -> Any:
    """Return Theano's type of the arrays of a type of PyTensor's: there is one for a dtype and which lengths are 1."""
    if type(known) is not PlainType:
        return known
    key = known.dtype, tuple(length == 1 for length in known.shape)
    if key not in _types:
        _types[key] = TensorType(*key)
    return _types[key]


registered["type"] = _open


def _constructors() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for kind, pattern in _KINDS.items():
        plural = _PLURALS.get(kind, f"{kind}s")
        made[kind] = _of_floatX(kind)
        made[plural] = _several(made[kind], plural)
        for letter, dtype in _LETTERS.items():
            made[letter + kind] = _types[dtype, pattern] = TensorType(dtype, pattern)
            made[letter + plural] = _several(made[letter + kind], letter + plural)
    return made


CONSTRUCTORS = _constructors()

_GROUPS = {"int": "bwil", "float": "fd", "complex": "cz"}
# ``float_types`` is (fscalar, dscalar), and so on
GROUPS: dict[str, Any] = {
    f"{group}{kind}_types": tuple(CONSTRUCTORS[letter + (kind[1:] or "scalar")] for letter in letters)
    for group, letters in _GROUPS.items()
    for kind in ("", "_scalar", "_vector", "_matrix")
}
