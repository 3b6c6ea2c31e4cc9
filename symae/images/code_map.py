"""Codes as a map: what a model has made of many images, two numbers each, coloured by their labels."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from symae._runtime.checks import finite
from symae.errors import InputError

# Tableau's, darker where white paper needs it; the numbers on the map say the same to who cannot tell them apart.
# Labels beyond these get others, as far apart as hues allow.
COLOURS = ("#4e79a7", "#f28e2b", "#d1484a", "#76b7b2", "#59a14f", "#d9b300", "#b07aa1", "#ff8fa3", "#8c6239", "#7f7f7f")
MOST_NAMED = 40  # labels in the legend and on the map
SIDE, GAP, LEGEND = 640, 24, 56  # pixels: the plot, the paper around it, the room for the legend
RADIUS = 3.2
FINER = 4  # drawn so many times larger, and then made small: Pillow's discs have steps
PAPER, INK, MUTED, RULE = "#ffffff", "#202020", "#5f6368", "#d0d0d0"


def principal_components(codes: Any, count: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Compute the coordinates of codes along the directions in which they vary most.

    Parameters
    ----------
    codes : array (n, ...), n at least 2
        Maps are taken as vectors.
    count : int

    Returns
    -------
    coordinates : array (n, count) of float64
        Centred. The largest coordinate along each direction, by magnitude, is positive, so that the same codes have the same
        map everywhere. Directions that codes of fewer numbers do not have are zero.
    shares : array (count,)
        Of the codes' variance that each direction has.

    Raises
    ------
    InputError
        There are fewer than two codes, or values that are not finite.
    """
    vectors = np.asarray(codes, dtype=np.float64)
    if vectors.ndim < 2 or len(vectors) < 2 or not vectors.size:
        raise InputError("codes", f"shape {vectors.shape}", "(n, ...) with at least two codes of at least one number")
    vectors = finite("codes", vectors).reshape((len(vectors), -1))
    u, s, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    coordinates, shares = np.zeros((len(vectors), count)), np.zeros(count)
    found = min(count, len(s))
    coordinates[:, :found] = u[:, :found] * s[:found]
    if s[0] > 0:
        shares[:found] = np.square(s[:found]) / np.square(s).sum()
    largest = np.take_along_axis(coordinates, np.abs(coordinates).argmax(axis=0)[None], axis=0)
    return coordinates * np.where(largest < 0, -1.0, 1.0), shares


