"""Conversions that PyTensor's backends lack or have wrong, connected when PyTensor loads the backend.

Ops of symae bring their kernels themselves (`symae.ops.base`); here are PyTensor's own ops.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.graph.basic import Constant
from pytensor.link.utils import fgraph_to_python
from pytensor.raise_op import Assert, CheckAndRaise
from pytensor.scalar import basic as scalar
from pytensor.scalar.basic import EQ, Add, Cast, Composite, Mul, Reciprocal
from pytensor.tensor.blas import BatchedDot
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Argmax, Dot
from pytensor.tensor.shape import Shape, Shape_i, SpecifyShape
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.type import TensorType
from pytensor.tensor.type_other import NoneTypeT

try:
    from pytensor.conditional.op import IfElse
except ImportError:  # PyTensor 3.0
    from pytensor.ifelse import IfElse

from symae._runtime.import_hooks import after_import
from symae.ops.base import kernels_fingerprint
from symae.ops.operand_dtypes import widened
from symae.ops.runtime_errors import refuse_unless, uncollected

__all__: list[str] = []


def _mend_numba(_: Any) -> None:
    from numba.extending import overload
    from numba.np import arrayobj

    def different_shapes(src_shapes: Any, index_shape: Any) -> None:
        raise NotImplementedError

    @overload(different_shapes)
    def refuse_shapes(src_shapes: Any, index_shape: Any) -> Any:
        # Numba's own writes the shapes into a text, whose whole arithmetic of strings is then part of every program with an
        # assignment to a slice: a tenth of what there is to compile.
        def refuse_shapes(src_shapes: Any, index_shape: Any) -> Any:
            raise ValueError("cannot assign to a slice of the first shape an array of the second", index_shape, src_shapes)

        return refuse_shapes

    arrayobj.raise_with_shape_context = different_shapes


# Functions of numbers that are an instruction or two; all others are taken to be worth several of them.
CHEAP = (
    *(scalar.Abs, scalar.Add, scalar.BinaryBitOp, scalar.Cast, scalar.Clip, scalar.Identity, scalar.LogicalComparison),
    *(scalar.Mul, scalar.Neg, scalar.Reciprocal, scalar.ScalarMaximum, scalar.ScalarMinimum, scalar.Second, scalar.Sign),
    *(scalar.Sqr, scalar.Sqrt, scalar.Sub, scalar.Switch, scalar.TrueDiv, scalar.UnaryBitOp),
)


def _inline(function: Any) -> Any:
    """The body of a loop has to be inlined, however long it is: otherwise LLVM makes no vectors of it."""
    function.targetoptions["forceinline"] = True
    return function


def _mend_numba_loops(dispatch: Any) -> None:
    from pytensor.link.numba.dispatch import elemwise, vectorize_codegen

    from symae.patches.numba_threaded_elemwise import describe, description, shared

    pytensors_composite = dispatch.basic.numba_funcify_and_cache_key.dispatch(Composite)

    @dispatch.basic.register_funcify_and_cache_key(Composite)
    def composite(op: Composite, **keywords: Any) -> tuple[Any, str | None]:
        function, key = pytensors_composite(op, **keywords)
        return _inline(function), key and f"inlined {key}"

    pytensors_reciprocal = dispatch.basic.numba_funcify_and_cache_key.dispatch(Reciprocal)

    @dispatch.basic.register_funcify_and_cache_key(Reciprocal)
    def reciprocal(op: Reciprocal, node: Any, **keywords: Any) -> tuple[Any, str | None]:
        if node.inputs[0].type.dtype.startswith(("float", "complex")):
            return pytensors_reciprocal(op, node=node, **keywords)
        real = getattr(np, node.outputs[0].type.dtype)

        @dispatch.basic.numba_njit
        def reciprocal(x: Any) -> Any:
            # PyTensor divides a float32 by x, of whose digits Numba computes eight.
            return np.divide(real(1), real(x))

        return reciprocal, f"reciprocal of {node.inputs[0].type.dtype} in {real.__name__}"

    funcify = elemwise.numba_funcify_and_cache_key
    elemwise.numba_funcify_and_cache_key = functools.partial(_described, funcify)
    pytensors_body = getattr(elemwise, "store_core_outputs", None)  # none in PyTensor 3.3
    if pytensors_body is not None:

        def body(core_op_fn: Any, *given: Any, **named: Any) -> Any:
            return describe(_inline(pytensors_body(core_op_fn, *given, **named)), description(core_op_fn))

        elemwise.store_core_outputs = body
    vectorize_codegen.make_loop_call = shared(vectorize_codegen.make_loop_call)
    for kind in (Elemwise, getattr(elemwise, "FusedElemwise", None)):  # the second is in PyTensor 3.3
        if kind is not None:
            _key_shared_loops(dispatch, kind)


def _described(funcify: Callable[..., Any], op: Any, *given: Any, **named: Any) -> tuple[Any, str | None]:
    """A function of numbers, by `funcify`, with what is to be known of it by the loops that call it."""
    from symae.patches.numba_threaded_elemwise import Core, describe

    function, key = funcify(op, *given, **named)
    parts = [node.op for node in op.fgraph.apply_nodes] if isinstance(op, Composite) else [op]
    # PyTensor has no key for what runs in Python.
    core = Core(compiled=key is not None, expensive=not all(isinstance(part, CHEAP) for part in parts))
    return describe(function, core), key


def _key_shared_loops(dispatch: Any, kind: type) -> None:
    """PyTensor's cached machine code, and that of loops that threads share, are different."""
    from symae.kernels.parallel.parts import THREADS

    pytensors_loops = dispatch.basic.numba_funcify_and_cache_key.dispatch(kind)

    @dispatch.basic.register_funcify_and_cache_key(kind)
    def loops(op: Any, **keywords: Any) -> tuple[Any, str | None]:
        function, key = pytensors_loops(op, **keywords)
        return function, key and f"shared by {THREADS} {kernels_fingerprint()} {key}"


