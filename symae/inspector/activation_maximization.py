"""The input that excites a unit most among all of one length.

Source: for the first layer A. Ng, "Sparse autoencoder" (CS294A, 2011): under ‖x‖ ≤ c the input is c w / ‖w‖. For deeper units
gradient ascent, as D. Erhan, Y. Bengio, A. Courville and P. Vincent (2009), "Visualizing higher-layer features of a deep
network".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.inspector.functions import Functions
from symae.inspector.subject import Subject
from symae.models.description import FilterLayer

STEPS = 60
STARTS = 6
# so many times the bound away from the origin, a rectified unit of the first layer is active for half of all directions
FAR = 1000.0
AT_ONCE = 16  # units

Climb = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


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


def best_inputs(
    model: Subject,
    layer: FilterLayer,
    units: Sequence[int],
    bound: float,
    functions: Functions,
    pixels: int,
    starts: Sequence[np.ndarray | None],
) -> list[BestInput | None]:
    """Find the inputs of norm at most `bound`, of so many `pixels`, that excite units of `layer` most; None for a dead unit.

    A unit that is a map is one of its places here: in the first layer that in the middle, elsewhere that where its start
    excites it.

    In closed form where the layer sees pixels: the unit's gradient points into one direction wherever it is active, which is
    that of its weights. Elsewhere by gradient ascent from several starts with steps that get shorter, put back to the bound
    after each; the best place on all ways counts. One start is that in `starts`, such as the test image that excites the unit
    most; the others are random. A unit that has no gradient in any of them, because it is below its bias everywhere there, is
    dead.
    """
    found: list[BestInput | None] = []
    for first in range(0, len(units), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        found += _best_inputs(model, layer, list(units[part]), bound, functions, pixels, starts[part])
    return found


def _best_inputs(
    model: Subject,
    layer: FilterLayer,
    units: list[int],
    bound: float,
    functions: Functions,
    pixels: int,
    given: Sequence[np.ndarray | None],
) -> list[BestInput | None]:
    count = len(units)
    starts = np.stack([np.random.RandomState(unit).standard_normal((STARTS, pixels)) for unit in units])
    for begin, start in zip(starts, given, strict=True):
        if start is not None and np.linalg.norm(start) > 0:
            begin[0] = start
    numbers = np.asarray(units, dtype=np.int64)
    places = np.zeros((count, 2), dtype=np.int64)
    if layer.expression.type.ndim == 4:
        first = _images(model, starts[:, 0])
        (values,) = functions(("values", layer.name), lambda: ([model.x], [layer.expression]), first)
        h, w = values.shape[2:]
        places[:] = h // 2, w // 2
        if not layer.sees_pixels:
            for i, start in enumerate(given):
                if start is not None:
                    places[i] = np.unravel_index(int(values[i, units[i]].argmax()), (h, w))

    def climb(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute values (units, starts) and gradients (units, starts, pixels) at `x`."""
        each = x.shape[1]
        values, gradients = functions(
            ("climb", layer.name),
            lambda: _graph(model, layer.expression),
            _images(model, x.reshape(-1, pixels)),
            np.repeat(numbers, each),
            np.repeat(places, each, axis=0),
        )
        return values.reshape(count, each), gradients.reshape(x.shape)

    if layer.sees_pixels:
        return _along_the_weights(model, layer, units, bound, climb, starts)
    x = _onto(starts, bound)
    best, best_values, moved = x[:, 0].copy(), np.full(count, -np.inf), np.zeros(count, bool)
    rows = np.arange(count)
    for step in range(STEPS + 1):
        values, slopes = climb(x)
        top = values.argmax(axis=1)
        better = values[rows, top] > best_values
        best[better] = x[rows, top][better]
        best_values[better] = values[rows, top][better]
        norms = np.linalg.norm(slopes, axis=2, keepdims=True)
        moved |= (norms > 0).any(axis=(1, 2))
        length = bound * 0.3 * (1 - step / STEPS) + 1e-3 * bound
        x = _within(x + length * slopes / np.where(norms > 0, norms, 1), bound)
    how = f"gradient ascent, {STEPS} steps from {STARTS} starts"
    return [BestInput(best[i], float(best_values[i]), bound, how) if moved[i] else None for i in range(count)]


def _along_the_weights(
    model: Subject, layer: FilterLayer, units: list[int], bound: float, climb: Climb, starts: np.ndarray
) -> list[BestInput | None]:
    if layer.kind == "dense":
        slopes = np.asarray(layer.weights(model.parameters()[layer.name])[units], dtype=np.float64)[:, None]
    else:
        _, slopes = climb(_onto(starts, bound * FAR))
    usable = np.asarray(np.isfinite(slopes).all(axis=(1, 2)))
    slopes = np.where(usable[:, None, None], slopes, 0)
    largest = np.abs(slopes).max(axis=(1, 2), keepdims=True)
    slopes = slopes / np.where(largest > 0, largest, 1)  # the square of a number near the largest float is infinite
    norms = np.linalg.norm(slopes, axis=2)
    rows, top = np.arange(len(units)), norms.argmax(axis=1)
    length = norms[rows, top]
    x = bound * slopes[rows, top] / np.where(length > 0, length, 1)[:, None]
    values, _ = climb(x[:, None])
    found: list[BestInput | None] = []
    for i in range(len(units)):
        if not usable[i]:
            found.append(BestInput(np.full(x.shape[1], np.nan), np.nan, bound, "none: the weights are not finite"))
        elif not length[i] > 0:
            found.append(None)
        else:
            found.append(BestInput(x[i], float(values[i, 0]), bound, "closed form: the weights, as long as the bound allows"))
    return found


def _graph(model: Subject, expression: Variable) -> tuple[list[Variable], list[Variable]]:
    units, places = pt.lvector("units"), pt.lmatrix("places")
    rows = pt.arange(units.shape[0])
    where = (rows, units, places[:, 0], places[:, 1]) if expression.type.ndim == 4 else (rows, units)
    values = expression[where]
    return [model.x, units, places], [values, pt.grad(values.sum(), model.x)]


def _images(model: Subject, rows: np.ndarray) -> np.ndarray:
    return model.checked_input("images", rows.astype(pytensor.config.floatX))


def _onto(x: np.ndarray, bound: float) -> np.ndarray:
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x * bound / np.where(norms > 0, norms, 1)


def _within(x: np.ndarray, bound: float) -> np.ndarray:
    norms = np.linalg.norm(x, axis=-1, keepdims=True)
    return x * np.minimum(1, bound / np.where(norms > 0, norms, 1))
