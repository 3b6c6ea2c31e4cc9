"""The cross-entropy of a sigmoid, and its gradient, of one exponential.

Before, with s the sigmoid::

    -x * softplus(-a) - (1 - x) * softplus(a)       k * (1 - x) * s(a) - k * x * (1 - s(a))

After::

    -sigmoid_cross_entropy(a, x)                    k * (s(a) - x)

On the left is what PyTensor makes of x log(z) + (1 - x) log(1 - z) and of its derivative where z is a sigmoid, as all the
tutorials write it. Both sides on the right are computed in one pass over the logits a, and are finite and exact to the last
digits for logits of any size.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytensor.tensor as pt
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.scalar.basic import Add, Neg, Sub
from pytensor.scalar.math import Sigmoid, Softplus
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorConstant

from symae.ops.elementwise import sigmoid_cross_entropy as entropy
from symae.rewrites.linear_combination import Term, terms
from symae.rewrites.registry import FUNCTIONS_OF_NUMBERS, register


# after theano_saturation, whose sigmoids are none of these, and before what gives sigmoids other names
@register(position=48.4, need=FUNCTIONS_OF_NUMBERS)
@node_rewriter([Elemwise])
def sigmoid_cross_entropy(fgraph: FunctionGraph, node: Apply) -> list[Variable] | None:
    """Replace a sum in which two terms are as above, beside others perhaps."""
    result = node.outputs[0]
    if not isinstance(node.op.scalar_op, Add | Sub) or result.type.dtype not in ("float32", "float64"):
        return None
    parts = list(terms(fgraph, result))
    for one, other in combinations(parts, 2):
        replacement = _cost(one, other)
        if replacement is None:
            replacement = _gradient(one, other)
        if replacement is not None and replacement.type.dtype == result.type.dtype:
            rest = [t.product() for t in parts if t is not one and t is not other]
            total = pt.add(replacement, *rest) if rest else replacement
            return [total] if total.type.broadcastable == result.type.broadcastable else None
    return None


def _cost(one: Term, other: Term) -> Variable | None:
    """Return number * cross-entropy, of number * x * softplus(-a) and number * (1 - x) * softplus(a) in any order."""
    if one.coefficient != other.coefficient:
        return None
    for with_x, with_rest in ((one, other), (other, one)):
        pair, rest_pair = _factors(with_x, Softplus), _factors(with_rest, Softplus)
        if pair is None or rest_pair is None:
            continue
        (x, minus_a), (rest, a) = pair, rest_pair
        if _is_negative(minus_a, a) and _is_rest(rest, x) and x.type.dtype == a.type.dtype:
            cost: Variable = Elemwise(entropy)(a, x)
            return replace(one, arrays=(cost,)).product()
    return None


def _gradient(one: Term, other: Term) -> Variable | None:
    """Return number * (s(a) - x), of number * (1 - x) * s(a) and -number * x * (1 - s(a)) in any order."""
    for of_rest, of_x in ((one, other), (other, one)):
        pair = _factors(of_rest, Sigmoid)
        if pair is None or len(of_x.arrays) != 2:
            continue
        rest, a = pair
        s = next(v for v in of_rest.arrays if v is not rest)
        for x, rest_of_s in (of_x.arrays, of_x.arrays[::-1]):
            known, unknown, divisors = of_x.coefficient
            if of_rest.coefficient == (-known, unknown, divisors) and _is_rest(rest, x) and _is_rest_of(rest_of_s, s, a):
                return replace(of_rest, arrays=(s - x,)).product()
    return None


def _factors(term: Term, function: type) -> tuple[Variable, Variable] | None:
    """Return (v, a) of a term v * function(a)."""
    for v, f in (term.arrays, term.arrays[::-1]) if len(term.arrays) == 2 else ():
        if _is(f, function):
            return v, f.owner.inputs[0]
    return None


def _is(v: Variable, function: type | tuple[type, ...]) -> bool:
    return v.owner is not None and isinstance(v.owner.op, Elemwise) and isinstance(v.owner.op.scalar_op, function)


def _is_negative(v: Variable, a: Variable) -> bool:
    return (_is(v, Neg) and v.owner.inputs[0] is a) or (_is(a, Neg) and a.owner.inputs[0] is v)


def _is_rest(v: Variable, x: Variable) -> bool:
    """Return True if v = 1 - x, or x = 1 - v."""
    return _is_one_minus(v, x) or _is_one_minus(x, v)


def _is_one_minus(v: Variable, x: Variable) -> bool:
    if not _is(v, Sub):
        return False
    one, subtracted = v.owner.inputs
    return subtracted is x and isinstance(one, TensorConstant) and bool((one.data == 1).all())


def _is_rest_of(v: Variable, s: Variable, a: Variable) -> bool:
    """Return True if v = 1 - s, where s = s(a); it may be written s(-a)."""
    return _is_one_minus(v, s) or (_is(v, Sigmoid) and _is_negative(v.owner.inputs[0], a))
