"""``theano.sandbox.cuda.dnn``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from typing import Any

from symae.theano.sandbox.cuda import gpu_getter

__all__ = ["dnn_available", "version"]


def dnn_available() -> bool:
    """Return False: there is no cuDNN."""
    return False


dnn_available.msg = "there is no GPU"  # type: ignore[attr-defined]  # where programs look for the reason


def version(*args: Any, **kwargs: Any) -> int:
    """Return -1, as where there is no cuDNN."""
    return -1


__getattr__ = gpu_getter(__name__)
