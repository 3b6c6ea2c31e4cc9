"""``theano.sandbox.cuda.dnn``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from typing import Any

from symae.theano.sandbox.cuda import no_gpu

__all__ = ["dnn_available", "version"]


def dnn_available() -> bool:
    """False."""
    return False


dnn_available.msg = "there is no GPU"  # type: ignore[attr-defined]  # where programs look for the reason


def version(*args: Any, **kwargs: Any) -> int:
    """-1, as where there is no cuDNN."""
    return -1


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = no_gpu("theano.sandbox.cuda.dnn", name)
    return globals()[name]
