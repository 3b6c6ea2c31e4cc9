"""The input that excites a unit most among all of one length.

Source: for the first layer A. Ng, "Sparse autoencoder" (CS294A, 2011): under ‖x‖ ≤ c the input is c w / ‖w‖. For deeper units
gradient ascent, as D. Erhan, Y. Bengio, A. Courville and P. Vincent (2009), "Visualizing higher-layer features of a deep
network".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.inspector.functions import Functions
from symae.models.base import Model
from symae.models.description import FilterLayer

STEPS = 60
STARTS = 6
# so many times the bound away from the origin, a rectified unit of the first layer is active for half of all directions
FAR = 1000.0


@dataclass(frozen=True, eq=False)
class BestInput:
    """Hold an input under a norm bound, and what the unit makes of it.

    Attributes
    ----------
    input : array (pixels,)
    value : float
        What the unit computes of it; of a map, at one place.
    bound : float
    how : str
        In words.
    """

    input: np.ndarray
    value: float
    bound: float
    how: str


def best_input(
    model: Model,
    layer: FilterLayer,
    unit: int,
    bound: float,
    functions: Functions,
    pixels: int,
    start: np.ndarray | None = None,
) -> BestInput | None:
    """Find the input of norm at most `bound`, of so many `pixels`, that excites a unit of `layer` most; None if it is dead.

    A unit that is a map is one of its places here: in the first layer that in the middle, elsewhere that where `start` excites
    it.

    In closed form where the layer sees pixels: the unit's gradient points into one direction wherever it is active, which is
    that of its weights. Elsewhere by gradient ascent from several starts with steps that get shorter, put back to the bound
    after each; the best place on all ways counts. One start is `start`, such as the test image that excites the unit most; the
    others are random. A unit that has no gradient in any of them, because it is below its bias everywhere there, is dead.
    """
    rng = np.random.RandomState(unit)
    starts = rng.standard_normal((STARTS, pixels))
    if start is not None and np.linalg.norm(start) > 0:
        starts[0] = start

    place = np.zeros(2, dtype=np.int64)
    if layer.expression.type.ndim == 4:
        (values,) = functions(("values", layer.name), lambda: ([model.x], [layer.expression]), _images(model, starts[:1]))
        h, w = values.shape[2:]
        place[:] = h // 2, w // 2
        if not layer.sees_pixels and start is not None:
            place[:] = np.unravel_index(int(values[0, unit].argmax()), (h, w))

    def climb(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values, gradients = functions(
            ("climb", layer.name), lambda: _graph(model, layer.expression), _images(model, x), unit, place
        )
        return values, gradients.reshape(len(x), -1)

    if layer.sees_pixels:
        _, slopes = climb(_onto(starts, bound * FAR)) if layer.kind != "dense" else (None, _dense_slope(model, layer, unit))
        if not np.isfinite(slopes).all():
            return BestInput(np.full(pixels, np.nan), np.nan, bound, "none: the weights are not finite")
        slopes = slopes / (np.abs(slopes).max() or 1.0)  # the square of a number near the largest float is infinite
        norms = np.linalg.norm(slopes, axis=1)
        if not norms.max() > 0:
            return None
        x = bound * slopes[norms.argmax()] / norms.max()
        return BestInput(x, float(climb(x[None])[0][0]), bound, "closed form: the weights, as long as the bound allows")
    x = _onto(starts, bound)
    best, best_value, moved = x[0], -np.inf, False
    for step in range(STEPS + 1):
        values, slopes = climb(x)
        top = int(values.argmax())
        if values[top] > best_value:
            best, best_value = x[top].copy(), float(values[top])
        norms = np.linalg.norm(slopes, axis=1, keepdims=True)
        moved = moved or bool((norms > 0).any())
        length = bound * 0.3 * (1 - step / STEPS) + 1e-3 * bound
        x = _within(x + length * slopes / np.where(norms > 0, norms, 1), bound)
    if not moved:
        return None
    return BestInput(best, best_value, bound, f"gradient ascent, {STEPS} steps from {STARTS} starts")


def _graph(model: Model, expression: Variable) -> tuple[list[Variable], list[Variable]]:
    unit, place = pt.lscalar("unit"), pt.lvector("place")
    values = expression[:, unit]
    if values.type.ndim == 3:
        values = values[:, place[0], place[1]]
    return [model.x, unit, place], [values, pt.grad(values.sum(), model.x)]


def _images(model: Model, rows: np.ndarray) -> np.ndarray:
    return model.checked_input("images", rows.astype(pytensor.config.floatX))


def _dense_slope(model: Model, layer: FilterLayer, unit: int) -> np.ndarray:
    return np.asarray(layer.weights(model.parameters()[layer.name])[unit], dtype=np.float64)[None]


def _onto(x: np.ndarray, bound: float) -> np.ndarray:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x * bound / np.where(norms > 0, norms, 1)


def _within(x: np.ndarray, bound: float) -> np.ndarray:
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x * np.minimum(1, bound / np.where(norms > 0, norms, 1))
