"""The first test images of the data that a run was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from symae.datasets import default, read
from symae.datasets.folders import find_mnist
from symae.datasets.formats.idx import read_test_images
from symae.datasets.pixel_scale import KERAS, scaled
from symae.inspector.layout import ImageLayout

COUNT = 1000


@dataclass(frozen=True, eq=False)
class Examples:
    """Hold images to look at."""

    images: np.ndarray  # (n, pixels) of float32, from 0 to 1 if they are pictures
    labels: np.ndarray | None  # (n,) of integers
    name: str  # in words
    pixel_scale: int = KERAS  # what bytes were divided by
    layout: ImageLayout | None = None  # how the pixels lie in a row, where that is known

    @cached_property
    def limits(self) -> tuple[float, float]:
        """What is drawn black and what white: 0 and 1, or the least and the largest number, if any is beyond."""
        low, high = float(self.images.min(initial=0)), float(self.images.max(initial=1))
        return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def read_examples(
    data: str | Path | None = None, count: int = COUNT, pixel_scale: int = KERAS, layout: ImageLayout | None = None
) -> Examples:
    """Read the first `count` test images of `data`, as `symae.datasets.read` takes it, bytes divided by `pixel_scale`.

    `layout` is that of the images that a run has seen, to which pictures of other sizes are brought.

    Of MNIST only the files of the test images are read, which takes a tenth of the time and of the memory of all.
    """
    chosen = default() if data is None else data
    folder = find_mnist() if chosen in ("mnist", "mini_mnist") else None
    if folder is not None:
        images, y = (part[:count] for part in read_test_images(folder))
        x, name, shape = images.reshape(len(images), -1), "MNIST", (1, *images.shape[1:])
        labels: np.ndarray | None = np.asarray(y, dtype=np.int64)
    else:
        dataset = read(chosen, image_shape=None if layout is None or layout.interleaved else layout.shape)
        x, name, shape = dataset.test.x[:count], dataset.name.partition(",")[0], dataset.image_shape
        labels = None if dataset.test.y is None else dataset.test.y[:count]
    images = scaled(x, pixel_scale, np.float32)
    found = ImageLayout(*shape)
    return Examples(images, labels, f"the first {len(images)} test images of {name}", pixel_scale, found)
