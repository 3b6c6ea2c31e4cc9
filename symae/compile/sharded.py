"""A step of a training on several of JAX's devices: each computes with its part of the minibatch.

The program is the one of a single device. JAX divides it by where its arrays are: minibatches along the axis ``data`` of a mesh
of devices, parameters on each device or, by `shard`, divided too. What a sum over the minibatch needs is added up among the
devices. Random masks are of the whole minibatch, of which each device computes its part, so they are those of one device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from pytensor.compile.executor import Function
from pytensor.compile.sharedvalue import SharedVariable

from symae._runtime.jax_64_bits import with_64_bits
from symae.compile.backends import linked_by
from symae.compile.device_arrays import DeviceFunction, Sent, SharedSlot
from symae.compile.joined_sums import with_joined_sums
from symae.compile.locked_function import locked
from symae.compile.loops.base import given_inputs
from symae.compile.mesh import AXIS, Devices
from symae.errors import InputError
from symae.ops.runtime_errors import with_checks

Minibatch = Sequence[np.ndarray]  # an array for each input, of the rows that this process has


class ShardedFunction:
    """Call a function of minibatches that was compiled on JAX, on several devices.

    When `run` has returned, shared variables have the new values, as NumPy's arrays; the devices keep theirs for the next call.
    """

    def __init__(self, compiled: Any, devices: Devices, names: Mapping[SharedVariable, str]):
        """Prepare the calls; `names` are those by which ``devices.shard`` knows shared variables."""
        import jax

        backend = linked_by(compiled.maker.linker) if isinstance(compiled, Function) else None
        if backend is None or backend.name != "jax":
            found = f"the backend {backend.name}" if backend else "a function of another kind"
            raise InputError("devices", found, "the backend jax: no other has several devices")
        self.function, self.devices = compiled, devices
        self._device_function: DeviceFunction = compiled.vm.jit_fn
        fgraph = compiled.maker.fgraph
        self._given = given_inputs(compiled)
        self._updates = sorted((fgraph.update_mapping or {}).items())
        self._figures = len(fgraph.outputs) - len(self._updates)
        known = {id(v.container.storage): name for v, name in names.items()}
        self._slots: dict[int, SharedSlot] = {}
        self._shardings: dict[int, Any] = {}
        for i, container in enumerate(compiled.input_storage):
            if i not in self._given:
                storage = container.storage
                name = known.get(id(storage))
                self._shardings[i] = devices.of_variable(name, np.shape(storage[0]))
                self._slots[i] = SharedSlot(storage, partial(self._send, self._shardings[i]))
        self._step: Any = None
        with_checks(self._device_function.traceable, self._keep, jax.numpy.stack, len(fgraph.outputs))
        self._programs: dict[Any, Any] = {}

    def _keep(self, step: Any) -> Any:
        self._step = step
        return step

    def _send(self, sharding: Any, value: np.ndarray) -> Sent:
        # a copy: what the device has is given away for the new value, and may not be the host's memory
        return value, self.devices.put(value, sharding), False

    def run(
        self,
        minibatches: Iterable[Minibatch],
        length: int | None = None,
        whole: Callable[[int], Minibatch] | None = None,
    ) -> list[list[float]]:
        """Call the function for each of `minibatches`; the figures of each, up to the first whose cost is not finite.

        The next minibatch is read while devices compute. What devices have made of those after such a cost does not count. If a
        call raises an error, shared variables are as before `run`. Where other processes have devices too, all call this with
        as many minibatches, of `length` examples together, each with its rows, and ``whole(i)`` reads all of number i.
        """
        with locked(self.function):
            return with_64_bits(self._run)(minibatches, length, whole)

    def _run(
        self, minibatches: Iterable[Minibatch], length: int | None, whole: Callable[[int], Minibatch] | None
    ) -> list[list[float]]:
        import jax

        seen: list[Minibatch] = []
        try:
            updated, rows = self._steps(minibatches, seen, length)
            figures = jax.device_get(rows)
            costs = [[float(figure) for figure in row] for row, _ in figures]
            counted = next((i for i, row in enumerate(costs) if not np.isfinite(row[0])), len(costs)) + 1
            refused = next((i for i, (_, accepted) in enumerate(figures[:counted]) if not accepted), None)
            if refused is not None:
                self._raise([seen[i] if whole is None else whole(i) for i in range(refused + 1)])
            if counted < len(costs) and self._updates:
                # from the values before again: devices have gone on, and what they began with was given away
                self._forget()
                updated, _ = self._steps(seen[:counted], [], length)
        except BaseException:
            self._forget()
            raise
        for out, into in self._updates:
            type_ = self.function.maker.fgraph.outputs[out].type
            host = np.array(self.devices.fetch(updated[into]), type_.dtype)
            self._slots[into].keep(host, updated[into], False)
            self._slots[into].storage[0] = host
        return costs[:counted]

    def _steps(
        self, minibatches: Iterable[Minibatch], seen: list[Minibatch], length: int | None
    ) -> tuple[dict[int, Any], list[Any]]:
        """Make a step with each of `minibatches`, noted in `seen`; the updated values, and figures and acceptance of each."""
        values = {i: slot[0] for i, slot in self._slots.items()}
        updated = {into: values.pop(into) for _, into in self._updates}
        rows: list[Any] = []
        for minibatch in minibatches:
            placed = self._placed(minibatch, length)
            updated, figures, accepted = self._program(tuple(x.sharding for x in placed))(updated, values, placed)
            rows.append((figures, accepted))
            seen.append(minibatch)
        return updated, rows

    def _placed(self, minibatch: Minibatch, length: int | None) -> list[Any]:
        return [self.devices.put_minibatch(array, len(array) if length is None else length) for array in minibatch]

    def _forget(self) -> None:
        """Forget what the devices have: it was given away."""
        for slot in self._slots.values():
            slot.value = slot.device = None

    def _raise(self, minibatches: Sequence[Minibatch]) -> None:
        """Make the calls on one device, of which the last one says what is refused."""
        before = {into: self._slots[into].storage[0] for _, into in self._updates}
        try:
            for minibatch in minibatches:
                self.function(*minibatch)
        finally:
            for into, value in before.items():
                self._slots[into].storage[0] = value
        raise AssertionError("a kernel has refused something on several devices, and not on one")

    def _program(self, given: tuple[Any, ...]) -> Any:
        if given not in self._programs:
            import jax
            from jax.sharding import NamedSharding, PartitionSpec

            updated = {into: self._shardings[into] for _, into in self._updates}
            read = {i: sharding for i, sharding in self._shardings.items() if i not in updated}
            everywhere = NamedSharding(self.devices.mesh, PartitionSpec())
            self._programs[given] = jax.jit(
                self._call,
                in_shardings=(updated, read, list(given)),
                out_shardings=(updated, everywhere, everywhere),
                donate_argnums=0,
            )
        return self._programs[given]

    def _call(self, updated: dict[int, Any], read: dict[int, Any], given: list[Any]) -> Any:
        import jax

        values = {**updated, **read, **dict(zip(self._given, given, strict=True))}
        step = self._step
        if len(self.devices) > 1:
            divided = [i for i, x in zip(self._given, given, strict=True) if x.ndim and x.shape[0] % len(self.devices) == 0]
            step = with_joined_sums(step, self.devices.mesh, AXIS, divided)
        results = step(*(values[i] for i in range(len(values))))
        n_outputs = self._figures + len(self._updates)
        accepted = results[n_outputs] if len(results) > n_outputs else jax.numpy.array(True)
        new = {into: jax.lax.convert_element_type(results[out], updated[into].dtype) for out, into in self._updates}
        return new, list(results[: self._figures]), accepted

    def compiled_text(self, minibatch: Minibatch, length: int | None = None) -> str:
        """Return the program that XLA has made for such a minibatch, for those who look at what devices tell each other."""

        def text() -> str:
            values = {i: slot[0] for i, slot in self._slots.items()}
            updated = {into: values.pop(into) for _, into in self._updates}
            placed = self._placed(minibatch, length)
            program = self._program(tuple(x.sharding for x in placed))
            return str(program.lower(updated, values, placed).compile().as_text())

        return str(with_64_bits(text)())
