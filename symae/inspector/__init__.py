"""What a network has learned, to look at: in the browser (``symae inspect``), as files, in Python and in notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytensor.graph.basic import Variable

    from symae import keras
    from symae.inspector.graph_model import Inputs
    from symae.inspector.inspection import Inspection
    from symae.models.base import Model

__all__ = ["inspect"]


def inspect(
    model: Model | keras.Model | Mapping[str, Variable] | str | Path,
    images: Any = None,
    labels: Any = None,
    image_shape: Sequence[int] | None = None,
    *,
    inputs: Inputs | None = None,
) -> Inspection:
    """Return the objects behind the page of ``symae inspect``, for one model or any graph.

    Parameters
    ----------
    model : Model, `symae.keras.Model`, dict of name to symbolic array, or path
        A model; expressions by name, such as ``{"hidden": hidden, "drawn": drawn}``; the folder of a run, or a saved model in
        it. Of a graph those shared variables are layers that what depends on the input is multiplied with; the expression
        called "code", or that of the fewest numbers, is the code, and the last one of as many numbers as an image has is its
        reconstruction. Classes of one's own say in `symae.models.Model.describe` what there is to see.
    images : array (n, pixels), (n, h, w), (n, c, h, w) or (n, h, w, c), or the name of a data set, optional
        What to look at it with; by default test images of the run's data, or of the data set that is used by default. Bytes are
        divided by 255, other numbers are taken as they are.
    labels : array (n,) of integers, optional
        Of `images`.
    image_shape : (h, w), (c, h, w) or (h, w, c), optional
        How the numbers of an image lie in a row, if neither the model (``model.image_shape``) nor the images say it; by
        default a square of grey pixels. Three channels are drawn in colours.
    inputs : symbolic variable, or dict of symbolic variable to value, optional
        Of a graph with several free variables: values of all but the one that sees the images, of one example each. Or the
        variable that sees the images, which may be an expression: what is computed of it is shown.

    Returns
    -------
    symae.inspector.inspection.Inspection
        Jupyter shows its filters. ``filters()``, ``activity(layer)``, ``best_input(layer, unit)``, ``alone(layer, unit)``,
        ``reconstruct(image)``, ``codes(node)``, ``latent`` and ``graph(name)`` are what the page shows; ``show()`` opens the
        page, and ``export(path)`` keeps it as one file.

    Raises
    ------
    InputError, MissingFileError
        There is no such model, or it is damaged, or the images are not of its size; the graph has other free variables than
        `inputs` says, or cannot be computed.

    Examples
    --------
    >>> import numpy as np
    >>> import symae
    >>> da = symae.Autoencoder(np.random.RandomState(0), n_visible=784, n_hidden=100)
    >>> inspection = symae.inspect(da)
    >>> inspection.filters().order("norm")[:3].shape
    (3,)

    >>> import pytensor
    >>> import pytensor.tensor as pt
    >>> x, W = pt.matrix("x"), pytensor.shared(np.random.RandomState(0).randn(64, 5), name="W")
    >>> hidden = pt.sigmoid(x @ W)
    >>> inspection = symae.inspect({"hidden": hidden, "drawn": hidden @ W.T}, np.random.RandomState(0).rand(20, 8, 8))
    >>> inspection.filters("W").pictures.shape, inspection.reconstruct(3).output.shape
    ((5, 8, 8), (8, 8))
    """
    # PyTensor's compiler and the pictures are needed from here on, not to import symae
    from symae.inspector.loading import opened

    return opened(model, images, labels, image_shape, inputs)