def _mend_numba_products(dispatch: Any) -> None:
    from symae.kernels.gemm import with_one_blas_thread

    for kind in (Dot, BatchedDot):
        _keep_to_one_thread(dispatch, kind, with_one_blas_thread)


def _keep_to_one_thread(dispatch: Any, kind: type, with_one_blas_thread: Callable[..., Any]) -> None:
    """Products that are no ops of symae do not start BLAS's threads beside those of symae's, either."""
    pytensors_product = dispatch.basic.numba_funcify_default_op_cache_key.dispatch(kind)

    @dispatch.basic.register_funcify_default_op_cache_key(kind)
    def product(op: Any, **keywords: Any) -> Any:
        made = pytensors_product(op, **keywords)
        function, version = made if isinstance(made, tuple) else (made, None)
        return with_one_blas_thread(function, dispatch.basic.numba_njit), int(kernels_fingerprint(), 16) + (version or 0)


def _mend_numba_views(dispatch: Any) -> None:
    from symae.patches.numba_dimshuffle import rearranged

    pytensors_view = dispatch.basic.numba_funcify_default_op_cache_key.dispatch(DimShuffle)

    @dispatch.basic.register_funcify_default_op_cache_key(DimShuffle)
    def dimshuffle(op: DimShuffle, node: Any, **keywords: Any) -> Any:
        if op.input_ndim == 0 or not op._new_order:
            return pytensors_view(op, node=node, **keywords)
        view = rearranged(tuple(op._new_order), tuple(op.drop))

        @dispatch.basic.numba_njit
        def dimshuffle(x: Any) -> Any:
            return view(x)

        return dimshuffle, int(kernels_fingerprint(), 16)

    pytensors_subtensor = dispatch.basic.numba_funcify_and_cache_key.dispatch(Subtensor)

    @dispatch.basic.register_funcify_and_cache_key(Subtensor)
    def subtensor(op: Subtensor, node: Any, **keywords: Any) -> tuple[Callable[..., Any], str | None]:
        # PyTensor gives each slice a step, if only None, and Numba takes what has one for an array of unknown strides: loops
        # over a minibatch would then not be made vectors of.
        slices = [entry for entry in op.idx_list if isinstance(entry, slice)]
        if not slices or any(entry.step is not None for entry in slices):
            return pytensors_subtensor(op, node=node, **keywords)
        names = [f"i{n}" for n in range(len(node.inputs) - 1)]
        given = iter(zip(names, node.inputs[1:], strict=True))

        def number(entry: Any) -> str:
            if entry is None:
                return ""
            name, variable = next(given)
            return f"{name}.item()" if isinstance(variable.type, TensorType) else name

        index = [f"{number(e.start)}:{number(e.stop)}" if isinstance(e, slice) else number(e) for e in op.idx_list]
        source = f"def subtensor({', '.join(['x', *names])}):\n    return np.asarray(x[{', '.join(index)}])\n"
        function = dispatch.basic.compile_numba_function_src(source, "subtensor", {"np": np})
        return dispatch.basic.numba_njit(function, boundscheck=True), hashlib.sha256(source.encode()).hexdigest()


