"""``theano.d3viz``: graphs drawn into an HTML page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytensor.d3viz.d3viz import d3viz as _d3viz
from pytensor.d3viz.d3viz import d3write as _d3write
from pytensor.d3viz.formatting import PyDotFormatter

from symae.theano._impl.absent import getter, is_also

__all__ = ["PyDotFormatter", "d3viz", "d3write"]


def d3viz(fct: Any, outfile: str, copy_deps: bool = True, *args: Any, **kwargs: Any) -> None:
    """Draw the graph of a function, or of variables, into the HTML page `outfile`.

    What the page needs is copied into a folder ``d3viz`` beside it, or read from PyTensor's folder if not `copy_deps`. Other
    arguments are PyDotFormatter's.

    Raises
    ------
    RuntimeError
        pydot or Graphviz are not installed.
    """
    _drawn(_d3viz, fct, outfile, copy_deps, *args, **kwargs)


def d3write(fct: Any, path: str, *args: Any, **kwargs: Any) -> None:
    """Write the graph of a function, or of variables, to `path` as Graphviz's text; errors are those of `d3viz`."""
    _drawn(_d3write, fct, path, *args, **kwargs)


def _drawn(draw: Callable[..., None], fct: Any, *args: Any, **kwargs: Any) -> None:
    try:
        draw(getattr(fct, "_compiled", fct), *args, **kwargs)
    except (RuntimeError, ImportError) as error:
        raise RuntimeError(f"{error} (theano.printing.debugprint prints the graph as text)") from error


__getattr__ = getter(__name__, pytensor=["pytensor.d3viz.d3viz", "pytensor.d3viz.formatting"])
is_also(__name__, "formatting")
