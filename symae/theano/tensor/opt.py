"""``theano.tensor.opt``: where rewrites of graphs are registered.

A rewrite that is one of PyTensor's (``pytensor.graph.rewriting``), which `symae.theano.gof.local_optimizer` makes, joins
PyTensor's own in the database of that name, and graphs are rewritten with it. A plain function is given back and registered
nowhere, with a warning: Theano's rewrites are written for Theano's graphs, and a graph is as right without them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from pytensor.graph.rewriting.basic import NodeRewriter
from pytensor.raise_op import Assert, assert_op
from pytensor.tensor.basic import MakeVector, make_vector
from pytensor.tensor.rewriting import basic as rewriting
from pytensor.tensor.rewriting.shape import ShapeFeature
from pytensor.tensor.shape import Shape_i

from symae.theano._impl.absent import getter

__all__ = [
    "Assert",
    "MakeVector",
    "ShapeFeature",
    "Shape_i",
    "assert_",
    "assert_op",
    "make_vector",
    "register_canonicalize",
    "register_specialize",
    "register_specialize_device",
    "register_stabilize",
    "register_uncanonicalize",
    "register_useless",
]

assert_ = assert_op


def _registered(register: Callable[..., Any], lopt: Any, tags: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if isinstance(lopt, str):  # @register_canonicalize("fast_compile")
        return lambda inner: _registered(register, inner, (lopt, *tags), keywords)
    if isinstance(lopt, NodeRewriter):
        return register(lopt, *tags, **keywords)
    name = getattr(lopt, "__name__", type(lopt).__name__)
    warnings.warn(
        f"the rewrite {name} is not registered: it is not of PyTensor's kind, and results do not depend on it", stacklevel=3
    )
    return lopt


def register_useless(lopt: Any, *tags: str, **kwargs: Any) -> Any:
    """Register a rewrite that leaves out what does nothing."""
    return _registered(rewriting.register_useless, lopt, tags, kwargs)


def register_canonicalize(lopt: Any, *tags: str, **kwargs: Any) -> Any:
    """Register a rewrite that brings graphs to one form. It is also a decorator, with tags or without."""
    return _registered(rewriting.register_canonicalize, lopt, tags, kwargs)


def register_stabilize(lopt: Any, *tags: str, **kwargs: Any) -> Any:
    """Register a rewrite that loses fewer digits."""
    return _registered(rewriting.register_stabilize, lopt, tags, kwargs)


def register_specialize(lopt: Any, *tags: str, **kwargs: Any) -> Any:
    """Register a rewrite that makes graphs faster."""
    return _registered(rewriting.register_specialize, lopt, tags, kwargs)


def register_uncanonicalize(lopt: Any, *tags: str, **kwargs: Any) -> Any:
    """Register a rewrite that takes a canonical form back where another is faster."""
    return _registered(rewriting.register_uncanonicalize, lopt, tags, kwargs)


register_specialize_device = register_specialize

__getattr__ = getter(
    __name__,
    elsewhere={
        "T": "tensor",
        "theano": "",
        "gof": "gof:",
        "basic": "tensor.basic:",
        "get_scalar_constant_value": "tensor",
        "NotScalarConstantError": "tensor",
    },
    pytensor=["pytensor.tensor.rewriting.basic", "pytensor.tensor.rewriting.math", "pytensor.tensor.rewriting.elemwise"],
)
