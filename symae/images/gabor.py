"""How much a filter is like an edge: how well a Gabor function describes it.

Source: Jones and Palmer (1987), "An evaluation of the two-dimensional Gabor filter model of simple receptive fields in cat
striate cortex".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symae._runtime.checks import as_numbers
from symae.errors import InputError

STARTS = 2  # phases that a fit begins with


def gabor_fit(filters: Any) -> np.ndarray:
    """Fit a Gabor function to each filter, and return how much of its variation that explains.

    .. math:: g(u, v) = a \\exp(-u'^2 / 2 s_u^2 - v'^2 / 2 s_v^2) \\cos(2 \\pi f u' + p)

    where u' and v' are the place relative to a centre, turned by an angle. Centre, angle, frequency f, phase p, widths and a
    are fitted by least squares, from the peak of the filter's spectrum.

    Parameters
    ----------
    filters : array (n, h, w), (n, c, h, w) or (n, h, w, 3)
        Of coloured filters the direction in colours is taken in which the filter varies most.

    Returns
    -------
    array (n,) of float64
        R², 1 for a Gabor function and near 0 for noise; 0 for a filter that is constant.

    Raises
    ------
    InputError
        `filters` are not as above, or not finite.
    """
    expected = "finite filters (n, h, w) or (n, c, h, w)"
    array = as_numbers("filters", filters, expected, "float64")
    if array.ndim == 4:
        planes = np.moveaxis(array, 3, 1) if array.shape[3] == 3 and array.shape[1] != 3 else array
        array = np.stack([_main_colour(found) for found in planes])
    if array.ndim != 3 or not array.size or not np.isfinite(array).all():
        raise InputError("filters", f"shape {np.shape(filters)}", expected)
    return np.array([_explained(found) for found in array])


def _main_colour(planes: np.ndarray) -> np.ndarray:
    """Return the first principal component over the channels of (c, h, w)."""
    flat = planes.reshape(len(planes), -1)
    _, _, components = np.linalg.svd(flat, full_matrices=False)
    return components[0].reshape(planes.shape[1:])


def _explained(picture: np.ndarray) -> float:
    from scipy.optimize import least_squares

    h, w = picture.shape
    scale = np.linalg.norm(picture - picture.mean())
    if not scale:
        return 0.0
    target = (picture / scale).reshape(-1)
    v, u = (axis.reshape(-1).astype(np.float64) for axis in np.mgrid[:h, :w])
    spectrum = np.abs(np.fft.fft2(picture - picture.mean()))
    at = np.unravel_index(int(spectrum.argmax()), spectrum.shape)
    fv, fu = np.fft.fftfreq(h)[at[0]], np.fft.fftfreq(w)[at[1]]
    weight = np.square(target)
    centre = [float((axis * weight).sum() / weight.sum()) for axis in (u, v)]

    def parts(p: np.ndarray) -> tuple[np.ndarray, ...]:
        along = (u - p[0]) * np.cos(p[2]) + (v - p[1]) * np.sin(p[2])
        across = (v - p[1]) * np.cos(p[2]) - (u - p[0]) * np.sin(p[2])
        bell = np.exp(-np.square(along / p[5]) / 2 - np.square(across / p[6]) / 2)
        wave = 2 * np.pi * p[3] * along + p[4]
        return along, across, bell * np.cos(wave), bell * np.sin(wave)

    def residual(p: np.ndarray) -> np.ndarray:
        return p[7] * parts(p)[2] - target

    def derivatives(p: np.ndarray) -> np.ndarray:
        along, across, even, odd = parts(p)
        by_along = p[7] * (-along / p[5] ** 2 * even - 2 * np.pi * p[3] * odd)
        by_across = p[7] * -across / p[6] ** 2 * even
        cos, sin = np.cos(p[2]), np.sin(p[2])
        columns = [
            -cos * by_along + sin * by_across,
            -sin * by_along - cos * by_across,
            across * by_along - along * by_across,
            -p[7] * odd * 2 * np.pi * along,
            -p[7] * odd,
            p[7] * even * np.square(along) / p[5] ** 3,
            p[7] * even * np.square(across) / p[6] ** 3,
            even,
        ]
        return np.stack(columns, axis=1)

    side = float(max(h, w))
    low = [-side, -side, -4 * np.pi, 0, -4 * np.pi, 0.4, 0.4, 0]
    high = [2 * side, 2 * side, 4 * np.pi, 0.5, 4 * np.pi, 2 * side, 2 * side, 10]
    best = np.inf
    for start in range(STARTS):
        begin = [*centre, np.arctan2(fv, fu), min(np.hypot(fu, fv), 0.49), start * np.pi / 2, side / 5, side / 4, 0.4]
        found = least_squares(residual, np.clip(begin, low, high), derivatives, bounds=(low, high), max_nfev=60)
        best = min(best, 2 * found.cost)
    centred = target - target.mean()
    return float(max(0.0, 1 - best / np.square(centred).sum()))
