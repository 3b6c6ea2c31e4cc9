"""Graph to faster or safer graph, one idea a file.

A rewrite lives in its own module, whose docstring shows the graph before and after, and is registered here under a name.
``symae.function`` uses them; PyTensor's own ``function`` does not. By its name a rewrite can be switched off:
``symae.compile.options(exclude=["minibatch_slice"])``.

A rewrite knows no backend: it says what a backend must be like to have it, and a backend's file (`symae.compile.backends`) says
what it is like. What all have needs nothing.
"""

from __future__ import annotations

from typing import Any

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter

from symae.rewrites.accumulated_products import accumulated_products
from symae.rewrites.entries_of_softmax import entries_of_softmax
from symae.rewrites.in_place import in_place
from symae.rewrites.lazy_branches import LazyBranches
from symae.rewrites.masked_draw import masked_draw
from symae.rewrites.matrix_product import matrix_product
from symae.rewrites.minibatch_slice import minibatch_slice
from symae.rewrites.sigmoid_cross_entropy import sigmoid_cross_entropy
from symae.rewrites.softmax_labels import softmax_labels
from symae.rewrites.sparse_convolution import sparse_convolution
from symae.rewrites.sparse_rectified_gradient import sparse_rectified_gradient
from symae.rewrites.theano_saturation import theano_saturation
from symae.rewrites.unused_layers import unused_layers
from symae.rewrites.vectorised_functions import vectorised_functions
from symae.rewrites.widened_operands import widened_operands

__all__ = [
    "ALL",
    "C_OPERANDS",
    "EAGER_BRANCHES",
    "FUSED_KERNELS",
    "NATIVE",
    "STATIC_SHAPES",
    "THEANO",
    "names",
    "need",
    "rewrite_loop_steps",
    "tag",
]

# What a rewrite needs: one of these, which are also what a backend says of itself.
ALL = "all"
NATIVE = "native"  # symae's machine code, on arrays of NumPy, in whose memory results may take the place of operands
FUSED_KERNELS = "fused_kernels"  # kernels for those ops of symae that do the work of several of PyTensor's in one pass
STATIC_SHAPES = "static_shapes"  # sizes are constants of the program
EAGER_BRANCHES = "eager_branches"  # computes both branches of a choice, but for `LazyIfElse`, of which it has a kernel
C_OPERANDS = "c_operands"  # computes in the type that C has for the operands, even where that of the result is wider
THEANO = "theano"  # none of a backend: `symae.theano` asks for these, on every one

_NEEDS: dict[str, str] = {}


def tag(need: str) -> str:
    """Return the rewrite database's tag of the rewrites that need `need`."""
    return f"symae_{need}"


def names() -> list[str]:
    """Return the names of all rewrites of symae, in the order they were registered."""
    return list(_NEEDS)


def need(name: str) -> str:
    """Return what the rewrite `name` needs of a backend."""
    return _NEEDS[name]


def register(name: str, rewriter: Any, *, need: str = ALL, position: float) -> None:
    """Add `rewriter` at `position` in PyTensor's order: canonicalize is 1, specialize 2, fusion 49, inplace 50.5."""
    optdb.register(name, rewriter, tag(need), position=position)
    _NEEDS[name] = need


def rewrite_loop_steps(backend_tag: str) -> None:
    """Let `LazyBranches` rewrite the steps of loops too, on the backend that PyTensor tags its own rewrites for so.

    PyTensor 3.0 rewrites them with what has that tag, and not with what the function around them is rewritten with.
    """
    optdb.register(f"lazy_branches_of_{backend_tag}_loops", LazyBranches(), backend_tag, position=47)


register("minibatch_slice", dfs_rewriter(minibatch_slice), need=STATIC_SHAPES, position=0.05)
# before canonicalize, which writes the quotient in another way
register("entries_of_softmax", dfs_rewriter(entries_of_softmax), position=0.9)
# after that, which compares the indices of a value with those of its gradient
register("softmax_labels", dfs_rewriter(softmax_labels), need=THEANO, position=0.95)
register("unused_layers", dfs_rewriter(unused_layers), position=1.9)
# after specialize, when sizes have become constants; the first makes work for the second
register("sparse_rectified_gradient", dfs_rewriter(sparse_rectified_gradient), need=NATIVE, position=2.1)
register("sparse_convolution", dfs_rewriter(sparse_convolution), need=NATIVE, position=2.2)
# after specialize and before all that joins nodes, some of one branch with some of another
register("lazy_branches", LazyBranches(), need=EAGER_BRANCHES, position=47)
register("theano_saturation", dfs_rewriter(theano_saturation), need=THEANO, position=48)
# From here on after all that looks for PyTensor's own ops, and before fusion, which hides them in Composites.
register("masked_draw", dfs_rewriter(masked_draw), need=FUSED_KERNELS, position=48.3)
# after theano_saturation, whose sigmoids are none of these, and before what gives sigmoids other names
register("sigmoid_cross_entropy", dfs_rewriter(sigmoid_cross_entropy), need=FUSED_KERNELS, position=48.4)
register("vectorised_functions", dfs_rewriter(vectorised_functions), need=FUSED_KERNELS, position=48.5)
register("matrix_product", dfs_rewriter(matrix_product), need=FUSED_KERNELS, position=48.6)
register("accumulated_products", dfs_rewriter(accumulated_products), need=FUSED_KERNELS, position=48.7)
register("widened_operands", dfs_rewriter(widened_operands), need=C_OPERANDS, position=48.8)
register("in_place", dfs_rewriter(in_place), need=NATIVE, position=50.6)
