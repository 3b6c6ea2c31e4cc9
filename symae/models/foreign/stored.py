"""Weights in a file: what they are called there, and their shapes, before any number is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from symae.datasets.contents import excerpt
from symae.errors import InputError
from symae.models.foreign.conventions import PYTORCH, PYTORCH_OWN, Convention

MOST_ARRAYS = 10_000
KINDS = {
    **{"weight": "weight", "W": "weight", "kernel": "weight", "bias": "bias", "b": "bias"},
    # of a normalisation, what it has seen
    **{f"{of}_mean": "mean" for of in ("moving", "running", "avg")},
    **dict.fromkeys(("moving_variance", "running_var", "avg_var"), "variance"),
}
# as PyTorch calls what others call gamma and beta
OF_NORMALISATIONS = {"weight": "gamma", "bias": "beta"}
# how many minibatches a normalisation has seen, in PyTorch and Chainer
COUNTERS = ("num_batches_tracked", "/N")


@dataclass(frozen=True)
class StoredArray:
    """Describe an array of a file.

    Attributes
    ----------
    name : str
        As the file has it, and as `names` of `load_weights` has it.
    shape : tuple of int
    dtype : str
    load : function () -> array
        Reads the numbers.
    convention : Convention
    layer : tuple of str
        The layers that it belongs to, the outermost first; empty where the name does not tell.
    kind : str
        "weight", "bias", or what else the library calls it.
    counted : bool
        The layer has no name of its own: it is called after its class and counted, such as ``conv2d_1``.
    of : str
        A layer that has no counterpart in symae, in words.
    epsilon : float or None
        Of the normalisation that it belongs to, if the file has it.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], np.ndarray]
    convention: Convention
    layer: tuple[str, ...] = ()
    kind: str = ""
    counted: bool = False
    of: str = ""
    epsilon: float | None = None

    @property
    def n_bytes(self) -> int:
        """How much memory the numbers take."""
        return math.prod(self.shape) * (4 if self.dtype == "bfloat16" else np.dtype(self.dtype).itemsize)

    def __str__(self) -> str:
        return f"{excerpt(self.name)[1:-1]} {self.shape}" + (f" of {self.of}" if self.of else "")


@dataclass(frozen=True)
class Weights:
    """Hold the arrays of a file.

    Attributes
    ----------
    path : Path
    arrays : dict of StoredArray by name
    by_position : bool
        The arrays have no names, only an order.
    ordered : bool
        The arrays are in the order of the layers. If they are not, layers that are counted have an order within their class.
    """

    path: Path
    arrays: dict[str, StoredArray] = field(default_factory=dict)
    by_position: bool = False
    ordered: bool = True


def weights_of(path: Path, arrays: Iterable[StoredArray], *, by_position: bool = False, ordered: bool = True) -> Weights:
    """Return the arrays of a file, which have to have different names and not to be too many."""
    found: dict[str, StoredArray] = {}
    for array in arrays:
        if array.shape == () and array.name.endswith(COUNTERS):
            continue
        if array.name in found:
            raise InputError(path, f"two arrays called {excerpt(array.name)}", "one of each name")
        if len(found) >= MOST_ARRAYS:
            raise InputError(path, f"more than {MOST_ARRAYS} arrays", "the weights of a model")
        found[array.name] = array
    if not found:
        raise InputError(path, "no arrays", "the weights of a model")
    normalised = {array.layer for array in found.values() if array.kind == "mean"}
    for name, array in found.items():
        if array.layer in normalised and array.kind in OF_NORMALISATIONS:
            found[name] = replace(array, kind=OF_NORMALISATIONS[array.kind])
    return Weights(path, found, by_position, ordered)


def stored(
    name: str, separator: str, shape: tuple[int, ...], dtype: str, load: Callable[[], np.ndarray], convention: Convention
) -> StoredArray:
    """Describe an array whose name has its layers in it, and then its kind."""
    *layer, last = name.split(separator)
    if convention is PYTORCH and last != "weight":
        convention = PYTORCH_OWN
    return StoredArray(name, shape, dtype, load, convention, tuple(layer), KINDS.get(last, last))
