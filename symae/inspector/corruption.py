"""Images that are damaged on purpose, and drawings put where the data has its digits."""

from __future__ import annotations

import numpy as np
from PIL import Image

from symae.datasets.centring import BOX, SIDE, centred_by_mass
from symae.errors import InputError

CORRUPTIONS = ("zero", "noise")


def corrupted(images: np.ndarray, kind: str, level: float, seed: int, limits: tuple[float, float] = (0.0, 1.0)) -> np.ndarray:
    """Damage images within `limits` by `level`, from 0 to 1; the same for the same seed.

    "zero" sets each pixel to zero with that probability, as denoising autoencoders see them; "noise" adds normally distributed
    noise of that standard deviation, in units of the limits' distance, and cuts the sum to them, as in worksheet 05.
    """
    if kind not in CORRUPTIONS:
        raise InputError("kind", repr(kind), f"one of {', '.join(CORRUPTIONS)}")
    if not 0 <= level <= 1:
        raise InputError("level", str(level), "a number from 0 to 1")
    if level == 0:
        return images
    rng = np.random.RandomState(seed)
    if kind == "zero":
        return images * (rng.uniform(size=images.shape) >= level)
    low, high = limits
    return np.clip(images + (high - low) * level * rng.standard_normal(images.shape), low, high)


def centred(image: np.ndarray) -> np.ndarray:
    """Resize and move a drawing (h, w) from 0 to 1 like MNIST's digits: 20 pixels at most, centre of mass in the middle.

    A drawing without ink is as it was.
    """
    ink = image > 0.1
    if not ink.any():
        return image
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    part = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    h, w = image.shape
    factor = min(h, w) * BOX / SIDE / max(part.shape)
    size = [max(1, round(side * factor)) for side in part.shape]
    picture = Image.fromarray(part.astype(np.float32)).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    small = np.clip(np.asarray(picture, dtype=image.dtype), 0, 1)
    return centred_by_mass(small, image.shape)
