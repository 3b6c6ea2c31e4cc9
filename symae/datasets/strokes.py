"""Pen-stroke digits: what symae runs on where MNIST is not at hand.

``python -m symae.datasets.strokes digits.npz`` draws them again. A digit is a style of `symae.datasets.glyphs`, bent, slanted
and scaled as a hand would, drawn with a round pen whose pressure varies, and brought to MNIST's form: fitted into 20 x 20
pixels, centred by its mass in 28 x 28 (LeCun, Cortes and Burges, "The MNIST database of handwritten digits").
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.interpolate import CubicSpline

from symae._runtime.atomic_files import replacing
from symae.datasets.centring import BOX, centred_by_mass
from symae.datasets.glyphs import STYLES, strokes_of

SIZES = {"train": 5000, "valid": 1000, "test": 1000}
SEED = 20150519

OVERSAMPLING = 8


@dataclass(frozen=True)
class Hand:
    """Describe how one image is written, in the numbers that the whole digit shares.

    Lengths are in units of the digit's height.
    """

    bend: np.ndarray  # (6, 5): wave numbers (x, y), phase and displacement (x, y) of the waves that bend the paper
    affine: np.ndarray  # (2, 2): slant, rotation and the aspect ratio
    waist: float  # the exponent that moves the digit's middle up or down
    wobble: float  # standard deviation of the points
    pen: float  # radius
    pressure: float  # how much the radius varies along the stroke

    @classmethod
    def draw(cls, random: np.random.RandomState) -> Hand:
        waves = np.column_stack(
            [random.normal(0, 3.5, (6, 2)), random.uniform(0, 2 * np.pi, 6), random.normal(0, 0.026, (6, 2))],
        )
        angle = np.deg2rad(random.normal(0, 6))
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        # Most people lean to the right: y grows downwards, so the shear is negative.
        slant = np.array([[1, -np.clip(random.normal(0.2, 0.23), -0.4, 0.85)], [0, 1]])
        aspect = np.diag([np.exp(random.normal(0.06, 0.2)), 1])
        return cls(
            bend=waves,
            affine=rotation @ slant @ aspect,
            waist=float(np.exp(random.normal(0, 0.14))),
            wobble=float(random.uniform(0.008, 0.032)),
            pen=float(np.clip(0.061 * np.exp(random.normal(0, 0.3)), 0.03, 0.12)),
            pressure=float(random.uniform(0.03, 0.22)),
        )

    def place(self, points: np.ndarray) -> np.ndarray:
        """Bring points (k, 2) of a style to the paper, (k, 2)."""
        warped = np.column_stack([points[:, 0], np.maximum(points[:, 1], 0) ** self.waist])
        phase = warped @ self.bend[:, :2].T + self.bend[:, 2]
        return (warped + np.sin(phase) @ self.bend[:, 3:]) @ self.affine.T


def digit(label: int, random: np.random.RandomState) -> np.ndarray:
    """Draw the digit `label`, bytes (28, 28): 255 is full ink, 0 is paper.

    The stream of a RandomState is frozen by NumPy, so the same seed gives the same digit on every version.
    """
    weights = np.array([weight for weight, _ in STYLES[label]])
    style = int(random.choice(len(weights), p=weights / weights.sum()))
    hand = Hand.draw(random)
    dots = [_dots(pieces, hand, random) for pieces in strokes_of(STYLES[label][style][1])]
    return centred_by_mass(_inked(np.vstack(dots)))


def labels(random: np.random.RandomState, n: int) -> np.ndarray:
    """Return `n` labels in random order, every digit equally often, (n,) int64."""
    return random.permutation(np.arange(n) % 10).astype(np.int64)


def make(split: str, n: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Draw the first `n` digits of a split ("train", "valid" or "test"), or all: images (n, 784) and labels (n,), uint8.

    Every image has a seed of its own, so the first few of a split can be drawn without the rest.
    """
    number = list(SIZES).index(split)
    y = labels(np.random.RandomState([SEED, number]), SIZES[split])[:n]
    x = np.stack([digit(int(label), np.random.RandomState([SEED, number, i])) for i, label in enumerate(y)])
    return x.reshape(len(x), -1), y.astype(np.uint8)


def _dots(pieces: tuple[np.ndarray, ...], hand: Hand, random: np.random.RandomState) -> np.ndarray:
    """Return the pen's dots along one stroke: (k, 3), x, y and radius in units of the digit's height."""
    curve = []
    start = None
    for piece in pieces:
        points = piece + random.normal(0, hand.wobble, piece.shape)
        if start is not None:
            points[0] = start
        start = points[-1].copy()
        curve.append(_smooth(hand.place(points)))
    way = np.vstack(curve)
    along = np.linspace(0, 1, len(way))
    waves, shift = random.uniform(2, 7, 2), random.uniform(0, 2 * np.pi, 2)
    swell = np.sin(2 * np.pi * np.outer(along, waves) / 2 + shift).mean(axis=1)
    # A pen set down or lifted in movement leaves a thinner end.
    taper = 1 - hand.pressure * (
        random.uniform(0, 1.5) * np.exp(-along / 0.06) + random.uniform(0, 2) * np.exp((along - 1) / 0.08)
    )
    return np.column_stack([way, hand.pen * np.maximum(taper * (1 + hand.pressure * swell), 0.35)])


def _smooth(points: np.ndarray) -> np.ndarray:
    """Return the cubic spline through `points`, sampled about every hundredth of the digit's height."""
    knots = np.concatenate([[0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(points, axis=0), axis=1)) + 1e-3)])
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return CubicSpline(knots, points, bc_type="natural")(np.linspace(0, knots[-1], max(int(length / 0.015), 2)))


def _inked(dots: np.ndarray) -> np.ndarray:
    """Draw dots (k, 3) so that the ink's longer side is 20 pixels: (h, w) uint8."""
    low = (dots[:, :2] - dots[:, 2:]).min(axis=0)
    high = (dots[:, :2] + dots[:, 2:]).max(axis=0)
    scale = OVERSAMPLING * BOX / float((high - low).max())
    width, height = (int(np.ceil(side * scale / OVERSAMPLING - 1e-6)) for side in high - low)
    paper = Image.new("L", (width * OVERSAMPLING, height * OVERSAMPLING))
    pen = ImageDraw.Draw(paper)
    for (x, y), radius in zip((dots[:, :2] - low) * scale, dots[:, 2] * scale, strict=True):
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return np.asarray(paper.filter(ImageFilter.GaussianBlur(OVERSAMPLING * 0.1)).reduce(OVERSAMPLING))


def write(path: str) -> None:
    """Draw all digits and store them at `path`, an .npz file of arrays ``train_x``, ``train_y`` to ``test_y``."""
    arrays = {}
    for split in SIZES:
        arrays[f"{split}_x"], arrays[f"{split}_y"] = make(split)
    with replacing(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


if __name__ == "__main__":
    write(sys.argv[1])
