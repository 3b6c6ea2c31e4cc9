"""What a Sage worksheet has at hand, and the two modules of the Deep Learning Tutorials that such worksheets import."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.legacy.data import Data
from symae.legacy.sage import Html
from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["MODULES", "sage_names"]


def sage_names(session: Session) -> dict[str, Any]:
    """Return `DATA`, the folder of a worksheet's files, and `html`, which shows."""
    return {"DATA": f"{session.out}/", "html": Html(session)}


def _logistic_sgd(session: Session) -> ModuleType:
    from symae.datasets import load_data as load
    from symae.models import LogisticRegression
    from symae.theano._impl.variables import as_theano, mark

    class Marked(LogisticRegression):
        """Mark symae's model as one of legacy code."""

        def __init__(self, input: Any, n_in: int, n_out: int):
            as_theano(super().__init__)(input, n_in, n_out)
            mark(list(vars(self).values()))

        negative_log_likelihood = as_theano(LogisticRegression.negative_log_likelihood)
        errors = as_theano(LogisticRegression.errors)

    Marked.__name__ = Marked.__qualname__ = "LogisticRegression"

    def load_data(dataset: Any = "mnist.pkl.gz", *rest: Any, **more: Any) -> Any:
        """Load data; the tutorials' names for MNIST are the MNIST at hand, where the user has no such file."""
        files = session.files
        has_one = any(map(files.is_seen, files.places(str(dataset))[1]))
        name = None if has_one else Data(files).in_three_parts(str(dataset))
        where = name or files.for_reading(dataset)
        with files.unmapped():
            return mark([tuple(pair) for pair in load(where)])

    return module_of("logistic_sgd", {"LogisticRegression": Marked, "load_data": load_data})


def _utils(session: Session) -> ModuleType:
    from symae.images import tile_raster_images

    return module_of("utils", {"tile_raster_images": tile_raster_images, "scale_to_unit_interval": _to_unit_interval})


def _to_unit_interval(ndar: Any, eps: float = 1e-8) -> Any:
    """Scale from 0 to almost 1."""
    shifted = ndar - ndar.min()
    return shifted * (1.0 / (shifted.max() + eps))


MODULES: dict[str, Callable[[Session], ModuleType]] = {"logistic_sgd": _logistic_sgd, "utils": _utils}
