"""How bytes of images become numbers from 0 to 1: the Deep Learning Tutorials divide by 256, Keras divides by 255.

A run records which (`symae.runs.record`), and whoever looks at its models shows them images of the same scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

TUTORIALS = 256  # exact in float32 and float64, white is 255/256
KERAS = 255  # white is 1
SCALES = (KERAS, TUTORIALS)


def scaled(pixels: np.ndarray, scale: int, dtype: DTypeLike) -> np.ndarray[Any, Any]:
    """Return a copy of `pixels` in `dtype`: bytes divided by `scale`, floats, which lie from 0 to 1 already, as they are."""
    numbers = pixels.astype(dtype)
    if pixels.dtype == np.uint8:
        numbers /= scale
    return numbers