class SpecifiedShapeError(AssertionError, ValueError):
    """An array does not have the shape that the graph says: what `specify_shape` raises, and what arrays that do not fit raise.

    Of ``m + zeros(2)`` PyTensor's rewrites leave m, and that it has two columns.
    """


def _mend_numba_specified_shapes(dispatch: Any) -> None:
    @dispatch.basic.register_funcify_default_op_cache_key(SpecifyShape)
    def specify_shape(op: SpecifyShape, node: Any, **_: Any) -> Any:
        names = [f"shape_{i}" for i in range(len(node.inputs) - 1)]
        source = f"def specify_shape(x, {', '.join(names)}):\n"
        for i, size in enumerate(node.inputs[1:]):
            if isinstance(size.type, NoneTypeT):
                continue
            expected = int(size.data) if isinstance(size, Constant) else "the one expected"
            # A constant text: numbers of the call do not get into exceptions of machine code that is loaded from the disk.
            text = f"SpecifyShape: dim {i} of input has another size than {expected}."
            source += f"    if x.shape[{i}] != shape_{i}.item():\n        raise SpecifiedShapeError({text!r})\n"
        known = {"SpecifiedShapeError": SpecifiedShapeError}
        function = dispatch.basic.compile_numba_function_src(f"{source}    return x\n", "specify_shape", known)
        return dispatch.basic.numba_njit(function), int(hashlib.sha256(source.encode()).hexdigest()[:15], 16)


def _mend_numba_sparse_shapes(dispatch: Any) -> None:
    from pytensor.sparse.type import SparseTensorType

    # PyTensor's sparse matrices in Numba keep their shape in int32, and a size that is asked for is to be int64 there too.
    for kind in (Shape, Shape_i):
        pytensors_shape = dispatch.basic.numba_funcify_default_op_cache_key.dispatch(kind)

        @dispatch.basic.register_funcify_default_op_cache_key(kind)
        def sizes(op: Any, node: Any, pytensors_shape: Any = pytensors_shape, **keywords: Any) -> Any:
            size = pytensors_shape(op, node=node, **keywords)
            if not isinstance(node.inputs[0].type, SparseTensorType):
                return size

            @dispatch.basic.numba_njit
            def sizes(x: Any) -> Any:
                return size(x).astype(np.int64)

            return sizes, int(kernels_fingerprint(), 16)


