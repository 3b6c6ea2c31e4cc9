"""What the contenders of `image_autoencoder_epoch.py` share: images, first weights, and the order of the images."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

BATCH = 64
LEARNING_RATE, MOMENTUM = 0.00015 * BATCH, float(np.exp(-BATCH / 600))


def settings() -> tuple[int, np.ndarray, dict[str, np.ndarray], Callable[[], np.ndarray]]:
    """Return the pooling window, images (n, 784) float32, the weights by name, and a new order of the images at each call."""
    images, weights, pool = sys.argv[1:4]
    with np.load(weights) as file:
        values = {name: file[name] for name in file.files}
    data = np.load(images)
    rng = np.random.RandomState(5)
    return int(pool), data, values, lambda: rng.permutation(len(data))
