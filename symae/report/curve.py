"""The geometry of a line chart; the page's template draws it as SVG.

Everything here is numbers: where ticks are, which points of a long series are drawn, how a line is cut at a value that cannot
be drawn. Colours and fonts are the style sheet's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.report.picture import format_number

Array = np.ndarray[Any, np.dtype[np.float64]]

# Width and height in CSS pixels: one drawing for a laptop, one for a phone, so that the letters have one size on both.
SIZES = {"wide": (820, 340), "narrow": (350, 270)}
STYLES = 6
DIGIT, TICK = 7.5, 72
DOTS_UP_TO = 30
# Beyond this the difference of two values may overflow.
LARGEST = 1e300


@dataclass(frozen=True)
class Tick:
    """Mark a position on an axis, in CSS pixels, with a label."""

    position: float
    label: str


@dataclass(frozen=True)
class Line:
    """Draw one series: an SVG path, dots for single points (and for all points of a short series), and its style's number.

    A dense line has more points than the plot has columns and is drawn thinner.
    """

    path: str
    dots: list[tuple[float, float]]
    style: int
    dense: bool


@dataclass(frozen=True)
class Plot:
    """Describe one drawing of a curve; the plot's frame lies between left and right, top and bottom."""

    name: str
    width: int
    height: int
    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]


@dataclass(frozen=True)
class Curve:
    """Chart one or several series with words, drawings and the values that the pointer reads."""

    title: str
    x_label: str
    y_label: str
    description: str
    omitted: int
    legend: list[tuple[str, str, int]]
    plots: list[Plot]
    values: list[list[list[float]]]


def curve(series: Mapping[str, Any], x_label: str, y_label: str, title: str | None = None) -> Curve:
    """Prepare a line chart of series by name, with axes of these quantities and units.

    Values are a sequence, drawn over 1, 2, 3 …, or a mapping of x to y; NaN and infinities are gaps. A series that is not
    one-dimensional or does not hold numbers is an InputError.
    """
    if not isinstance(series, Mapping):
        raise InputError("series", f"a {type(series).__name__}", "a mapping of names to values")
    points = {str(name): _points(str(name), values) for name, values in series.items()}
    drawable = [np.abs(y) < LARGEST for _, y in points.values()]  # NaN is not
    xs = np.concatenate([np.empty(0), *(x[good] for (x, _), good in zip(points.values(), drawable, strict=True))])
    ys = np.concatenate([np.empty(0), *(y[good] for (_, y), good in zip(points.values(), drawable, strict=True))])
    plots = [_plot(name, size, list(points.values()), xs, ys) for name, size in SIZES.items()]

    columns = SIZES["wide"][0] // 2
    values, legend, sentences = [], [], []
    for number, ((name, (x, y)), good) in enumerate(zip(points.items(), drawable, strict=True)):
        x, y = x[good], y[good]
        kept = thin_out(x, y, columns)
        values.append([[float(f"{v:.10g}") for v in axis[kept]] for axis in (x, y)])
        legend.append((name, format_number(y[-1]) if len(y) else "–", number % STYLES))
        sentences.append(_in_words(name, x, y, x_label))
    return Curve(
        title=title or f"{y_label} by {x_label}",
        x_label=x_label,
        y_label=y_label,
        description=" ".join(sentences) or "No series.",
        omitted=sum(int((~good).sum()) for good in drawable),
        legend=legend,
        plots=plots,
        values=values,
    )


def nice_ticks(low: float, high: float, count: int, least_step: float = 0.0) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten that cover [low, high] with about `count` steps.

    The first is at most `low` and the last at least `high`. Needs ``low < high``. Source: P. Heckbert, "Nice numbers for graph
    labels", Graphics Gems, 1990.
    """
    rough = max((high - low) / count, least_step)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    # Rounding takes 0.30000000000000004 back to 0.3.
    digits = 1 - math.floor(math.log10(step))
    return [round(number * step, digits) for number in range(first, last + 1)]


def thin_out(x: Array, y: Array, columns: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the indices of the points to draw: all of a short series, at most four in each of `columns` of a long one.

    A column keeps its first, lowest, highest and last point, so that the drawn line covers what the whole one would: no peak is
    lost. `x` is ascending.
    """
    if len(x) <= 4 * columns or not x[-1] > x[0]:
        return np.arange(len(x))
    column = np.minimum((x - x[0]) / (x[-1] - x[0]) * columns, columns - 1).astype(np.intp)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    last = np.append(first[1:], len(x)) - 1
    by_height = np.lexsort((y, column))
    return np.unique(np.concatenate([first, last, by_height[first], by_height[last]]))


