"""Graph to faster or safer graph, one idea a file.

A rewrite lives in its own module, whose docstring shows the graph before and after, and is registered here under a name,
for the backends it serves. ``symae.function`` uses them; PyTensor's own ``function`` does not. By its name a rewrite can
be switched off: ``symae.compile.options(exclude=["minibatch_slice"])``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter

from symae.rewrites.accumulated_products import accumulated_products
from symae.rewrites.conv_at_switches import conv_at_switches
from symae.rewrites.entries_of_softmax import entries_of_softmax
from symae.rewrites.in_place import in_place
from symae.rewrites.lazy_branches import LazyBranches
from symae.rewrites.masked_draw import masked_draw
from symae.rewrites.matrix_product import matrix_product
from symae.rewrites.minibatch_slice import minibatch_slice
from symae.rewrites.rectified_at_switches import rectified_at_switches
from symae.rewrites.sigmoid_cross_entropy import sigmoid_cross_entropy
from symae.rewrites.softmax_labels import softmax_labels
from symae.rewrites.theano_saturation import theano_saturation
from symae.rewrites.unused_layers import unused_layers
from symae.rewrites.vectorised_functions import vectorised_functions
from symae.rewrites.widened_operands import widened_operands

__all__ = ["THEANO", "names", "tag"]

_ALL = ("numba", "c", "jax", "pytorch", "mlx")

_NAMES: list[str] = []

# of the rewrites that only `symae.theano` uses, on every backend
THEANO = "theano"


def tag(backend: str) -> str:
    """Return the rewrite database's tag for the rewrites of `backend`."""
    return f"symae_{backend}"


def names() -> list[str]:
    """Return the names of all rewrites of symae, in the order they were registered."""
    return list(_NAMES)


def register(name: str, rewriter: Any, *, backends: Iterable[str], position: float) -> None:
    """Add `rewriter` at `position` in PyTensor's order: canonicalize is 1, specialize 2, fusion 49, inplace 50.5."""
    optdb.register(name, rewriter, *(tag(backend) for backend in backends), position=position)
    _NAMES.append(name)


register("minibatch_slice", dfs_rewriter(minibatch_slice), backends=["jax", "mlx"], position=0.05)
# before canonicalize, which writes the quotient in another way
register("entries_of_softmax", dfs_rewriter(entries_of_softmax), backends=_ALL, position=0.9)
# after that, which compares the indices of a value with those of its gradient
register("softmax_labels", dfs_rewriter(softmax_labels), backends=[THEANO], position=0.95)
register("unused_layers", dfs_rewriter(unused_layers), backends=_ALL, position=1.9)
# after specialize, when sizes have become constants; the first makes work for the second
register("rectified_at_switches", dfs_rewriter(rectified_at_switches), backends=["numba", "c"], position=2.1)
register("conv_at_switches", dfs_rewriter(conv_at_switches), backends=["numba", "c"], position=2.2)
# after specialize and before all that joins nodes, some of one branch with some of another
register("lazy_branches", LazyBranches(), backends=["numba", "jax", "pytorch"], position=47)
# PyTensor 3.0 rewrites the steps of loops with what is tagged for the backend, and not for the other one.
for _backend in ("numba", "jax"):
    optdb.register(f"lazy_branches_of_{_backend}_loops", LazyBranches(), _backend, position=47)
register("theano_saturation", dfs_rewriter(theano_saturation), backends=[THEANO], position=48)
# From here on after all that looks for PyTensor's own ops, and before fusion, which hides them in Composites.
register("masked_draw", dfs_rewriter(masked_draw), backends=["numba"], position=48.3)
# after theano_saturation, whose sigmoids are none of these, and before what gives sigmoids other names
register("sigmoid_cross_entropy", dfs_rewriter(sigmoid_cross_entropy), backends=["numba"], position=48.4)
register("vectorised_functions", dfs_rewriter(vectorised_functions), backends=["numba"], position=48.5)
register("matrix_product", dfs_rewriter(matrix_product), backends=["numba"], position=48.6)
register("accumulated_products", dfs_rewriter(accumulated_products), backends=["numba"], position=48.7)
register("widened_operands", dfs_rewriter(widened_operands), backends=["c"], position=48.8)
register("in_place", dfs_rewriter(in_place), backends=["numba", "c"], position=50.6)
