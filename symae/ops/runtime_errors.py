"""How a kernel on JAX or MLX raises an error.

Both trace functions and have no way to raise from what they have traced. So a kernel gives its condition to `error_unless`;
the function that `with_checks` makes for the linker returns the conditions beside the outputs, looks at them after each call
and raises what they say. What depends on an input of the function alone is looked at before the call: `check_input`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# condition, the error to raise where it is false, and arrays whose values the error takes
_Refusal = tuple[Any, Callable[..., Exception], tuple[Any, ...]]

# an input's position, what raises an error for its value, and what that takes beside the value
_InputCheck = tuple[int, Callable[..., None], tuple[Any, ...]]


@dataclass
class _Collected:
    """Keep what kernels refuse in one trace of a function; `inputs` are what it traces, `given` what it was called with."""

    refusals: list[_Refusal] = field(default_factory=list)
    inputs: Sequence[Any] = ()
    given: Sequence[Any] = ()
    of_inputs: list[_InputCheck] = field(default_factory=list)


_collecting: ContextVar[_Collected | None] = ContextVar("collecting", default=None)
_given: ContextVar[Sequence[Any]] = ContextVar("given", default=())


@contextmanager
def _collect(collected: _Collected | None) -> Iterator[None]:
    token = _collecting.set(collected)
    try:
        yield
    finally:
        _collecting.reset(token)


def error_unless(condition: Any, error: Callable[..., Exception], *values: Any) -> bool:
    """Raise ``error(*values)`` after the call unless `condition`, one bool, is true; False if nobody will look."""
    collected = _collecting.get()
    if collected is None:
        return False
    collected.refusals.append((condition, error, values))
    return True


def check_input(value: Any, check: Callable[..., None], *arguments: Any) -> bool:
    """Have ``check(value, *arguments)`` raise before each call, if what is traced is an input of the function; False if not.

    An input of a body of a loop, or of a branch, is not: only the run tells whether and with what it is called.
    """
    collected = _collecting.get()
    position = next((i for i, x in enumerate(collected.inputs) if x is value), None) if collected else None
    if collected is None or position is None:
        return False
    if (position, check, arguments) not in collected.of_inputs:  # a gradient is written where values were read
        check(collected.given[position], *arguments)
        collected.of_inputs.append((position, check, arguments))
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
            with _collect(collected := _Collected()):
                carry, outputs = step(carry, x)
            refusals = collected.refusals
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
        collected = _Collected()
        with _collect(None if _collecting.get() is None else collected):
            return function(*inputs), collected.refusals

    return collecting


def judged(function: Callable[..., Any]) -> Callable[..., tuple[Any, list[Any]]]:
    """Let `function` return, beside its outputs, the conditions of its kernels: each is one bool, false for a refusal."""

    def judging(*inputs: Any) -> tuple[Any, list[Any]]:
        with _collect(collected := _Collected()):
            outputs = function(*inputs)
        return outputs, [condition for condition, _, _ in collected.refusals]

    return judging


class Checked:
    """Call a compiled function that raises the errors of its kernels; `start` and `finish` do so in two parts.

    The arguments are those of `with_checks`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
        stack: Callable[[list[Any]], Any],
        n_outputs: int,
    ):
        self.n_outputs = n_outputs
        self._function, self._stack = function, stack
        # What a kernel says can depend on the shapes that it was traced for, and there is a trace for each.
        self._errors: dict[Any, list[tuple[Callable[..., Exception], int]]] = {}
        self._of_inputs: dict[Any, list[_InputCheck]] = {}
        self._call = compiled(self._traced)

    def __call__(self, *inputs: Any) -> Sequence[Any]:
        return self.finish(inputs, self.start(inputs))

    def start(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Return the outputs and, if kernels can refuse something, beside them whether they have not, and what errors take."""
        token = _given.set(inputs)
        try:
            if any(self._of_inputs.values()):
                for position, check, arguments in self._of_inputs.get(_signature(inputs), ()):
                    check(inputs[position], *arguments)
            return self._call(*inputs)
        finally:
            _given.reset(token)

    def accepted(self, results: Sequence[Any]) -> bool:
        """Return True if no kernel has refused anything; `results` is what `start` has returned."""
        return len(results) <= self.n_outputs or bool(results[self.n_outputs])

    def finish(self, inputs: Sequence[Any], results: Sequence[Any]) -> Sequence[Any]:
        """Return the outputs, or raise what kernels have refused."""
        if not self.accepted(results):
            known = self._errors[_signature(inputs)]
            values = [np.asarray(v) for v in results[self.n_outputs + 2 :]]
            taken = iter(values[0] if len(values) == 1 < sum(n for _, n in known) else values)
            for condition, (error, n_values) in zip(np.asarray(results[self.n_outputs + 1]), known, strict=True):
                of_condition = [next(taken) for _ in range(n_values)]
                if not bool(condition):
                    raise error(*of_condition)
        return results[: self.n_outputs]

    def _traced(self, *inputs: Any) -> tuple[Any, ...]:
        with _collect(collected := _Collected(inputs=inputs, given=_given.get())):
            outputs = self._function(*inputs)
        refusals, signature = collected.refusals, _signature(inputs)
        self._errors[signature] = [(error, len(values)) for _, error, values in refusals]
        self._of_inputs[signature] = collected.of_inputs
        if not refusals:
            return tuple(outputs)
        conditions = self._stack([condition for condition, _, _ in refusals])
        values = [v for _, _, values in refusals for v in values]
        if len(values) > 1 and all(v.ndim == 0 and "int" in str(v.dtype) for v in values):
            values = [self._stack(values)]  # each output costs a microsecond
        return (*outputs, conditions.all(), conditions, *values)


def with_checks(
    function: Callable[..., Any],
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]],
    stack: Callable[[list[Any]], Any],
    n_outputs: int,
) -> Checked:
    """Compile `function`, which has `n_outputs` outputs, so that it raises the errors of its kernels.

    `compiled` compiles a function, and `stack` makes an array of several numbers, in what a backend traces.
    """
    return Checked(function, compiled, stack, n_outputs)


def _signature(inputs: Sequence[Any]) -> tuple[Any, ...]:
    # integers are sizes, of which JAX makes a trace for each too
    return tuple(x if isinstance(x, int) else tuple(getattr(x, "shape", ())) for x in inputs)
