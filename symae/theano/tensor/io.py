"""``theano.tensor.io``: files that are read inside a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.op import Op
from pytensor.link.c.type import generic

from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.tensor.type import TensorType

__all__ = ["LoadFromDisk", "load"]


class LoadFromDisk(Op):
    """Read an array from a .npy file, at each call; with `mmap_mode` "c" only what is needed of it."""

    __props__ = ("dtype", "broadcastable", "mmap_mode")

    def __init__(self, dtype: Any, broadcastable: Iterable[bool], mmap_mode: Any = None):
        if mmap_mode not in (None, "c"):
            raise ValueError(f"load: mmap_mode is {mmap_mode!r}, expected None or 'c', copy on write")
        self.dtype, self.broadcastable, self.mmap_mode = np.dtype(dtype).name, tuple(broadcastable), mmap_mode

    def make_node(self, path: Any) -> Apply:
        path = path if isinstance(path, Variable) else Constant(generic, path)
        return Apply(self, [path], [TensorType(self.dtype, self.broadcastable).plain()()])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        path = Path(inputs[0])
        if path.suffix == ".npz":
            raise InputError(path, "several arrays, .npz", "one in a .npy file")
        array = np.load(path, mmap_mode=self.mmap_mode, allow_pickle=False)
        if array.dtype != self.dtype:
            raise TypeError(f"{path}: found an array of {array.dtype}, expected {self.dtype}")
        output_storage[0][0] = array


@as_theano
def load(path: Any, dtype: Any, broadcastable: Iterable[bool], mmap_mode: str | None = None) -> Variable:
    """Return the array in the .npy file whose name the generic variable `path` is, of that dtype and pattern."""
    return LoadFromDisk(dtype, broadcastable, mmap_mode)(path)


__getattr__ = getter(
    __name__, instead=dict.fromkeys(("send", "recv", "isend", "irecv"), "use mpi4py: no graph sends or receives")
)
