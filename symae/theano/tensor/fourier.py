"""``theano.tensor.fourier``: the discrete Fourier transform along one axis, of which there is no gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano

__all__ = ["Fourier", "fft"]


class Fourier(Op):
    """Transform `a` along `axis`, the last by default, of which `n` numbers count: cut off, or followed by zeros."""

    __props__ = ()

    def make_node(self, a: Any, n: Any, axis: Any) -> Apply:
        a = pt.as_tensor(a)
        if not a.type.ndim:
            raise TypeError("Fourier: a: found a scalar, expected at least one axis")
        axis = _scalar("axis", a.type.ndim - 1 if axis is None else axis)
        if isinstance(axis, pt.TensorConstant) and not 0 <= axis.data < a.type.ndim:
            raise TypeError(f"Fourier: axis: found {axis.data}, expected 0 to {a.type.ndim - 1}")
        n = _scalar("n", a.shape[axis] if n is None else n)
        if isinstance(n, pt.TensorConstant) and n.data < 1:
            raise TypeError(f"Fourier: n: found {n.data}, expected at least 1")
        return Apply(self, [a, n, axis], [pt.tensor(dtype="complex128", shape=(None,) * a.type.ndim)])

    def perform(self, node: Apply, inputs: Sequence[Any], output_storage: Any) -> None:
        a, n, axis = inputs
        output_storage[0][0] = np.fft.fft(a, int(n), int(axis)).astype("complex128")


def _scalar(name: str, value: Any) -> Variable:
    number = pt.as_tensor(value)
    if number.type.ndim or number.type.dtype not in pt.type.integer_dtypes:
        raise TypeError(f"Fourier: {name}: found {number.type}, expected an integer")
    return number


@as_theano
def fft(a: Any, n: Any = None, axis: Any = None) -> Variable:
    """Return the transform of `a` along `axis`, as NumPy's ``fft.fft`` has it; `n` and `axis` may be symbolic."""
    transformed: Variable = Fourier()(a, n, axis)
    return transformed


__getattr__ = getter(__name__)
