"""``theano.sandbox.cuda``: there is no GPU. A program asks, ``cuda_available`` is False, and it takes its CPU's branch.

Functions and classes of this package can be imported, tested with ``isinstance``, and not called.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any

from symae.errors import InputError

__all__ = ["cuda_available", "cuda_enabled", "gpu_getter", "gpu_modules", "handle_shared_float32", "no_gpu", "unuse", "use"]

cuda_available = cuda_enabled = False
cuda_initialization_error_message = "there is no GPU in symae.theano"


def use(device: Any = None, *args: Any, **kwargs: Any) -> None:
    """Warn that `device` is not there: everything is computed on the CPU."""
    warnings.warn(f"theano.sandbox.cuda.use({device!r}): there is no GPU, symae.theano computes on the CPU", stacklevel=2)


def unuse() -> None:
    """Do nothing: no GPU is in use."""


def handle_shared_float32(tf: bool) -> None:
    """Do nothing: shared variables are on the CPU."""


def no_gpu(module: str, name: str) -> Any:
    """Make a class that can be asked for, not called: what a GPU's `module`, one of Theano's, answers for `name`."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise InputError(f"{module}.{name}", "no GPU", "the program's branch for the CPU, where theano.config.device is 'cpu'")

    return builtins.type(name, (), {"__init__": refuse, "__module__": module, "__doc__": "Needs a GPU."})


def gpu_getter(module: str, submodules: Iterable[str] = ()) -> Callable[[str], Any]:
    """Make a ``__getattr__`` for a GPU's module: its submodules when they are asked for, and `no_gpu` for all other names."""
    theanos, submodules = module.replace("symae.theano", "theano", 1), frozenset(submodules)

    def __getattr__(name: str) -> Any:
        if name in submodules:
            return importlib.import_module(f"{module}.{name}")
        if name.startswith("__"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        refusing = no_gpu(theanos, name)
        setattr(sys.modules[module], name, refusing)
        return refusing

    return __getattr__


def gpu_modules(package: str, names: Iterable[str]) -> Callable[[str], Any]:
    """Make modules of `package` that have no file, only `no_gpu` for every name; return the package's ``__getattr__``."""
    for full in (f"{package}.{name}" for name in names):
        module = sys.modules[full] = module_from_spec(ModuleSpec(full, None))
        module.__doc__ = f"``{full.removeprefix('symae.')}``: needs a GPU, see `symae.theano.sandbox.cuda`."
        module.__getattr__ = gpu_getter(full)  # type: ignore[method-assign]
    return gpu_getter(package, [*names, "dnn"])


__getattr__ = gpu_modules(__name__, ["basic_ops", "blas", "fftconv", "nnet", "opt", "rng_curand", "type", "var"])
