"""How a kernel on JAX or MLX raises an error.

Both trace functions and have no way to raise from what they have traced. So a kernel gives its condition to `error_unless`;
the function that `with_checks` makes for the linker returns the conditions beside the outputs, looks at them after each call
and raises what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

# condition, the error to raise where it is false, and arrays whose values the error takes
_Refusal = tuple[Any, Callable[..., Exception], tuple[Any, ...]]

_collecting: ContextVar[list[_Refusal] | None] = ContextVar("collecting", default=None)


@contextmanager
def _collect(refusals: list[_Refusal] | None) -> Iterator[None]:
    token = _collecting.set(refusals)
    try:
        yield
    finally:
        _collecting.reset(token)


def error_unless(condition: Any, error: Callable[..., Exception], *values: Any) -> bool:
    """Raise ``error(*values)`` after the call unless `condition`, one bool, is true; False if nobody will look."""
    refusals = _collecting.get()
    if refusals is None:
        return False
    refusals.append((condition, error, values))
    return True


def without_checks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` without its checks: what JAX maps over an axis has no outputs beside its own."""

    def quiet(*inputs: Any) -> Any:
        with _collect(None):
            return function(*inputs)

    return quiet


def collected_in_scan(scan: Callable[..., Any]) -> Callable[..., Any]:
    """Let JAX's `scan` also return errors of its steps: for each condition that of the first step where it fails."""

    def collecting(step: Callable[..., Any], init: Any, xs: Any, length: int | None = None) -> Any:
        if _collecting.get() is None:
            return scan(step, init, xs, length=length)
        errors: list[tuple[Callable[..., Exception], int]] = []

        def with_conditions(carry: Any, x: Any) -> Any:
            refusals: list[_Refusal] = []
            with _collect(refusals):
                carry, outputs = step(carry, x)
            errors[:] = [(error, len(values)) for _, error, values in refusals]
            return carry, (outputs, [condition for condition, _, _ in refusals], [v for _, _, vs in refusals for v in vs])

        final, (outputs, conditions, values) = scan(with_conditions, init, xs, length=length)
        taken = iter(values)
        for condition, (error, n_values) in zip(conditions, errors, strict=True):
            of_steps = [next(taken) for _ in range(n_values)]
            if condition.shape[0]:
                first = condition.argmin()
                error_unless(condition.all(), error, *(value[first] for value in of_steps))
        return final, outputs

    return collecting


def collected(function: Callable[..., Any]) -> Callable[..., tuple[Any, list[_Refusal]]]:
    """Let `function` return, beside its outputs, its kernels' errors: inside of a trace their values are not known yet."""

    def collecting(*inputs: Any) -> tuple[Any, list[_Refusal]]:
        refusals: list[_Refusal] = []
        with _collect(None if _collecting.get() is None else refusals):
            return function(*inputs), refusals

    return collecting


def with_checks(
    function: Callable[..., Any],
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
    stack: Callable[[list[Any]], Any],
    n_outputs: int,
) -> Callable[..., Any]:
    """Compile `function`, which has `n_outputs` outputs, so that it raises the errors of its kernels.

    `compiled` compiles a function, and `stack` makes an array of several numbers, in what a backend traces.
    """
    # What a kernel says can depend on the shapes that it was traced for, and there is a trace for each.
    errors: dict[Any, list[tuple[Callable[..., Exception], int]]] = {}

    def traced(*inputs: Any) -> tuple[Any, ...]:
        refusals: list[_Refusal] = []
        with _collect(refusals):
            outputs = function(*inputs)
        errors[_signature(inputs)] = [(error, len(values)) for _, error, values in refusals]
        if not refusals:
            return tuple(outputs)
        conditions = stack([condition for condition, _, _ in refusals])
        values = [v for _, _, values in refusals for v in values]
        if len(values) > 1 and all(v.ndim == 0 and "int" in str(v.dtype) for v in values):
            values = [stack(values)]  # each output costs a microsecond
        return (*outputs, conditions.all(), conditions, *values)

    call = compiled(traced)

    def raising(*inputs: Any) -> Sequence[Any]:
        results = call(*inputs)
        if len(results) > n_outputs and not bool(results[n_outputs]):
            known = errors[_signature(inputs)]
            values = [np.asarray(v) for v in results[n_outputs + 2 :]]
            taken = iter(values[0] if len(values) == 1 < sum(n for _, n in known) else values)
            for condition, (error, n_values) in zip(np.asarray(results[n_outputs + 1]), known, strict=True):
                of_condition = [next(taken) for _ in range(n_values)]
                if not bool(condition):
                    raise error(*of_condition)
        return results[:n_outputs]

    return raising


def _signature(inputs: Sequence[Any]) -> tuple[Any, ...]:
    # integers are sizes, of which JAX makes a trace for each too
    return tuple(x if isinstance(x, int) else tuple(getattr(x, "shape", ())) for x in inputs)
