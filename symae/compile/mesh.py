"""The devices of a training, of one process or several, and which part of a minibatch or of a parameter each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae.compile.backends import BY_NAME
from symae.errors import BackendError, InputError

AXIS = "data"  # of the mesh, along which minibatches are divided
EXPECTED = f'"all", a number of devices, or a jax.sharding.Mesh with an axis "{AXIS}"'


class Devices:
    """Say which devices a training has, and which variables are divided among them.

    Parameters
    ----------
    devices : "all", int, or jax.sharding.Mesh
        All devices of JAX, the first so many of them, or a mesh with an axis ``data``.
    shard : mapping from name to jax.sharding.PartitionSpec, optional
        Along which axes of the mesh the axes of a variable are divided; variables without an entry are on each device.

    Raises
    ------
    InputError
        There are fewer devices, or a mesh has no axis ``data``.
    BackendError
        JAX is not installed.
    """

    def __init__(self, devices: Any, shard: Mapping[str, Any] | None = None):
        missing = BY_NAME["jax"].missing()
        if missing is not None:
            raise BackendError("devices", *missing)
        import jax

        self.shard = dict(shard or {})
        self._gather: Any = None
        self.here: int = jax.process_index()
        if isinstance(devices, jax.sharding.Mesh):
            if AXIS not in devices.axis_names:
                raise InputError("devices", f"a mesh of the axes {', '.join(map(str, devices.axis_names))}", EXPECTED)
            self.mesh = devices
        else:
            self.mesh = jax.sharding.Mesh(np.array(_chosen(devices)), (AXIS,))
        self.processes: list[int] = sorted({device.process_index for device in self.mesh.devices.flat})
        if len(self.processes) < jax.process_count() and self.processes != [self.here]:
            without = ", ".join(str(i) for i in range(jax.process_count()) if i not in self.processes)
            raise InputError("devices", f"a mesh without those of process {without}", "devices of each process, or of this one")

    def __len__(self) -> int:
        """Return among how many a minibatch is divided."""
        return int(self.mesh.shape[AXIS])

    @property
    def shared(self) -> bool:
        """Whether other processes have some of the devices."""
        return len(self.processes) > 1

    def share_like(self, params: Sequence[SharedVariable], state: Mapping[str, SharedVariable]) -> None:
        """Divide what an optimizer remembers of `params` as these are; refuse names that are not in `state`: an InputError."""
        for name in self.shard:
            if name not in state:
                raise InputError("shard", repr(name), f"names among {', '.join(state)}")
        shapes = {p.name: np.shape(p.get_value(borrow=True)) for p in params if p.name is not None}
        for name, v in state.items():
            if name in self.shard or any(v is p for p in params):
                continue
            # the longest name: what is remembered of W_prime begins with W_ too
            of = max((p for p in shapes if name.startswith(f"{p}_")), key=len, default=None)
            if of in self.shard and np.shape(v.get_value(borrow=True)) == shapes[of]:
                self.shard[name] = self.shard[of]

    def of_minibatch(self, length: int) -> Any:
        """Return where a minibatch is: divided, or on each device if they do not divide it."""
        from jax.sharding import NamedSharding, PartitionSpec

        return NamedSharding(self.mesh, PartitionSpec(AXIS) if length % len(self) == 0 else PartitionSpec())

    def of_variable(self, name: str | None, shape: Sequence[int]) -> Any:
        """Return where a variable of that name and shape is, or raise InputError if it cannot be divided as `shard` says."""
        from jax.sharding import NamedSharding, PartitionSpec

        spec = self.shard.get(name, PartitionSpec()) if name is not None else PartitionSpec()
        where = f"shard[{name!r}]"
        if not isinstance(spec, PartitionSpec):
            raise InputError(where, f"a {type(spec).__name__}", "a jax.sharding.PartitionSpec")
        if len(spec) > len(shape):
            raise InputError(where, str(spec), f"at most {len(shape)} entries, for shape {tuple(shape)}")
        for size, entry in zip(shape, spec, strict=False):
            axes = () if entry is None else entry if isinstance(entry, tuple) else (entry,)
            for axis in axes:
                if axis not in self.mesh.axis_names:
                    expected = f"axes of the mesh: {', '.join(map(str, self.mesh.axis_names))}"
                    raise InputError(where, f"the axis {axis!r}", f"{expected}; devices may be a mesh with others")
            parts = int(np.prod([self.mesh.shape[axis] for axis in axes]))
            if size % parts:
                raise InputError(where, f"{parts} parts of shape {tuple(shape)}", "as many as divide it")
        return NamedSharding(self.mesh, spec)

    def rows_here(self, length: int) -> tuple[int, int]:
        """Return where the rows of a minibatch of that length that devices of this process have begin and end."""
        found = self.of_minibatch(length).addressable_devices_indices_map((length,)).values()
        bounds = [rows.indices(length) for (rows,) in found]
        return min(first for first, _, _ in bounds), max(last for _, last, _ in bounds)

    def put_minibatch(self, rows: np.ndarray, length: int) -> Any:
        """Bring a minibatch of that length to the devices; `rows` are those of `rows_here`."""
        import jax

        sharding = self.of_minibatch(length)
        if not self.shared:
            return jax.device_put(rows, sharding)
        begin, _ = self.rows_here(length)

        def part(index: tuple[slice, ...]) -> np.ndarray:
            first, last, _ = index[0].indices(length)
            return rows[(slice(first - begin, last - begin), *index[1:])]

        return jax.make_array_from_callback((length, *rows.shape[1:]), sharding, part)

    def put(self, value: np.ndarray, sharding: Any) -> Any:
        """Bring a value that all processes have to the devices, as a copy."""
        import jax

        if not self.shared:
            return jax.device_put(np.array(value), sharding)
        return jax.make_array_from_callback(value.shape, sharding, lambda index: np.array(value[index]))

    def fetch(self, array: Any) -> np.ndarray:
        """Return the whole value of an array of the devices; where other processes have some of it, all of them call this."""
        import jax
        from jax.sharding import NamedSharding, PartitionSpec

        if not array.is_fully_addressable and not array.is_fully_replicated:
            if self._gather is None:  # kept: a new function would be compiled at each call
                self._gather = jax.jit(lambda x: x, out_shardings=NamedSharding(self.mesh, PartitionSpec()))
            array = self._gather(array)
        return np.asarray(array)


def _chosen(devices: Any) -> list[Any]:
    """Return all devices of JAX, or the first so many; of several processes as many of each."""
    import jax

    present = sorted(jax.devices(), key=lambda device: device.process_index)
    if devices == "all":
        return present
    if not isinstance(devices, int | np.integer) or isinstance(devices, bool) or devices < 1:
        raise InputError("devices", repr(devices), EXPECTED)
    count, processes = int(devices), jax.process_count()
    kinds = ", ".join(sorted({device.platform for device in present}))
    of_each = [[device for device in present if device.process_index == i] for i in range(processes)]
    most = processes * min(map(len, of_each))
    if count > most:
        where = "here" if processes == 1 else f"in {processes} processes, as many of each"
        raise InputError("devices", str(count), f"at most {most}, the devices that JAX has {where} ({kinds})")
    if count % processes:
        raise InputError("devices", str(count), f"a multiple of {processes}, the processes")
    return [device for found in of_each for device in found[: count // processes]]
