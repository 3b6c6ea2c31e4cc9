"""JAX computes in the dtypes that the graph has, and sizes that are known stay known where it traces."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.link.utils import fgraph_to_python
from pytensor.scalar.basic import Composite, RoundHalfAwayFromZero
from pytensor.tensor.elemwise import CAReduce, Elemwise

from symae.ops.elementary import products, rounded_away_from_zero
from symae.ops.operand_dtypes import widened
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(dispatch: Any, changes: Changes) -> None:
    import jax

    @changes.convert(dispatch.jax_typify, np.ndarray)
    def typify(data: np.ndarray, dtype: Any = None, **_: Any) -> Any:
        # PyTensor makes Python's numbers of scalars, of which JAX takes no dtype: float32 * float64 was float32.
        return data[()] if data.ndim == 0 else jax.numpy.array(data, dtype=dtype)

    changes.compute_by(dispatch.jax_funcify, {RoundHalfAwayFromZero: functools.partial(rounded_away_from_zero, jax.numpy)})

    def of_dtype(x: Any, dtype: str | None) -> Any:
        # JAX has its own mind about some dtypes: int32 / int32 is float32.
        return x if dtype is None or getattr(x, "dtype", None) == dtype else jax.numpy.asarray(x, dtype)

    changes.adapt(dispatch.jax_funcify, products(jax.numpy, of_dtype))

    def in_its_dtypes(compute: Callable[..., Any], op: Any, node: Any) -> Callable[..., Any]:
        """Wrap `compute`, JAX's function of numbers `op`, so that operands and results have the dtypes of `node`."""
        dtypes = [v.type.dtype for v in node.outputs]
        wider = widened(op, [v.type.dtype for v in node.inputs], dtypes)

        def computed(*inputs: Any) -> Any:
            outputs = compute(*map(of_dtype, inputs, wider))
            return of_dtype(outputs, dtypes[0]) if len(dtypes) == 1 else tuple(map(of_dtype, outputs, dtypes))

        return computed

    @changes.convert(dispatch.jax_funcify, Composite)
    def composite(op: Composite, node: Any, **_: Any) -> Callable[..., Any]:
        def convert(op: Any, node: Any, **keywords: Any) -> Callable[..., Any]:
            return in_its_dtypes(dispatch.jax_funcify(op, node=node, **keywords), op, node)

        compute = fgraph_to_python(op.fgraph, convert, type_conversion_fn=dispatch.jax_typify, fgraph_name="composite")
        return jax.numpy.vectorize(lambda *inputs: compute(*inputs)[0] if len(node.outputs) == 1 else compute(*inputs))

    pytensors_elemwise = dispatch.jax_funcify.dispatch(Elemwise)

    @changes.convert(dispatch.jax_funcify, Elemwise)
    def elemwise(op: Elemwise, node: Any, **keywords: Any) -> Callable[..., Any]:
        elemwise = in_its_dtypes(pytensors_elemwise(op, node=node, **keywords), op.scalar_op, node)
        dtypes = [v.type.dtype for v in node.outputs]
        if len(dtypes) > 1 or node.outputs[0].type.ndim or not dtypes[0].startswith(("int", "uint", "bool")):
            return elemwise
        given = [v.type.dtype for v in node.inputs]

        def size(*inputs: Any) -> Any:
            # Whatever jax.numpy computes in a function that is traced is unknown, even from numbers that are known, and JAX
            # takes no unknown numbers for sizes.
            if any(isinstance(x, jax.core.Tracer) for x in inputs):
                return elemwise(*inputs)
            numbers = (np.asarray(x, dtype)[()] for x, dtype in zip(inputs, given, strict=True))
            return np.asarray(op.scalar_op.impl(*numbers), dtypes[0])[()]

        return size

    pytensors_reduction = dispatch.jax_funcify.dispatch(CAReduce)

    @changes.convert(dispatch.jax_funcify, CAReduce)
    def reduction(op: CAReduce, node: Any, **keywords: Any) -> Callable[..., Any]:
        # PyTensor leaves a sum of float32 in the float64 that it is to be added up in, and all that follows with it.
        same = copy.copy(op)
        given, made = node.inputs[0].type.dtype, node.outputs[0].type.dtype
        same.acc_dtype = made
        reduce: Callable[..., Any] = pytensors_reduction(same, node=node, **keywords)
        (wider,) = widened(op.scalar_op, [given], [made])
        return reduce if wider is None else lambda x: reduce(of_dtype(x, wider))


PATCH = Patch(
    module="pytensor.link.jax.dispatch",
    replaces="PyTensor's JAX conversions of arrays of no axes, Composite, Elemwise and CAReduce",
    why="int32 / int32 is float32, a sum of float32 comes back as float64, and sizes computed from shapes are unknown to JAX",
    upstream="not proposed: JAX dispatch should cast operands and results of each scalar op to the dtypes of its node, "
    "accumulate CAReduce in acc_dtype and cast back, and typify 0-d arrays as NumPy scalars rather than by .item(), "
    "which loses the dtype.",
    delete_when="tests/patches/test_conversions.py passes with SYMAE_PATCHES=-jax_dispatch",
    apply=apply,
    expects=(
        Expected("pytensor.link.jax.dispatch.basic", "jax_typify"),
        Expected("pytensor.link.utils", "fgraph_to_python"),
        Expected(
            "pytensor.tensor.elemwise:CAReduce",
            "__init__",
            ("self", "scalar_op", "axis", "dtype", "acc_dtype", "upcast_discrete_output"),
        ),
    ),
)
