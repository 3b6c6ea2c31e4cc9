"""The numbers of all filters of a layer, and everything about one unit that the page shows beside its filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from symae.inspector.api.responses import Answer, Content, Query, json_answer, numbers, real, two, whole
from symae.inspector.filters import SPRITE, Filters
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import least_finite, pixels_json, reduced, stacked_pictures
from symae.inspector.runs import Run

LEAST_BINS, MOST_BINS = 8, 32
SMALL = 112  # pixels a side at most of the images that a unit likes
EXTREMES = 8  # test images that excite it most, and as many that excite it least


def filters_json(filters: Filters) -> dict[str, Any]:
    """Return the numbers that the page needs of filters whose pictures it has in sprites."""
    n, h, w = filters.pictures.shape[:3]
    return {
        "coloured": filters.pictures.ndim == 4,
        "broken": np.flatnonzero(filters.broken).tolist(),
        "count": n,
        "h": h,
        "w": w,
        "sprites": filters.sprites,
        "sprite": SPRITE,
        "norms": numbers(filters.norms),
        "low": numbers(filters.low),
        "high": numbers(filters.high),
    }


def unit_json(inspection: Inspection, layer: str, unit: int) -> dict[str, Any]:
    """Return the filter and its histogram, and with test images what excites the unit and what the decoder draws of it."""
    chosen = inspection.layer(layer)
    filters = inspection.filters(layer)
    inspection.unit(layer, unit)
    parameters = inspection.model.parameters()
    weights = np.asarray(chosen.weights(parameters[layer])[unit], np.float64).reshape(-1)
    finite = weights[np.isfinite(weights)]
    bins = int(np.clip(2 * np.sqrt(finite.size), LEAST_BINS, MOST_BINS))
    reach = float(np.abs(finite).max(initial=0)) or 1.0  # the sum and the span of numbers near the largest float are infinite
    counts, edges = np.histogram(finite / reach, bins) if finite.size else (np.zeros(bins, int), np.linspace(0, 1, bins + 1))
    found: dict[str, Any] = {
        "unit": unit,
        "picture": pixels_json(filters.picture(unit), signed=True),
        "weights": int(weights.size),
        "histogram": {"counts": counts.tolist(), "low": reach * float(edges[0]), "high": reach * float(edges[-1])},
        "not_finite": int(weights.size - finite.size),
        "mean": reach * float((finite / reach).mean()) if finite.size else 0.0,
        "deviation": reach * float((finite / reach).std()) if finite.size else 0.0,
        "bias": None if chosen.bias is None else float(parameters[chosen.bias][unit]),
    }
    if inspection.examples is None:
        return found
    activity = inspection.activity(layer)
    most, least = activity.extremes(unit, EXTREMES)
    found["most"], found["least"] = _strip(inspection, activity, unit, most), _strip(inspection, activity, unit, least)
    alone = inspection.alone(layer, unit)
    found["alone"] = None if alone is None else pixels_json(alone, low=least_finite(alone))
    return found


def _strip(inspection: Inspection, activity: Any, unit: int, images: list[int]) -> dict[str, Any]:
    """Return images over one another in one picture, their numbers and labels, and what the unit computes of them."""
    examples = inspection.examples
    assert examples is not None
    pictures = reduced(inspection.layout.pictures(examples.images[images]), SMALL)
    return {
        "images": images,
        "labels": None if examples.labels is None else examples.labels[images].tolist(),
        "values": [float(v) for v in activity.strongest[images, unit]],
        "pictures": pixels_json(stacked_pictures(pictures), high=1.0),
    }


def _unit(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, unit = two(rest, "layer", "unit")
    return json_answer(unit_json(run.inspection(name), layer, whole("unit", unit)))


def _best(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, unit = two(rest, "layer", "unit")
    inspection = run.inspection(name)
    bound = real("bound", query.get("bound", str(inspection.default_bound())), 1e-6, 1e6)
    (best,) = inspection.kept_best_inputs(layer, [inspection.unit(layer, whole("unit", unit))], bound)
    if best is None:
        return json_answer({"dead": True})
    if not np.isfinite(best.value):
        return json_answer({"diverged": True})
    picture = inspection.layout.pictures(best.input)[0]
    return json_answer({"picture": pixels_json(picture, signed=True), "value": best.value, "bound": bound, "how": best.how})


ANSWERS: dict[str, Answer] = {"unit": _unit, "best": _best}