def _mend_jax(dispatch: Any) -> None:
    import jax

    # What floatX is as PyTensor first imports JAX would decide whether JAX makes float32 and int32 of all 64-bit numbers, in
    # silence. Every variable of a graph has its dtype, so there is nothing that JAX would have to be kept from widening.
    jax.config.update("jax_enable_x64", True)

    @dispatch.jax_typify.register(np.ndarray)
    def typify(data: np.ndarray, dtype: Any = None, **_: Any) -> Any:
        # PyTensor makes Python's numbers of scalars, of which JAX takes no dtype: float32 * float64 was float32.
        return data[()] if data.ndim == 0 else jax.numpy.array(data, dtype=dtype)

    def of_dtype(x: Any, dtype: str | None) -> Any:
        # JAX has its own mind about some dtypes: int32 / int32 is float32.
        return x if dtype is None or getattr(x, "dtype", None) == dtype else jax.numpy.asarray(x, dtype)

    def in_its_dtypes(compute: Callable[..., Any], op: Any, node: Any) -> Callable[..., Any]:
        """`compute`, JAX's function of numbers `op`, with the operands and results of the dtypes that `node` has."""
        dtypes = [v.type.dtype for v in node.outputs]
        wider = widened(op, [v.type.dtype for v in node.inputs], dtypes)

        def computed(*inputs: Any) -> Any:
            outputs = compute(*map(of_dtype, inputs, wider))
            return of_dtype(outputs, dtypes[0]) if len(dtypes) == 1 else tuple(map(of_dtype, outputs, dtypes))

        return computed

    @dispatch.jax_funcify.register(Composite)
    def composite(op: Composite, node: Any, **_: Any) -> Callable[..., Any]:
        def convert(op: Any, node: Any, **keywords: Any) -> Callable[..., Any]:
            return in_its_dtypes(dispatch.jax_funcify(op, node=node, **keywords), op, node)

        compute = fgraph_to_python(op.fgraph, convert, type_conversion_fn=dispatch.jax_typify, fgraph_name="composite")
        return jax.numpy.vectorize(lambda *inputs: compute(*inputs)[0] if len(node.outputs) == 1 else compute(*inputs))

    pytensors_elemwise = dispatch.jax_funcify.dispatch(Elemwise)

    @dispatch.jax_funcify.register(Elemwise)
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

    pytensors_blockwise = dispatch.jax_funcify.dispatch(Blockwise)
    dispatch.jax_funcify.register(Blockwise, lambda op, **keywords: uncollected(pytensors_blockwise(op, **keywords)))

    pytensors_reduction = dispatch.jax_funcify.dispatch(CAReduce)

    @dispatch.jax_funcify.register(CAReduce)
    def reduction(op: CAReduce, node: Any, **keywords: Any) -> Callable[..., Any]:
        # PyTensor leaves a sum of float32 in the float64 that it is to be added up in, and all that follows with it.
        same = copy.copy(op)
        same.acc_dtype = node.outputs[0].type.dtype
        return pytensors_reduction(same, node=node, **keywords)


