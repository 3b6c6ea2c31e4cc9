"""Classes of Theano's Ops whose work functions do here: to be constructed, called, compared and asked for by ``isinstance``."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pytensor.graph.basic import Apply, Variable

__all__ = ["UnboundOp", "op_class"]


class _OpClass(type):
    """Count nodes' Ops of PyTensor as Theano's: ``isinstance(node.op, MatrixInverse)``."""

    _of: tuple[type, ...] = ()

    def __instancecheck__(cls, instance: Any) -> bool:
        core = getattr(instance, "core_op", instance)  # of many matrices at once
        return type.__instancecheck__(cls, instance) or isinstance(core, cls._of)


class _Settled(metaclass=_OpClass):
    """Hold settings, by Theano's names, and compute with them."""

    _make: Callable[..., Callable[..., Any]]

    def __init__(self, *args: Any, **kwargs: Any):
        bound = inspect.signature(type(self)._make).bind(*args, **kwargs)
        bound.apply_defaults()
        self._bound = bound
        vars(self).update(bound.arguments)

    def __call__(self, *inputs: Any, return_list: bool = False, name: str | None = None, **others: Any) -> Any:
        """Apply the Op to `inputs`; `others` are optional inputs by their names."""
        results = type(self)._make(*self._bound.args, **self._bound.kwargs)(*inputs, **others)
        if name is not None and isinstance(results, Variable):
            results.name = name
        return [results] if return_list and not isinstance(results, list | tuple) else results

    def make_node(self, *inputs: Any) -> Apply:
        node = self(*inputs, return_list=True)[0].owner
        assert node is not None
        return node

    def _key(self) -> Any:
        return type(self), repr(self._bound.arguments)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Settled) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self._bound.arguments.items())
        return f"{type(self).__name__}{{{settings}}}" if settings else type(self).__name__

    def __reduce__(self) -> Any:
        return functools.partial(type(self), *self._bound.args, **self._bound.kwargs), ()


def op_class(module: str, name: str, make: Callable[..., Callable[..., Any]], of: tuple[type, ...] = ()) -> type:
    """Make the class `name` of Theano's `module`.

    Parameters
    ----------
    make : callable
        Takes the settings, with Theano's names and defaults, and returns the function of the inputs.
    of : tuple of types
        PyTensor's Ops that count as instances.
    """
    return _OpClass(name, (_Settled,), {"__module__": module, "_make": staticmethod(make), "_of": of})


class UnboundOp:
    """Call a function that Theano had as an Op: no method of a class that has it, ``activation = T.nnet.sigmoid``."""

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"  # type: ignore[attr-defined]

    def __reduce__(self) -> str:
        return str(self.__name__)  # type: ignore[attr-defined]
