"""``theano.gpuarray.dnn``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from typing import Any

from symae.theano.sandbox.cuda import gpu_getter

__all__ = ["dnn_available", "dnn_present", "version"]


def dnn_available(context_name: Any = None) -> bool:
    """Return False: there is no cuDNN."""
    return False


dnn_available.msg = "there is no GPU"  # type: ignore[attr-defined]  # where programs look for the reason


def dnn_present() -> bool:
    """Return False: there is no cuDNN."""
    return False


def version(*args: Any, **kwargs: Any) -> int:
    """Return -1, as where there is no cuDNN."""
    return -1


__getattr__ = gpu_getter(__name__)
