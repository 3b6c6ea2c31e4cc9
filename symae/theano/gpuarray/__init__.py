"""``theano.gpuarray``: there is no GPU, as `symae.theano.sandbox.cuda` says at more length."""

from __future__ import annotations

import warnings
from typing import Any

from symae.theano.sandbox.cuda import gpu_modules

__all__ = ["init_dev", "pygpu_activated", "use"]

pygpu_activated = False
pygpu = None


def use(device: Any = None, *args: Any, **kwargs: Any) -> None:
    """Warn that `device` is not there: everything is computed on the CPU."""
    warnings.warn(f"theano.gpuarray.use({device!r}): there is no GPU, symae.theano computes on the CPU", stacklevel=2)


init_dev = use


__getattr__ = gpu_modules(__name__, ["basic_ops", "blas", "type"])
