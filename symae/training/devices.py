"""Minibatches that are divided among the devices of JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.compile.loops import loop_over
from symae.compile.mesh import Devices
from symae.compile.sharded import ShardedFunction
from symae.errors import InputError
from symae.training.data import Examples, check_minibatch_length, means_over, minibatch_lengths, places_in_order
from symae.training.processes import Processes
from symae.training.streams import Streamed, read_ahead

IN_FLIGHT = 32 << 20  # bytes of minibatches that devices are given before anybody waits for them


class ShardedPass:
    """Make steps of minibatches as `symae.training.data.Pass` does, on several devices.

    `names` are those of the shared variables that a training changes. A smaller minibatch that the devices do not divide is
    computed by each of them. Where `processes` share the devices, each reads only its rows of a minibatch, and all make as many
    steps in a burst.
    """

    def __init__(
        self,
        devices: Devices,
        names: Mapping[SharedVariable, str],
        function: Callable[..., Any],
        examples: Examples,
        length: int,
        outputs: Sequence[Variable],
        updates: Sequence[tuple[SharedVariable, Variable]] = (),
        *,
        order: SharedVariable | None = None,
        drop_last: bool = False,
        loop: str = "compiled",
        processes: Processes | None = None,
    ):
        self.lengths = minibatch_lengths(len(examples), length, drop_last)
        self._devices, self._processes = devices, processes
        self._length, self._order, self._loop = length, order, loop
        self._functions: dict[int, ShardedFunction] = {}
        for size in dict.fromkeys(self.lengths):
            check_minibatch_length(examples, size)
            minibatch = {
                x: pt.tensor(x.name, dtype=x.type.dtype, shape=(size, *examples.shapes[x])) for x in examples.variables
            }
            compiled = function(
                [*minibatch.values()],
                list(outputs),
                updates=list(updates),
                givens=list(minibatch.items()),
                on_unused_input="ignore",
            )
            self._functions[size] = ShardedFunction(compiled, devices, names)
        self._examples = examples
        self._ahead = None
        if isinstance(examples, Streamed):
            self._ahead = read_ahead(examples, length, self.lengths, order, devices.rows_here)
        self._most = max(1, IN_FLIGHT // max(1, length * examples.bytes_each))

    def __len__(self) -> int:
        return len(self.lengths)

    def __call__(self, index: int) -> list[float]:
        return self.run(index, 1)[0]

    def run(self, first: int, count: int) -> list[list[float]]:
        """Run at most `count` minibatches of the same length from number `first` on, as a `symae.compile.loops.Loop` does."""
        if self._processes is not None:
            count = self._processes.agree_on_steps(count)
        last = min(first + min(count, self._most), len(self))
        while self.lengths[last - 1] != self.lengths[first]:
            last -= 1
        size = self.lengths[first]
        return self._functions[size].run(self._minibatches(first, last), size, lambda i: self._whole(first + i))

    def _minibatches(self, first: int, last: int) -> Iterator[list[np.ndarray]]:
        for index in range(first, last):
            begin, end = self._devices.rows_here(self.lengths[index])
            if self._ahead is None:
                start = index * self._length
                yield self._read(start + begin, start + end)
                continue
            window, rows = self._ahead.take(index)
            self._ahead.next = index + 1
            start = (index - window.start) * (end - begin)
            yield [array[start : start + end - begin] for array in rows.values()]

    def _whole(self, index: int) -> list[np.ndarray]:
        start = index * self._length
        return self._read(start, start + self.lengths[index])

    def _read(self, begin: int, end: int) -> list[np.ndarray]:
        return [*self._examples.read(places_in_order(self._order, begin, end)).values()]

    def close(self) -> None:
        """Let no examples be read any more."""
        if self._ahead is not None:
            self._ahead.close()

    def means(self) -> list[float]:
        """Return the means of the outputs over all examples, of outputs that are means over a minibatch."""
        return means_over(loop_over(self, self._loop), self.lengths)


def devices_for(devices: Any, shard: Mapping[str, Any] | None, batch_size: int, backend: str | None) -> Devices:
    """Return the devices of a training, or refuse what does not go together: an InputError."""
    if backend not in (None, "jax"):
        raise InputError("devices", f"the backend {backend}", "the backend jax: no other has several devices")
    if shard is not None and not isinstance(shard, Mapping):
        raise InputError("shard", f"a {type(shard).__name__}", "a mapping from names to jax.sharding.PartitionSpec")
    chosen = Devices(devices, shard)
    if batch_size % len(chosen):
        expected = f"a multiple of {len(chosen)}, the devices that a minibatch is divided among"
        raise InputError("batch_size", str(batch_size), expected)
    return chosen
