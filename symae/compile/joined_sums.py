"""What devices add up in a step becomes one array, in what JAX traces.

A gradient is a sum over the minibatch, of which each device has its part. XLA adds up all of them in one operation of the
program, but on the wire one array after the other: gloo makes the round of all processes, and wakes each of them, for every
bias of a few numbers. And of weights that are used twice it adds up both gradients among the devices, and then both.

Here sums over the minibatch, products, convolutions and plain ones, are written as what they are: each device sums its rows,
what the step adds of such sums is added on the device, and then all are laid into one array for each dtype, which the devices
add up. What depends on such a sum, as on the mean of a minibatch, waits for it, and sums after that are added up after it.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from symae.compile.divided_rows import rows_after, sums_rows

INLINED = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}
LARGE = 1 << 20  # bytes of an array that goes by itself: to copy it takes longer than a round


@dataclass(eq=False)
class _Value:
    """What a variable of a program stands for."""

    shape: tuple[int, ...] = ()
    value: Any = None
    literal: bool = False
    rows: int | None = None  # the axis along which it is divided
    level: int = 0  # how many sums over the minibatch come before it, one after the other
    summed: bool = False  # it is such a sum
    parts: Any = None  # of the devices, one below the other


@dataclass(eq=False)
class _Equation:
    written: Any  # an equation of JAX's
    inputs: list[_Value]
    outputs: list[_Value]
    level: int = 0
    divided: list[int | None] | None = None  # along which axis inputs are divided, of a sum over the minibatch
    adds: bool = False  # it adds such sums


@dataclass
class _Program:
    """Hold the equations of a program in an order in which they can be computed."""

    equations: list[_Equation] = field(default_factory=list)

    def read(self, closed: Any, inputs: Sequence[_Value]) -> list[_Value]:
        """Add the equations of a program that is given `inputs`, and of those that it calls; what it returns."""
        from jax.extend.core import Literal

        known = {v: _Value(v.aval.shape, c) for v, c in zip(closed.jaxpr.constvars, closed.consts, strict=True)}
        known.update(zip(closed.jaxpr.invars, inputs, strict=True))

        def of(v: Any) -> _Value:
            return _Value(value=v.val, literal=True) if isinstance(v, Literal) else known[v]

        for written in closed.jaxpr.eqns:
            given, inner = [of(v) for v in written.invars], written.params.get(INLINED.get(written.primitive.name, ""))
            if inner is not None:
                outputs = self.read(inner, given)
            else:
                outputs = [_Value(getattr(v.aval, "shape", ())) for v in written.outvars]
                self.equations.append(_Equation(written, given, outputs))
            known.update(zip(written.outvars, outputs, strict=True))
        return [of(v) for v in closed.jaxpr.outvars]

    def follow(self, results: Sequence[_Value], parts: int) -> None:
        """Find out how values are divided into `parts`, which are sums over the minibatch, and what waits for which of them."""
        uses = Counter([*(v for equation in self.equations for v in equation.inputs), *results])
        for equation in self.equations:
            inputs, rows = equation.inputs, [v.rows for v in equation.inputs]
            equation.level = max((v.level for v in inputs), default=0)
            equation.divided = sums_rows(equation.written, rows)
            equation.adds = _adds_sums(equation, uses)
            if equation.adds:
                equation.level -= 1
                for v in inputs:
                    v.summed = False  # nobody asks for it by itself
            for out in equation.outputs:
                out.summed = equation.adds or equation.divided is not None
                out.level = equation.level + out.summed
                if not out.summed:
                    out.rows = rows_after(equation.written, [v.shape for v in inputs], rows, out.shape, parts)

    def levels(self) -> Iterator[list[_Equation]]:
        found: defaultdict[int, list[_Equation]] = defaultdict(list)
        for equation in self.equations:
            found[equation.level].append(equation)
        return (found[level] for level in sorted(found))


def _adds_sums(equation: _Equation, uses: Counter[_Value]) -> bool:
    """Return whether an equation adds sums over the minibatch of which nobody else needs one by itself, or zero to one."""
    if equation.written.primitive.name not in ("add", "add_any"):
        return False
    terms = [v for v in equation.inputs if not (v.literal and v.value == 0)]
    return all(v.summed and uses[v] == 1 and v.level == equation.level for v in terms)


def with_joined_sums(function: Callable[..., Any], mesh: Any, axis: str, divided: Collection[int]) -> Callable[..., Any]:
    """Return `function` of arrays, whose sums over a minibatch the devices of `mesh` add up together.

    Those arrays whose numbers are in `divided` are divided along their first axis, by the `axis` of the mesh.
    """
    import jax

    if not hasattr(jax, "shard_map"):  # JAX before 0.7: XLA adds up each sum
        return function

    def call(*arrays: Any) -> Any:
        closed, shapes = jax.make_jaxpr(function, return_shape=True)(*arrays)
        program = _Program()
        given = [_Value(x.shape, x, rows=0 if i in divided else None) for i, x in enumerate(arrays)]
        results = program.read(closed, given)
        program.follow(results, mesh.shape[axis])
        for equations in program.levels():
            for equation in equations:
                _compute(equation, closed.jaxpr, mesh, axis)
            _add_up([v for equation in equations for v in equation.outputs if v.summed], mesh, axis)
        return jax.tree.unflatten(jax.tree.structure(shapes), [v.value for v in results])

    return call


def _compute(equation: _Equation, jaxpr: Any, mesh: Any, axis: str) -> None:
    """Compute the outputs of an equation of `jaxpr`; of a sum over the minibatch, the parts of the devices."""
    import jax
    from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun
    from jax.sharding import PartitionSpec

    written, values = equation.written, [v.value for v in equation.inputs]
    if equation.adds:
        equation.outputs[0].parts = functools.reduce(operator.add, [v.parts for v in equation.inputs if not v.literal])
    elif equation.divided is not None:

        def part(*blocks: Any) -> Any:
            return written.primitive.bind(*blocks, **written.params)[None]

        specs = tuple(PartitionSpec(*([] if i is None else [None] * i + [axis])) for i in equation.divided)
        summed = jax.shard_map(part, mesh=mesh, axis_names={axis}, in_specs=specs, out_specs=PartitionSpec(axis))
        equation.outputs[0].parts = summed(*values)
    else:
        given = {v: value for v, value in zip(written.invars, values, strict=True) if not isinstance(v, Literal)}
        variables = {"constvars": [], "invars": list(given), "outvars": written.outvars}
        alone = ClosedJaxpr(jaxpr.replace(**variables, eqns=[written], effects=written.effects), ())
        for out, value in zip(equation.outputs, jaxpr_as_fun(alone)(*given.values()), strict=True):
            out.value = value


def _add_up(sums: Sequence[_Value], mesh: Any, axis: str) -> None:
    """Add up the parts of the devices, those of a dtype as one array."""
    import jax
    from jax.sharding import PartitionSpec

    def add(*stacked: Any) -> list[Any]:
        parts, results = [x[0] for x in stacked], list(stacked)
        groups: defaultdict[Any, list[int]] = defaultdict(list)
        for i, x in enumerate(parts):
            # of parameters that are divided too, one array would have to have all
            groups[x.dtype if x.nbytes < LARGE and len(mesh.axis_names) == 1 else i].append(i)
        joined = [
            jax.numpy.concatenate([parts[i].reshape(-1) for i in group]) if len(group) > 1 else parts[group[0]]
            for group in groups.values()
        ]
        for group, total in zip(groups.values(), jax.lax.psum(joined, axis), strict=True):
            first = 0
            for i in group:
                last = first + parts[i].size
                results[i] = total.reshape(-1)[first:last].reshape(parts[i].shape) if len(group) > 1 else total
                first = last
        return results

    if sums:
        specs = {"in_specs": PartitionSpec(axis), "out_specs": PartitionSpec()}
        totals = jax.shard_map(add, mesh=mesh, axis_names={axis}, **specs)(*(v.parts for v in sums))
        for v, total in zip(sums, totals, strict=True):
            v.value = total
