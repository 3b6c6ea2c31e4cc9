"""JAX: one program of XLA, on whatever device JAX has; shared variables stay there, and kernels raise errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pytensor.compile.mode import JAX, Mode
from pytensor.link.jax.linker import JAXLinker

from symae._runtime.jax_64_bits import in_64_bits, with_64_bits
from symae.compile.backends.base import Backend, build_with
from symae.compile.device_arrays import DeviceLinker, Sent
from symae.ops.base import connect
from symae.ops.jax_on_host import call_on_host
from symae.ops.runtime_errors import error_unless, with_checks
from symae.ops.traced import NumPyLikeArrays
from symae.rewrites.lazy_branches import rewrite_loop_steps
from symae.rewrites.registry import EAGER_BRANCHES, FUNCTIONS_OF_NUMBERS, STATIC_SHAPES

if TYPE_CHECKING:
    from symae.compile.loops.base import IndexedStep, Loop

ALIGNMENT = 64  # bytes; XLA's, on CPUs


class JAXArrays(NumPyLikeArrays):
    """Provide the functions of `symae.ops.traced.Arrays`, of JAX."""

    taking: ClassVar[dict[str, str]] = {"mode": "clip"}

    def __init__(self) -> None:
        import jax

        self.jax, self.np = jax, jax.numpy
        self.integer = jax.dtypes.canonicalize_dtype(np.int64)

    def constant(self, value: list[Any], like: Any = None) -> Any:
        return self.np.asarray(value, self.integer if like is None else like.dtype)

    def check(self, condition: Any, error: Callable[..., Exception], *values: Any) -> Any:
        if error_unless(condition, error, *values):
            return True

        def on_host(holds: Any, *values: Any) -> list[bool]:
            if not holds:
                raise error(*values)
            return [True]

        # PyTensor's own mode, or a loop
        return call_on_host(on_host, [self.jax.ShapeDtypeStruct((), np.bool_)], condition, *values)[0]


class _RaisingJAXLinker(JAXLinker):
    """Raises what kernels have found to be wrong when the function runs."""

    def jit_compile(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        import jax

        def compiled(traced: Callable[..., Any]) -> Callable[..., Any]:
            return with_64_bits(super(_RaisingJAXLinker, self).jit_compile(traced))

        if not self.fgraph.outputs:
            return compiled(fn)
        return with_checks(fn, compiled, jax.numpy.stack, len(self.fgraph.outputs))


class JAXDeviceLinker(DeviceLinker, _RaisingJAXLinker):
    """Link as PyTensor's JAXLinker, with shared variables that stay on the device, with errors, and with 64-bit numbers."""

    def fgraph_convert(self, *arguments: Any, **keywords: Any) -> Any:
        with in_64_bits():
            return super().fgraph_convert(*arguments, **keywords)

    def create_thunk_inputs(self, storage_map: dict[Any, Any]) -> list[Any]:
        with in_64_bits():
            return super().create_thunk_inputs(storage_map)

    def to_device(self, value: np.ndarray) -> Sent:
        import jax

        if not value.flags.c_contiguous or not _reads_host_memory():
            return value, with_64_bits(jax.device_put)(value), False
        if _address(value) % ALIGNMENT:
            value = _aligned(value, value.dtype)
        return value, value, True  # jax.jit reads it where it is, and costs less than device_put

    def adopt_update(self, output: Any, dtype: str, position: int, taken: set[int]) -> Sent:
        if not _reads_host_memory():
            return np.array(output, dtype), output, False
        return self.to_device(_aligned(np.asarray(output), np.dtype(dtype)))


def _reads_host_memory() -> bool:
    import jax

    return bool(jax.default_backend() == "cpu")


def _address(value: np.ndarray) -> int:
    return int(value.__array_interface__["data"][0])


def _aligned(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return a copy in memory that XLA can use as it is."""
    memory = np.empty(value.size * dtype.itemsize + ALIGNMENT, np.uint8)
    offset = -_address(memory) % ALIGNMENT
    copy = memory[offset : offset + value.size * dtype.itemsize].view(dtype).reshape(value.shape)
    copy[...] = value
    return copy


def _loop(indexed: IndexedStep) -> Loop:
    from symae.compile.loops.jax import JAXLoop

    return JAXLoop(indexed)


rewrite_loop_steps("jax")

BACKEND = Backend(
    name="jax",
    title="JAX",
    compiler="XLA",
    mode=Mode(JAXDeviceLinker(), JAX.provided_optimizer),
    needs=(FUNCTIONS_OF_NUMBERS, STATIC_SHAPES, EAGER_BRANCHES),
    module="jax",
    extra="jax",
    dispatch="pytensor.link.jax.dispatch",
    overrides=(functools.partial(connect, "jax", build=build_with(JAXArrays)),),
    array_namespace=JAXArrays,
    loop=_loop,
    array_packages=("jax", "jaxlib"),
    # JAX cannot check at run time that indices broadcast; it refuses those that do not by itself
    held_back=(r"Skipping `?Assert.*Could not broadcast dimensions",),
)
