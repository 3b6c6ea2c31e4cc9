"""``theano.sandbox.cuda.type``: needs a GPU, see `symae.theano.sandbox.cuda`."""

from typing import Any

from symae.theano.sandbox.cuda import no_gpu

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = no_gpu("theano.sandbox.cuda.type", name)
    return globals()[name]
