"""Neighbourhoods of pixels as rows of a matrix, and back: `symae.ops.images2neibs` with Theano's arguments."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pytensor.graph.basic import Variable

from symae import ops
from symae.errors import WindowError
from symae.ops.arguments import as_images
from symae.theano._impl.absent import getter
from symae.theano._impl.shape_arguments import in_floats
from symae.theano._impl.symbolic_windows import are_symbolic, images_of_neighbours, neighbours, sizes
from symae.theano._impl.variables import as_theano

__all__ = ["Images2Neibs", "images2neibs", "neibs2images"]


@as_theano
def images2neibs(ten4: Any, neib_shape: Any, neib_step: Any = None, mode: str = "valid") -> Variable:
    """Lay out the neighbourhoods in images as rows of a matrix, as `symae.ops.images2neibs` says.

    Parameters
    ----------
    ten4 : (n, c, h, w), floats or integers
    neib_shape, neib_step : two integers
        In a sequence or a symbolic vector; the value of a shared variable is that of the call.
    mode : {"valid", "ignore_borders", "wrap_centered", "half", "full"}

    Raises
    ------
    TypeError
        When the graph runs: neighbourhoods do not fit into the images with this mode.
    """
    shape = sizes("images2neibs: neib_shape", neib_shape, 2)
    step = shape if neib_step is None else sizes("images2neibs: neib_step", neib_step, 2)
    if not are_symbolic(shape, step):
        with suppress(WindowError):  # which Theano's graphs raise when they run
            return in_floats(lambda x: ops.images2neibs(x, shape, step, mode), ten4)
    return in_floats(lambda x: neighbours(as_images("images2neibs: ten4", x), shape, step, mode), ten4)


@as_theano
def neibs2images(neibs: Any, neib_shape: Any, original_shape: Any, mode: str = "valid") -> Variable:
    """Put neighbourhoods together again, as `symae.ops.neibs2images` says; both shapes may be symbolic."""
    shape = sizes("neibs2images: neib_shape", neib_shape, 2)
    if isinstance(original_shape, Variable):
        original_shape = [original_shape[i] for i in range(4)]
    if are_symbolic(shape):
        return in_floats(lambda x: images_of_neighbours(x, shape, list(original_shape), mode), neibs)
    return in_floats(lambda x: ops.neibs2images(x, shape, list(original_shape), mode), neibs)


class Images2Neibs:
    """Call `images2neibs` with its mode given before its arguments."""

    def __init__(self, mode: str = "valid"):
        self.mode = mode

    def __call__(self, ten4: Any, neib_shape: Any, neib_step: Any = None) -> Variable:
        neibs: Variable = images2neibs(ten4, neib_shape, neib_step, self.mode)
        return neibs


__getattr__ = getter(__name__, pytensor=["symae.ops"])
