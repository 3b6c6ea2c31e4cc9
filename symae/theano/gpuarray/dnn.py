"""``theano.gpuarray.dnn``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from typing import Any

from symae.theano.sandbox.cuda import no_gpu

__all__ = ["dnn_available", "dnn_present", "version"]


def dnn_available(context_name: Any = None) -> bool:
    """False."""
    return False


dnn_available.msg = "there is no GPU"  # type: ignore[attr-defined]  # where programs look for the reason


def dnn_present() -> bool:
    """False."""
    return False


def version(*args: Any, **kwargs: Any) -> int:
    """-1, as where there is no cuDNN."""
    return -1


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = no_gpu("theano.gpuarray.dnn", name)
    return globals()[name]
