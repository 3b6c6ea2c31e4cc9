"""Shared variables whose values stay on the device between the calls of a function, on JAX and on MLX.

PyTensor's linkers for them hand NumPy arrays over at every call, so each call copies all of the training data, and leave arrays
of their own in shared variables, which functions on other backends cannot read. Here the containers of shared variables always
hold NumPy arrays, and outputs are NumPy arrays too. A value is sent once, and again when it is another array:

- Where the device computes in the memory of the host (JAX on CPUs, MLX), value and device array are one piece of memory. What
  anybody writes into the value in place is seen. NumPy's memory is seldom aligned as JAX wants it, and MLX takes none but its
  own, so the value is moved once: an array that was borrowed before (``borrow=True``) is not the variable's any more.
- Elsewhere (JAX on accelerators) the device has a copy. What is written in place is seen if it changes one of about a thousand
  elements spread over the array; smaller changes have to be told by ``set_value`` with another array. The same holds for values
  in column order, which JAX cannot read as they are.

PyTorch on CPUs reads NumPy's memory by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.link.basic import JITLinker
from pytensor.tensor.type import TensorType

SAMPLED = 1024

# (the NumPy array for the container, the array for the backend, whether they are one piece of memory)
Sent = tuple[np.ndarray, Any, bool]


class SharedSlot:
    """Stands for the storage of a shared variable in a linker's thunk, which reads ``slot[0]`` at each call."""

    def __init__(self, storage: list[Any], to_device: Callable[[np.ndarray], Sent]):
        self.storage = storage
        self.to_device = to_device
        self.value: np.ndarray | None = None
        self.device: Any = None
        self.sample: bytes | None = None  # None: one piece of memory, nothing to compare

    def __getitem__(self, index: int) -> Any:
        value = self.storage[0]
        if value is None or value is not self.value or (self.sample is not None and self.sample != _sample(self.value)):
            if not isinstance(value, np.ndarray) or not value.flags.forc:
                return value
            self.keep(*self.to_device(value))
            self.storage[0] = self.value
        return self.device

    def keep(self, value: np.ndarray, device: Any, shares_memory: bool) -> None:
        self.value, self.device, self.sample = value, device, None if shares_memory else _sample(value)


def _sample(value: np.ndarray) -> bytes:
    return value.ravel(order="K")[:: max(1, value.size // SAMPLED)].tobytes()


def _is_shared_tensor(variable: Any) -> bool:
    return isinstance(variable, SharedVariable) and isinstance(variable.type, TensorType)


class DeviceLinker(JITLinker):
    """Comes before a linker of PyTensor among the bases; subclasses say how arrays travel."""

    def to_device(self, value: np.ndarray) -> Sent:
        """Bring a contiguous array to the device."""
        raise NotImplementedError

    def adopt_update(self, output: Any, dtype: str, position: int, taken: set[int]) -> Sent:
        """Give the new value of a shared variable, an array of the backend, memory that nothing else has.

        It is the output at `position` of the graph; `taken` are the addresses of those that this call has let keep theirs.
        """
        raise NotImplementedError

    def to_host(self, output: Any, dtype: str) -> np.ndarray:
        """Return a copy of an output, because backends let outputs share memory with inputs."""
        return np.array(output)

    def fgraph_convert(self, fgraph: Any, *, storage_map: dict[Any, Any], **keywords: Any) -> Any:
        # PyTensor would convert the values here too, and keep these copies as long as the function lives.
        hidden = [(storage_map[v], storage_map[v][0]) for v in fgraph.inputs if _is_shared_tensor(v)]
        for storage, _ in hidden:
            storage[0] = None
        try:
            return super().fgraph_convert(fgraph, storage_map=storage_map, **keywords)
        finally:
            for storage, value in hidden:
                storage[0] = value

    def create_thunk_inputs(self, storage_map: dict[Any, Any]) -> list[Any]:
        storages = super().create_thunk_inputs(storage_map)
        self.slots = [
            SharedSlot(storage, self.to_device) if _is_shared_tensor(v) else storage
            for v, storage in zip(self.fgraph.inputs, storages, strict=True)
        ]
        return self.slots

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        call = super().jit_compile(fn)
        return DeviceFunction(self, fn, call) if self.fgraph.outputs else call


class DeviceFunction:
    """Call a compiled function, once `traceable`, with what slots hold; return NumPy arrays, its updates' among them.

    `slots` has for each input what has its value for the backend under ``[0]``: a `SharedSlot`, or the storage itself.
    """

    def __init__(self, linker: DeviceLinker, traceable: Callable[..., Any], call: Callable[..., Any]):
        self.linker, self.traceable, self.slots = linker, traceable, linker.slots
        self.call = call
        self._types = [v.type for v in linker.fgraph.outputs]
        self.loop_programs: dict[Any, Any] = {}  # of `symae.compile.loops.jax`, for as long as this function lives
        self._updated = {out: self.slots[i] for out, i in (linker.fgraph.update_mapping or {}).items()}

    def __call__(self, *inputs: Any) -> list[Any]:
        taken: set[int] = set()
        return [self.to_host(i, output, taken) for i, output in enumerate(self.call(*inputs))]

    def to_host(self, position: int, output: Any, taken: set[int]) -> Any:
        """Return the value for the host of the output at `position`, an array of the backend; its slot keeps both."""
        type_, slot = self._types[position], self._updated.get(position)
        if not isinstance(type_, TensorType):
            return output
        if not isinstance(slot, SharedSlot):
            return self.linker.to_host(output, type_.dtype)
        slot.keep(*self.linker.adopt_update(output, type_.dtype, position, taken))
        return slot.value
