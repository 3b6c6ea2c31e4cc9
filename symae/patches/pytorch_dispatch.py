"""PyTorch has the elementary functions, and compares, divides, chooses and finds maxima as the graph says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytensor.scalar import basic
from pytensor.scalar.basic import EQ
from pytensor.scalar.loop import ScalarLoop
from pytensor.scalar.math import Gamma, Log1mexp, Sigmoid
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Argmax, Prod, Sum

from symae.ops.arguments import FIRST_SIZE, with_known_numbers
from symae.ops.elementary import products, rounded_away_from_zero, sign
from symae.ops.elementwise import SigmoidCrossEntropy
from symae.ops.operand_dtypes import widened
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch

try:
    from pytensor.conditional.op import IfElse
except ImportError:  # PyTensor 3.0
    from pytensor.ifelse import IfElse


# functions that make floats of a dtype of floats of that dtype
OF_FLOATS = (
    basic.Add,
    basic.Mul,
    basic.Sub,
    basic.TrueDiv,
    basic.Neg,
    basic.Exp,
    basic.Tanh,
    basic.Sqr,
    Sigmoid,
    SigmoidCrossEntropy,
)
ONE_FLOAT = ({"float32"}, {"float64"})


def apply(dispatch: Any, changes: Changes) -> None:
    import torch

    @changes.convert(dispatch.pytorch_funcify, EQ)
    def eq(op: EQ, **_: Any) -> Callable[..., Any]:
        return torch.eq  # PyTensor takes torch.equal, which compares whole tensors and gives one bool

    functions = {
        basic.Pow: torch.pow,
        basic.Mod: _mod,
        basic.RoundHalfToEven: torch.round,
        basic.RoundHalfAwayFromZero: functools.partial(rounded_away_from_zero, torch),
        basic.Sign: functools.partial(sign, torch),
        basic.Switch: lambda condition, x, y: torch.where(condition.to(torch.bool), x, y),  # which can be a number
        Log1mexp: lambda x: torch.log(-torch.expm1(x)),
        Gamma: _gamma,
    }
    changes.compute_by(dispatch.pytorch_funcify, functions)

    def as_dtype(x: Any, dtype: torch.dtype | None) -> Any:
        # PyTorch, too, has its own mind: int64 / int64 is float32.
        return x if dtype is None or not isinstance(x, torch.Tensor) or x.dtype is dtype else x.to(dtype)

    def of_dtype(x: Any, dtype: str | None) -> Any:
        return as_dtype(x, None if dtype is None else getattr(torch, dtype))

    def reduced(stock: Callable[..., Any], op: Any, node: Any, **keywords: Any) -> Callable[..., Any]:
        reduce = stock(op, node=node, **keywords)
        given, made = node.inputs[0].type.dtype, node.outputs[0].type.dtype
        if made == given and made.startswith("float"):
            return reduce
        (wider,) = widened(op.scalar_op, [given], [made])
        if wider is not None:
            return lambda x: reduce(of_dtype(x, wider))
        return lambda x: of_dtype(reduce(x), made)  # of whole numbers without a sign it makes int64

    # of more than two PyTensor makes a stack, all of them repeated to the shape of the result, and reduces it
    def one_by_one(function: Callable[..., Any], stock: Any, op: Any, node: Any, **_: Any) -> Callable[..., Any]:
        return function if len(node.inputs) == 2 else lambda *inputs: functools.reduce(function, inputs)

    sums = {kind: functools.partial(one_by_one, f) for kind, f in ((basic.Add, torch.add), (basic.Mul, torch.mul))}
    changes.adapt(dispatch.pytorch_funcify, products(torch, of_dtype) | sums | {Sum: reduced, Prod: reduced})

    # the whole graph is one program only where sizes are numbers
    def with_sizes(first: int, stock: Callable[..., Any], op: Any, node: Any, **keywords: Any) -> Callable[..., Any]:
        return with_known_numbers(stock(op, node=node, **keywords), node.inputs, first)

    changes.adapt(dispatch.pytorch_funcify, {kind: functools.partial(with_sizes, first) for kind, first in FIRST_SIZE.items()})

    pytensors_elemwise = dispatch.pytorch_funcify.dispatch(Elemwise)

    @changes.convert(dispatch.pytorch_funcify, Elemwise)
    def elemwise(op: Elemwise, node: Any, **keywords: Any) -> Callable[..., Any]:
        if isinstance(op.scalar_op, ScalarLoop):
            compute = pytensors_elemwise(op, node=node, **keywords)
        else:
            # all of them broadcast by themselves; PyTensor has torch.vmap call some for each number
            compute = dispatch.pytorch_funcify(op.scalar_op, node=node, **keywords)
        checked = _may_repeat(node)
        made = [v.type.dtype for v in node.outputs]
        wider = widened(op.scalar_op, [v.type.dtype for v in node.inputs], made)
        if isinstance(op.scalar_op, basic.Sub):  # torch.sub takes none that say yes or no
            wider = [made[0] if v.type.dtype == "bool" else t for v, t in zip(node.inputs, wider, strict=True)]
        operands, results = ([None if t is None else getattr(torch, t) for t in dtypes] for dtypes in (wider, made))

        def elemwise(*inputs: Any) -> Any:
            if checked:
                Elemwise._check_runtime_broadcast(node, inputs)
            outputs = compute(*map(as_dtype, inputs, operands))
            return tuple(map(as_dtype, outputs, results)) if isinstance(outputs, tuple) else as_dtype(outputs, results[0])

        if not isinstance(op.scalar_op, OF_FLOATS) or {*(v.type.dtype for v in node.inputs), *made} not in ONE_FLOAT:
            return elemwise
        if not checked:
            return compute

        def of_floats(first: Any, *others: Any) -> Any:
            # a call has microseconds only, which looking at each axis takes
            shape = first.shape
            for x in others:
                if x.shape != shape:
                    Elemwise._check_runtime_broadcast(node, (first, *others))
            return compute(first, *others)

        return of_floats

    pytensors_choice = dispatch.pytorch_funcify.dispatch(IfElse)

    @changes.convert(dispatch.pytorch_funcify, IfElse)
    def choice(op: IfElse, **keywords: Any) -> Callable[..., Any]:
        chosen = pytensors_choice(op, **keywords)
        # PyTensor leaves one output in a tuple, and then has no tensor
        return chosen if op.n_outs > 1 else lambda condition, *branches: chosen(condition, *branches)[0]

    pytensors_dimshuffle = dispatch.pytorch_funcify.dispatch(DimShuffle)

    @changes.convert(dispatch.pytorch_funcify, DimShuffle)
    def dimshuffle(op: DimShuffle, **keywords: Any) -> Callable[..., Any]:
        if op.drop:
            return pytensors_dimshuffle(op, **keywords)
        order, added = tuple(op.shuffle), tuple(op.augment)
        permuted = order != tuple(range(len(order)))

        def dimshuffle(x: Any) -> Any:  # without looking at shapes
            x = x.permute(order) if permuted else x
            for axis in added:
                x = x.unsqueeze(axis)
            return x

        return dimshuffle

    @changes.convert(dispatch.pytorch_funcify, Argmax)
    def argmax(op: Argmax, node: Any, **_: Any) -> Callable[..., Any]:
        ndim = node.inputs[0].type.ndim
        axes = tuple(range(ndim)) if op.axis is None else op.axis
        kept = tuple(axis for axis in range(ndim) if axis not in axes)

        def flat_argmax(x: torch.Tensor) -> torch.Tensor:
            # one axis made of all the reduced ones; the first maximum counts, as in NumPy
            flat = x.permute(*kept, *axes).reshape(*(x.shape[axis] for axis in kept), -1)
            return torch.argmax(flat, dim=-1)

        return flat_argmax


def _may_repeat(node: Any) -> bool:
    """Return True if two operands may have other sizes along an axis than the graph says: of one entry, for example."""
    axes = zip(*(v.type.shape for v in node.inputs), strict=True)
    return any(None in sizes and sum(size != 1 for size in sizes) > 1 for sizes in axes)


def _gamma(x: Any) -> Any:
    import torch

    below = torch.floor(x)
    negative = (x < 0) & (torch.remainder(below, 2) == 1)  # between -1 and 0, -3 and -2, ...
    size = torch.where((x < 0) & (below == x), torch.nan, torch.exp(torch.lgamma(x)))
    return torch.where(negative | torch.signbit(x) & (x == 0), -size, size)


def _mod(x: Any, y: Any) -> Any:
    import torch

    rest = torch.fmod(x, y)  # torch.remainder of a number and infinity is NaN where PyTorch compiles it
    return torch.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)


PATCH = Patch(
    module="pytensor.link.pytorch.dispatch",
    replaces="PyTensor's PyTorch conversions of EQ, Elemwise, DimShuffle, IfElse, Argmax, and of sums, products, powers, "
    "remainders, rounding, sign, gamma",
    why="eq compares whole tensors, int64 / int64 is float32, ifelse gives a tuple for a tensor, argmax fails; x ** y, x % y "
    "and rounding have other names in PyTorch than in NumPy, the sign of NaN is 0, switch takes no numbers for conditions, and "
    "sums of more than two are made of a stack",
    upstream="not proposed: map EQ to torch.eq instead of torch.equal; cast operands of Elemwise to the dtypes that NumPy "
    "computes in, and conditions to bool; map power to torch.pow, mod to torch.fmod of the sign of y, around to torch.round; "
    "unpack the single output of IfElse; reduce Argmax over several axes at once, flattened.",
    delete_when="tests/patches/test_conversions.py passes with SYMAE_PATCHES=-pytorch_dispatch",
    apply=apply,
    expects=(Expected("pytensor.link.pytorch.dispatch.basic", "pytorch_funcify"),),
)
