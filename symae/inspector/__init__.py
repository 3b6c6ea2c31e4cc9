"""What a network has learned, to look at: in the browser (``symae inspect``), as files, in Python and in notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symae.inspector.inspection import Inspection
    from symae.models.base import Model

__all__ = ["inspect"]


def inspect(
    model: Model | str | Path, images: Any = None, labels: Any = None, image_shape: Sequence[int] | None = None
) -> Inspection:
    """Return the objects behind the page of ``symae inspect``, for one model.

    Parameters
    ----------
    model : Model, or path
        A model, the folder of a run, or a saved model in it. Classes of one's own say in `symae.models.Model.describe` what
        there is to see.
    images : array (n, pixels), (n, h, w), (n, c, h, w) or (n, h, w, c) from 0 to 1, or the name of a data set, optional
        What to look at it with; by default test images of the run's data, or of the data set that is used by default.
    labels : array (n,) of integers, optional
        Of `images`.
    image_shape : (h, w), (c, h, w) or (h, w, c), optional
        How the numbers of an image lie in a row, if neither the model (``model.image_shape``) nor the images say it; by
        default a square of grey pixels. Three channels are drawn in colours.

    Returns
    -------
    symae.inspector.inspection.Inspection
        Jupyter shows its filters. ``filters()``, ``activity(layer)``, ``best_input(layer, unit)``, ``alone(layer, unit)``,
        ``reconstruct(image)``, ``latent`` and ``graph(name)`` are what the page shows.

    Raises
    ------
    InputError, MissingFileError
        There is no such model, or it is damaged, or the images are not of its size.

    Examples
    --------
    >>> import numpy as np
    >>> import symae
    >>> da = symae.Autoencoder(np.random.RandomState(0), n_visible=784, n_hidden=100)
    >>> inspection = symae.inspect(da)
    >>> inspection.filters().order("norm")[:3].shape
    (3,)
    """
    # PyTensor's compiler and the pictures are needed from here on, not to import symae
    from symae.inspector.loading import opened

    return opened(model, images, labels, image_shape)
