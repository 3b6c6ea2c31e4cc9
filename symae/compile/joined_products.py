"""Products that are added up become one product, in what JAX traces, so that devices add up one array for them and not two.

The gradient of weights that are used twice is the sum of two products, each of which sums over the minibatch. Of a minibatch
that is divided among devices XLA adds up both among them, and then adds the results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from typing import Any


def with_joined_products(function: Callable[..., Any], lengths: Container[int]) -> Callable[..., Any]:
    """Return `function` of arrays, in which A'B + C'D is one product, of [A, C] and [B, D].

    That is so where both sum as many terms as one of `lengths` says, those of a minibatch.
    """

    def call(*arrays: Any) -> Any:
        import jax
        from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

        closed, shapes = jax.make_jaxpr(function, return_shape=True)(*arrays)
        joined = ClosedJaxpr(_joined(closed.jaxpr, lengths), closed.consts)
        return jax.tree.unflatten(jax.tree.structure(shapes), jaxpr_as_fun(joined)(*jax.tree.leaves(arrays)))

    return call


def _joined(jaxpr: Any, lengths: Container[int]) -> Any:
    """Return a program that does what `jaxpr` does, with the products joined."""
    from jax.extend.core import Literal

    used = Counter(v for v in (*(v for e in jaxpr.eqns for v in e.invars), *jaxpr.outvars) if not isinstance(v, Literal))
    products: dict[Any, tuple[Any, list[Any]]] = {}  # and the variables between a product and that one
    pairs: dict[Any, list[Any]] = {}
    replaced: set[Any] = set()
    for equation in jaxpr.eqns:
        inputs = [v for v in equation.invars if not isinstance(v, Literal)]
        terms = [products[v] for v in inputs if used[v] == 1 and v in products]
        if _sums_rows(equation, lengths):
            products[equation.outvars[0]] = equation, [equation.outvars[0]]
        elif equation.primitive.name not in ("add", "add_any") or len(terms) != len(inputs):
            continue
        elif len(terms) == 1 and _adds_nothing(equation):  # as a sum begins that is written for any number of terms
            product, between = terms[0]
            products[equation.outvars[0]] = product, [*between, equation.outvars[0]]
        elif len(terms) == 2 and _alike(*(product for product, _ in terms)):
            pairs[equation.outvars[0]] = [product for product, _ in terms]
            replaced.update(v for _, between in terms for v in between)
    equations = []
    for equation in jaxpr.eqns:
        out = equation.outvars[0] if equation.outvars else None
        if out in pairs:
            equations.append(_product_of_both(*pairs[out]).replace(outvars=[out]))
        elif out not in replaced:
            equations.append(equation)
    return jaxpr.replace(eqns=equations)


def _sums_rows(equation: Any, lengths: Container[int]) -> bool:
    """Return whether an equation is a product of two matrices that sums as many terms as a minibatch has rows."""
    if equation.primitive.name != "dot_general":
        return False
    contracted, _ = equation.params["dimension_numbers"]
    a, b = (v.aval for v in equation.invars)
    matrices = a.ndim == b.ndim == 2 and a.dtype == b.dtype and [len(axes) for axes in contracted] == [1, 1]
    return matrices and a.shape[contracted[0][0]] in lengths


def _adds_nothing(equation: Any) -> bool:
    from jax.extend.core import Literal

    return any(isinstance(v, Literal) and v.val == 0 for v in equation.invars)


def _alike(first: Any, second: Any) -> bool:
    """Return whether two products are of the same dtype, and made in the same way."""
    if first.invars[0].aval.dtype != second.invars[0].aval.dtype:
        return False
    return all(first.params[name] == second.params[name] for name in first.params if name != "dimension_numbers")


def _product_of_both(first: Any, second: Any) -> Any:
    """Return an equation that computes the sum of two products."""
    import jax

    settings = {name: value for name, value in first.params.items() if name != "dimension_numbers"}
    axes = [axis for product in (first, second) for (axis,) in product.params["dimension_numbers"][0]]

    def product(*factors: Any) -> Any:
        a, b, c, d = (x if axis == 0 else x.T for x, axis in zip(factors, axes, strict=True))
        left, right = jax.numpy.stack([a, c]), jax.numpy.stack([b, d])
        return jax.lax.dot_general_p.bind(left, right, dimension_numbers=(((0, 1), (0, 1)), ((), ())), **settings)

    invars = [*first.invars, *second.invars]
    (equation,) = jax.make_jaxpr(jax.jit(product))(*(v.aval for v in invars)).jaxpr.eqns
    return equation.replace(invars=invars)
