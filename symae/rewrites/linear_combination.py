"""What several rewrites ask: which products of numbers and arrays is this array the sum of?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.scalar.basic import Add, Mul, Neg, Sub, TrueDiv
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.variable import TensorConstant


@dataclass(frozen=True)
class Term:
    """Represent the product of `arrays`, elementwise, times `factors`, over `divisors`, all of them 0-d; with a sign."""

    arrays: tuple[Variable, ...]
    factors: tuple[Variable, ...] = ()
    divisors: tuple[Variable, ...] = ()
    negative: bool = False

    @property
    def coefficient(self) -> tuple[Any, ...]:
        """A key of the term's numbers: equal for terms whose numbers are the same."""
        known = -1.0 if self.negative else 1.0
        unknown = []
        for v in self.factors:
            if isinstance(v, TensorConstant):
                known *= float(v.data)
            else:
                unknown.append(v)
        divisors = tuple(float(v.data) if isinstance(v, TensorConstant) else v for v in self.divisors)
        return known, tuple(unknown), divisors

    def number(self) -> Variable:
        """Return what the arrays are multiplied by, in their dtype, as a constant if the numbers are known."""
        dtype = self.arrays[0].type.dtype
        known = np.dtype(dtype).type(-1 if self.negative else 1)
        unknown: Variable | None = None
        for v in self.factors:
            if isinstance(v, TensorConstant):
                known *= v.data.astype(dtype)
            else:
                unknown = pt.cast(v, dtype) if unknown is None else unknown * pt.cast(v, dtype)
        for v in self.divisors:
            if isinstance(v, TensorConstant):
                known /= v.data.astype(dtype)
        number = pt.constant(known) if unknown is None else unknown if known == 1 else unknown * pt.constant(known)
        for v in self.divisors:
            if not isinstance(v, TensorConstant):
                number = number / pt.cast(v, dtype)
        return number

    def product(self) -> Variable:
        """Return the term as a variable."""
        number = self.number()
        arrays = pt.mul(*self.arrays) if len(self.arrays) > 1 else self.arrays[0]
        known = number.data.item() if isinstance(number, TensorConstant) else None
        return arrays if known == 1 else -arrays if known == -1 else arrays * number


def scalar(v: Variable) -> Variable | None:
    """Return the 0-d variable that `v` repeats, or None if it is larger."""
    if not all(v.type.broadcastable):
        return None
    if isinstance(v, TensorConstant):
        return pt.constant(v.data.reshape(()), dtype=v.type.dtype)
    if v.owner is not None and isinstance(v.owner.op, DimShuffle) and v.owner.inputs[0].type.ndim == 0:
        return v.owner.inputs[0]
    return v if v.type.ndim == 0 else None


def terms(fgraph: FunctionGraph, v: Variable, *, top: bool = True) -> Iterator[Term]:
    """Yield the terms whose sum `v` is; what is computed for other nodes as well is not taken apart."""
    node = v.owner
    operation = node.op.scalar_op if node is not None and isinstance(node.op, Elemwise) else None
    inputs = node.inputs if operation is not None else []
    mixed = any(i.type.dtype != v.type.dtype and scalar(i) is None for i in inputs)
    if operation is None or mixed or (not top and len(fgraph.clients[v]) > 1):
        yield Term((v,))
    elif isinstance(operation, Add | Sub | Neg):
        for number, part in enumerate(inputs):
            negative = isinstance(operation, Neg) or (isinstance(operation, Sub) and number == 1)
            for term in terms(fgraph, part, top=False):
                yield replace(term, negative=term.negative != negative)
    elif isinstance(operation, TrueDiv) and (divisor := scalar(inputs[1])) is not None:
        for term in terms(fgraph, inputs[0], top=False):
            yield replace(term, divisors=(*term.divisors, divisor))
    elif isinstance(operation, Mul):
        arrays = tuple(i for i in inputs if scalar(i) is None)
        factors = tuple(s for s in map(scalar, inputs) if s is not None)
        if len(arrays) == 1:
            for term in terms(fgraph, arrays[0], top=False):
                yield replace(term, factors=(*factors, *term.factors))
        else:
            yield Term(arrays or (v,), factors if arrays else ())
    else:
        yield Term((v,))