def _points(name: str, values: Any) -> tuple[Array, Array]:
    by_x = isinstance(values, Mapping)
    try:
        y = np.asarray(list(values.values()) if by_x else values, dtype=np.float64)
        x = np.asarray(list(values) if by_x else np.arange(1, y.size + 1), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"series {name!r}", f"a {type(values).__name__}", "numbers, or a mapping of x to y") from error
    if y.ndim != 1 or x.ndim != 1:
        raise InputError(f"series {name!r}", f"shape {y.shape}", "one dimension")
    if not (np.abs(x) < LARGEST).all():
        raise InputError(f"series {name!r}", "an x that is not a finite number", "finite numbers")
    order = np.argsort(x, kind="stable")
    return x[order], y[order]


def _range(values: Array) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    largest = max(abs(low), abs(high))
    if high - low <= max(1e-9 * largest, LARGEST**-1):
        # One value, or values that only rounding tells apart: it lies in the middle.
        margin = 0.1 * largest if largest > 10 / LARGEST else 1.0
        return low - margin, high + margin
    return low, high


def _plot(name: str, size: tuple[int, int], series: list[tuple[Array, Array]], xs: Array, ys: Array) -> Plot:
    width, height = size
    y_values = nice_ticks(*_range(ys), count=5)
    y_labels = _labels(y_values)
    left, right = 12 + DIGIT * max(map(len, y_labels)), width - 18.0
    top, bottom = 34.0, height - 50.0
    x_low, x_high = _range(xs)
    whole = bool(len(xs)) and bool((xs == np.round(xs)).all())
    x_values = nice_ticks(x_low, x_high, max(2, int((right - left) // TICK)), least_step=1.0 if whole else 0.0)
    x_values = [value for value in x_values if x_low <= value <= x_high]
    if len(np.unique(xs)) == 1:
        x_values = [float(xs[0])]

    def across(x: Any) -> Any:
        return left + (x - x_low) / (x_high - x_low) * (right - left)

    def up(y: Any) -> Any:
        return bottom - (y - y_values[0]) / (y_values[-1] - y_values[0]) * (bottom - top)

    lines = []
    for number, (x, y) in enumerate(series):
        path, dots = [], []
        good = np.flatnonzero(np.abs(y) < LARGEST)
        for run in np.split(good, np.flatnonzero(np.diff(good) > 1) + 1):
            kept = run[thin_out(x[run], y[run], int(right - left) // 2)]
            corners = [(round(float(across(x[i])), 1), round(float(up(y[i])), 1)) for i in kept]
            if len(corners) > 1:
                path.append("M" + "L".join(f"{h:g} {v:g}" for h, v in corners))
            if len(corners) == 1 or len(y) <= DOTS_UP_TO:
                dots += corners
        lines.append(Line("".join(path), dots, number % STYLES, dense=len(good) > right - left))
    x_ticks = [Tick(round(across(v), 1), label) for v, label in zip(x_values, _labels(x_values), strict=True)]
    y_ticks = [Tick(round(up(v), 1), label) for v, label in zip(y_values, y_labels, strict=True)]
    if not len(xs):
        x_ticks = y_ticks = []
    return Plot(name, width, height, left, right, top, bottom, (x_low, x_high), x_ticks, y_ticks, lines)


def _labels(values: Sequence[float]) -> list[str]:
    """Write ticks with as many decimals as their step needs, very large and very small ones with an exponent."""
    step = min((b - a for a, b in itertools.pairwise(values)), default=0.0)
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e7 or 0 < step < 1e-4:
        digits = max(1, math.ceil(math.log10(largest / step)) + 1) if step else 15
        return [f"{value:.{min(digits, 15)}g}" for value in values]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
    return [f"{value:.{decimals}f}" if step else f"{value:g}" for value in values]


def _in_words(name: str, x: Array, y: Array, x_label: str) -> str:
    if not len(y):
        return f"{name}: no values."
    first, last = (f"{format_number(y[i])} at {x_label} {x[i]:g}" for i in (0, -1))
    if len(y) == 1:
        return f"{name}: one value, {first}."
    lowest, highest = format_number(y.min()), format_number(y.max())
    return f"{name}: {len(y)} values, from {first} to {last}; lowest {lowest}, highest {highest}."
