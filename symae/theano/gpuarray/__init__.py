"""``theano.gpuarray``: there is no GPU, as `symae.theano.sandbox.cuda` says at more length."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from symae.theano.sandbox.cuda import no_gpu

__all__ = ["init_dev", "pygpu_activated", "use"]

pygpu_activated = False
pygpu = None

_SUBMODULES = ["basic_ops", "blas", "dnn", "type"]


def use(device: Any = None, *args: Any, **kwargs: Any) -> None:
    """Warn that `device` is not there: everything is computed on the CPU."""
    warnings.warn(f"theano.gpuarray.use({device!r}): there is no GPU, symae.theano computes on the CPU", stacklevel=2)


init_dev = use


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = no_gpu("theano.gpuarray", name)
    return globals()[name]