def code_map(codes: Any, labels: Any = None) -> Image.Image:
    """Draw codes as dots, coloured by their labels, along their two principal components.

    Each label stands in the middle of its dots too. Both directions have one scale. Codes of a single number lie in a row for
    each label.

    Parameters
    ----------
    codes : array (n, ...), n at least 2
    labels : array (n,) of integers from 0 on, or None
        Of any number of classes; more than 40 are not named on the map. Without labels all dots have one colour.

    Raises
    ------
    InputError
        As in `principal_components`; or there is not a label for each code.
    """
    points, shares = principal_components(codes)
    digits = np.zeros(len(points), np.int64) if labels is None else np.asarray(labels)
    if digits.shape != (len(points),) or digits.dtype.kind not in "iu" or digits.min() < 0:
        found = f"{digits.dtype} of shape {digits.shape}"
        if digits.size and digits.dtype.kind in "iu":
            found += f" from {digits.min()} to {digits.max()}"
        raise InputError("labels", found, f"{len(points)} integers from 0 on")
    known, digits_of = np.unique(digits, return_inverse=True)  # by their place among those there are
    one_number = np.asarray(codes)[0].size == 1
    if one_number:
        points[:, 1] = -digits_of * max(np.ptp(points[:, 0]), 1e-12) / max(len(known), len(COLOURS))
    low, high = points.min(axis=0), points.max(axis=0)
    extent = max(high - low)
    scale = (SIDE - 4 * RADIUS) / extent if extent > 0 else 1.0
    width, height = (int(side) for side in np.ceil((high - low) * scale + 4 * RADIUS))
    named = [] if labels is None or len(known) > MOST_NAMED else [int(label) for label in known]
    width, height = max(width, 10 * GAP), max(height, max(10, len(named)) * GAP)  # the legend has to stand beside it
    # up is more; the middle of the dots is the middle of the plot
    drawn = (points - (low + high) / 2) * scale * (1, -1) + (width / 2, height / 2)

    paper = Image.new("RGB", (width + LEGEND + 2 * GAP, height + 3 * GAP), PAPER)
    paper.paste(_dots(drawn, digits, (width, height)), (GAP, GAP))
    pen = ImageDraw.Draw(paper)
    pen.rectangle((GAP - 1, GAP - 1, GAP + width, GAP + height), outline=RULE)
    for digit, middle in zip(named, _apart([np.median(drawn[digits == d], axis=0) for d in named]), strict=True):
        font = ImageFont.load_default(size=24)
        centre = tuple(np.clip(middle, GAP / 2, (width - GAP / 2, height - GAP / 2)) + GAP)
        pen.text(centre, str(digit), fill=INK, font=font, anchor="mm", stroke_width=3, stroke_fill=PAPER)
    small = ImageFont.load_default(size=14)
    across, up = ("a row for each label", "") if one_number else (f"across {_percent(shares[0])}", f"up {_percent(shares[1])}")
    axes = f"the code's one number across, {across}" if one_number else f"principal components of the code: {across}, {up}"
    pen.text((GAP, height + GAP + GAP // 2), axes, fill=MUTED, font=small)
    if named:
        _legend(paper, (GAP + width + GAP, GAP), named)
    return paper


def _colour(label: int) -> str:
    if label < len(COLOURS):
        return COLOURS[label]
    red, green, blue = colorsys.hls_to_rgb(label * 0.618034 % 1, 0.45, 0.6)  # the golden ratio comes near no hue twice
    return f"#{int(red * 255):02x}{int(green * 255):02x}{int(blue * 255):02x}"


def _dots(drawn: np.ndarray, digits: np.ndarray, size: tuple[int, int]) -> Image.Image:
    fine = Image.new("RGB", (size[0] * FINER, size[1] * FINER), PAPER)
    pen = ImageDraw.Draw(fine)
    # in no order, so that no label lies over the others; the same at each call
    for i in np.random.RandomState(0).permutation(len(drawn)):
        (x, y), r = drawn[i] * FINER, RADIUS * FINER
        pen.ellipse((x - r, y - r, x + r, y + r), fill=_colour(int(digits[i])))
    return fine.resize(size, Image.Resampling.BOX)


def _legend(paper: Image.Image, corner: tuple[int, int], digits: list[int]) -> None:
    font = ImageFont.load_default(size=16)
    drawn = np.array([(2 * RADIUS, (row + 0.5) * GAP) for row in range(len(digits))])
    discs = Image.new("RGB", ((int(4 * RADIUS) + 1) * FINER, len(digits) * GAP * FINER), PAPER)
    pen = ImageDraw.Draw(discs)
    for (x, y), digit in zip(drawn * FINER, digits, strict=True):
        r = 2 * RADIUS * FINER
        pen.ellipse((x - r, y - r, x + r, y + r), fill=_colour(digit))
    paper.paste(discs.resize((discs.width // FINER, discs.height // FINER), Image.Resampling.BOX), corner)
    pen = ImageDraw.Draw(paper)
    for (x, y), digit in zip(drawn, digits, strict=True):
        pen.text((corner[0] + x + 4 * RADIUS, corner[1] + y), str(digit), fill=INK, font=font, anchor="lm")


def _apart(middles: list[np.ndarray], least: float = 26.0) -> list[np.ndarray]:
    """Move the points in `middles` so far from one another that a number can stand at each."""
    moved = [np.array(middle) for middle in middles]
    for _ in range(50):
        for i, a in enumerate(moved):
            for b in moved[:i]:
                off = a - b
                distance = float(np.hypot(*off))
                if distance < least:
                    step = (off / distance if distance else np.array([0.0, 1.0])) * (least - distance) / 2
                    a += step
                    b -= step
    return moved


def _percent(share: float) -> str:
    return f"{share:.0%} of its variance"
