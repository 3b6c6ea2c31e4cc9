"""What a node of a model computes of all test images, as rows of numbers: laid out on a plane, and compared."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.inspector.embeddings import METHODS, Embedding, embedding, neighbours
from symae.inspector.functions import Functions
from symae.inspector.subject import Subject

CHUNK = 50
LARGEST = 2**28  # bytes that the codes of all images may take


class Codes:
    """Hold the codes of images, rows of numbers, and their maps.

    Attributes
    ----------
    values : array (n, k) of float32
    shape : tuple of int
        Of one code; its product is k.
    """

    def __init__(self, name: str, values: np.ndarray, shape: tuple[int, ...]):
        self.name, self.values, self.shape = name, values, shape
        self._maps: dict[str, Embedding] = {}
        self._locks = {method: threading.Lock() for method in METHODS}  # what takes minutes keeps no other map waiting

    def __len__(self) -> int:
        return len(self.values)

    def map(self, method: str = "pca") -> Embedding:
        """Return places on a plane, found by one of `symae.inspector.embeddings.METHODS` and kept; the errors are theirs."""
        if method not in self._locks:
            return embedding(method, self.values)  # which refuses it
        with self._locks[method]:
            if method not in self._maps:
                self._maps[method] = embedding(method, self.values)
            return self._maps[method]

    def neighbours(self, image: int, count: int = 12) -> tuple[list[int], list[float]]:
        """Return the images whose codes are nearest to that of `image`, and how far away they are."""
        if not 0 <= image < len(self):
            raise InputError("image", str(image), f"a number from 0 to {len(self) - 1}")
        found, away = neighbours(self.values, image, count)
        return found.tolist(), [float(v) for v in away]


def computed_codes(name: str, model: Subject, outputs: Sequence[Variable], images: np.ndarray, functions: Functions) -> Codes:
    """Compute the codes that `outputs`, beside one another, are of images.

    Raises
    ------
    InputError
        They take more than 256 MiB, or are not finite.
    """
    rows: np.ndarray | None = None
    shape: tuple[int, ...] = ()
    for first in range(0, len(images), CHUNK):
        chunk = model.checked_input("images", images[first : first + CHUNK])
        parts = functions(("codes", name), lambda: ([model.x], list(outputs)), chunk)
        flat = np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)
        if rows is None:
            shape = parts[0].shape[1:] if len(parts) == 1 else flat.shape[1:]
            if (room := 4 * len(images) * math.prod(flat.shape[1:])) > LARGEST:
                words = f"{len(images)} of {flat.shape[1]} numbers, {room >> 20} MiB"
                raise InputError(f"codes by {name}", words, f"at most {LARGEST >> 20} MiB: fewer test images")
            rows = np.empty((len(images), flat.shape[1]), np.float32)
        rows[first : first + CHUNK] = flat
    if rows is None or not np.isfinite(rows).all():
        found = "none" if rows is None else "NaN or infinite numbers"
        raise InputError("codes of the test images", found, "finite ones: this training has diverged")
    return Codes(name, rows, shape)
