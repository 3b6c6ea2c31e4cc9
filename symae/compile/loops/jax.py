"""Many calls of a function on the JAX backend, as one program of XLA.

Each call from Python costs tens of microseconds, and on accelerators the values of shared variables come home after it. Here a
``lax.while_loop`` makes the calls. What they update goes round in it; other values, such as the training data, are read where
they are. XLA is free to compile the body of a loop in another way than the function alone, so results agree to rounding. On
CPUs it compiles convolutions badly there, so that functions with any are called from Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from symae._runtime.jax_64_bits import with_64_bits
from symae.compile.device_arrays import DeviceFunction
from symae.compile.locked_function import locked
from symae.compile.loops.base import IndexedStep, say_no_loop
from symae.compile.loops.figures import Figures, Rows
from symae.ops.runtime_errors import with_checks

MOST = 4096  # steps in one program: the figures of so many have a place
CONVOLUTION = (
    "conv_general_dilated"  # JAX's name; within loops up to 40 times slower on CPUs, https://github.com/jax-ml/jax/issues/12868
)


class _NoLoop(Exception):
    """Raised when a call returns something of another shape or type than it updates."""


class JAXLoop:
    """Loop over calls of a function on the JAX backend: a `symae.compile.loops.base.Loop`."""

    def __init__(self, indexed: IndexedStep):
        self.indexed = indexed
        self.device_function: DeviceFunction = indexed.function.vm.jit_fn
        # `with_checks` adds whether what kernels refuse has happened
        with_checks(self.device_function.traceable, self._keep, jnp.stack, self._outputs)
        # only symae's functions keep their loop, others make one for each training, and XLA takes a second for a program
        self._programs = self.device_function.loop_programs

    def run(self, first: int, count: int) -> Rows:
        with locked(self.indexed.function):
            return with_64_bits(self._run)(first, count)

    def _run(self, first: int, count: int) -> Rows:
        indexed, slots = self.indexed, self.device_function.slots
        if not indexed.holds(first + count - 1):
            return indexed.run(first, count)
        values = [None if i == indexed.position else slot[0] for i, slot in enumerate(slots)]
        updated = {into: values[into] for _, into in indexed.updates}
        read = [None if i in updated else value for i, value in enumerate(values)]
        arguments = np.array(first, indexed.dtype), np.array(min(count, MOST)), updated, read
        shapes = tuple(np.shape(leaf) for leaf in jax.tree.leaves(values))
        if shapes not in self._programs:
            try:
                self._programs[shapes] = self._compiled(arguments)
            except Exception as error:
                rows = indexed.run(first, count)  # raises what is wrong with the step itself
                self._programs[shapes] = None
                say_no_loop("JAX", error)
                return rows
        program = self._programs[shapes]
        if program is None:
            return indexed.run(first, count)
        done, accepted, updated, figures = program(*arguments)
        if not accepted:
            # a kernel refuses something: nothing has changed yet, and the same calls from Python say what
            return [row for step in range(first, first + int(done)) for row in indexed.run(step, 1)]
        taken: set[int] = set()
        for out, into in indexed.updates:
            values[into] = self.device_function.to_host(out, updated[into], taken)
        indexed.put(values)  # all or, if copying is interrupted, none
        return Figures(np.stack([np.asarray(column)[: int(done)].astype(np.float64) for column in figures], axis=1))

    @property
    def _outputs(self) -> int:
        return self.indexed.figures + len(self.indexed.updates)

    def _keep(self, step: Any) -> Any:
        self._step = step
        return step

    def _compiled(self, arguments: Any) -> Any:
        """Compile the loop for arguments of these shapes; None if there is none or calls from Python are quicker."""
        try:
            traced = jax.jit(self._loop).trace(*arguments)
        except _NoLoop:
            return None
        if jax.default_backend() == "cpu" and CONVOLUTION in str(traced.jaxpr):
            return None
        return traced.lower().compile()

    def _loop(self, first: Any, count: Any, updated: dict[int, Any], read: Sequence[Any]) -> Any:
        indexed = self.indexed

        def going_on(state: Any) -> Any:
            done, accepted, _, figures = state
            return (done < count) & accepted & ((done == 0) | jnp.isfinite(figures[0][done - 1]))

        def step(state: Any) -> Any:
            done, _, updated, figures = state
            values = [updated.get(i, value) for i, value in enumerate(read)]
            values[indexed.position] = first + done.astype(first.dtype)
            results = self._step(*values)
            accepted = results[self._outputs] if len(results) > self._outputs else jnp.array(True)
            new = {into: _like(updated[into], results[out]) for out, into in indexed.updates}
            row = zip(figures, results[: indexed.figures], strict=True)
            return done + 1, accepted, new, [column.at[done].set(figure) for column, figure in row]

        dtypes = [v.type.dtype for v in indexed.function.maker.fgraph.outputs[: indexed.figures]]
        figures = [jnp.zeros(MOST, jax.dtypes.canonicalize_dtype(dtype)) for dtype in dtypes]
        start = jnp.array(0), jnp.array(True), updated, figures
        return jax.lax.while_loop(going_on, step, start)


def _like(old: Any, new: Any) -> Any:
    """Return `new`, if it can replace `old`."""

    def leaf(old: Any, new: Any) -> Any:
        new = jnp.asarray(new)
        if new.shape != jnp.shape(old) or new.dtype != jnp.result_type(old):
            raise _NoLoop
        return jax.lax.convert_element_type(new, new.dtype)  # no weak type

    if jax.tree.structure(old) != jax.tree.structure(new):
        raise _NoLoop
    return jax.tree.map(leaf, old, new)