def _mend_pytorch(dispatch: Any) -> None:
    import torch

    # What torch.compile says of every symbolic slice and every read-only constant that PyTensor hands it: nobody can mend it.
    logging.getLogger("torch._dynamo").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")

    @dispatch.pytorch_funcify.register(EQ)
    def eq(op: EQ, **_: Any) -> Callable[..., Any]:
        return torch.eq  # PyTensor takes torch.equal, which compares whole tensors and gives one bool

    pytensors_elemwise = dispatch.pytorch_funcify.dispatch(Elemwise)

    @dispatch.pytorch_funcify.register(Elemwise)
    def elemwise(op: Elemwise, node: Any, **keywords: Any) -> Callable[..., Any]:
        compute = pytensors_elemwise(op, node=node, **keywords)
        made = [v.type.dtype for v in node.outputs]
        wider = widened(op.scalar_op, [v.type.dtype for v in node.inputs], made)

        def of_dtype(x: Any, dtype: str | None) -> Any:
            # PyTorch, too, has its own mind: int64 / int64 is float32.
            return x.to(getattr(torch, dtype)) if dtype is not None and isinstance(x, torch.Tensor) else x

        def elemwise(*inputs: Any) -> Any:
            outputs = compute(*map(of_dtype, inputs, wider))
            return tuple(map(of_dtype, outputs, made)) if isinstance(outputs, tuple) else of_dtype(outputs, made[0])

        return elemwise

    pytensors_choice = dispatch.pytorch_funcify.dispatch(IfElse)

    @dispatch.pytorch_funcify.register(IfElse)
    def choice(op: IfElse, **keywords: Any) -> Callable[..., Any]:
        chosen = pytensors_choice(op, **keywords)
        # PyTensor leaves one output in a tuple, and then has no tensor
        return chosen if op.n_outs > 1 else lambda condition, *branches: chosen(condition, *branches)[0]

    @dispatch.pytorch_funcify.register(Argmax)
    def argmax(op: Argmax, node: Any, **_: Any) -> Callable[..., Any]:
        ndim = node.inputs[0].type.ndim
        axes = tuple(range(ndim)) if op.axis is None else op.axis
        kept = tuple(axis for axis in range(ndim) if axis not in axes)

        def flat_argmax(x: torch.Tensor) -> torch.Tensor:
            # one axis made of all the reduced ones; the first maximum counts, as in NumPy
            flat = x.permute(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)
            return torch.argmax(flat, dim=-1)

        return flat_argmax


def _mend_mlx(dispatch: Any) -> None:
    import mlx.core as mx

    @dispatch.mlx_typify.register(np.ndarray)
    def typify(data: np.ndarray, dtype: Any = None, **_: Any) -> Any:
        # MLX takes no negative strides
        return mx.array(data.copy() if any(stride < 0 for stride in data.strides) else data, dtype=dtype)

    # Of three and more arguments PyTensor makes a stack, for which they have to be of one shape.
    @dispatch.mlx_funcify.register(Add)
    def add(op: Add, **_: Any) -> Callable[..., Any]:
        return lambda *terms: functools.reduce(mx.add, terms)

    @dispatch.mlx_funcify.register(Mul)
    def mul(op: Mul, **_: Any) -> Callable[..., Any]:
        return lambda *factors: functools.reduce(mx.multiply, factors)

    pytensors_cast = dispatch.mlx_funcify.dispatch(Cast)

    @dispatch.mlx_funcify.register(Cast)
    def cast(op: Cast, **keywords: Any) -> Callable[..., Any]:
        convert = pytensors_cast(op, **keywords)
        integer = getattr(op, "scalar_op", op).o_type.dtype.startswith(("int", "uint"))

        def cast(x: Any) -> Any:
            # A size is an int, which PyTensor cannot cast; one that stays an integer has to stay known where MLX traces.
            if isinstance(x, int) and integer:
                return x
            return convert(x if isinstance(x, mx.array) else mx.array(x))

        return cast

    @dispatch.mlx_funcify.register(Assert)
    @dispatch.mlx_funcify.register(CheckAndRaise)
    def check_and_raise(op: CheckAndRaise, **_: Any) -> Callable[..., Any]:
        def check(x: Any, *conditions: Any) -> Any:
            # PyTensor skips it, with a warning
            for condition in conditions:
                refuse_unless(mx.all(mx.array(condition)), lambda: op.exc_type(op.msg))
            return x

        return check


after_import("pytensor.link.numba.dispatch.basic", _mend_numba)
after_import("pytensor.link.numba.dispatch", _mend_numba_loops)
after_import("pytensor.link.numba.dispatch", _mend_numba_views)
after_import("pytensor.link.numba.dispatch", _mend_numba_sparse_shapes)
after_import("pytensor.link.numba.dispatch", _mend_numba_specified_shapes)
after_import("pytensor.link.numba.dispatch", _mend_numba_products)
after_import("pytensor.link.jax.dispatch", _mend_jax)
after_import("pytensor.link.pytorch.dispatch", _mend_pytorch)
after_import("pytensor.link.mlx.dispatch", _mend_mlx)
