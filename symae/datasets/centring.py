"""Where a digit is put on its paper, as MNIST's were: by its centre of mass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# LeCun, Cortes and Burges, "The MNIST database of handwritten digits": fitted into 20 x 20 pixels, on 28 x 28
BOX = 20
SIDE = 28


def centred_by_mass(ink: np.ndarray, shape: Sequence[int] = (SIDE, SIDE)) -> np.ndarray:
    """Put ink (h, w) on paper of `shape`, at least as large, its centre of mass in the middle to the nearest pixel.

    No ink goes over the edge. Of ink that is zero everywhere the middle counts as its centre.
    """
    total = ink.sum(dtype=float)
    paper = np.zeros(shape, ink.dtype)
    corner = []
    for axis, size in enumerate(ink.shape):
        mass = ink.sum(axis=1 - axis, dtype=float)
        middle = (mass * np.arange(size)).sum() / total + 0.5 if total > 0 else size / 2
        corner.append(int(np.clip(round(shape[axis] / 2 - middle), 0, shape[axis] - size)))
    paper[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return paper
