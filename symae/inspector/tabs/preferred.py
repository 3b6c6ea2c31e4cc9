"""The tab of what all units of a layer prefer: computed inputs, and test images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.inspector.api.responses import Content, Query, json_answer, quoted, two, whole
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import pixels_json, reduced, stacked_pictures
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab

BLOCK = 16  # units in an answer
TILE = 160  # pixels a side at most, as large as the page draws them
MEAN_OF = 9  # test images that excite a unit most
KINDS = ("input", "image", "mean")
KEPT_UNITS, KEPT_CLIMBED = 512, 16  # of a layer in an exported page; of a deeper one, whose inputs are climbed to


def _preferred(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Return what units prefer from a number on: a picture each, over one another in one, and the units' values."""
    layer, number = two(rest, "layer", "unit")
    inspection = run.inspection(name)
    first = inspection.unit(layer, whole("unit", number))
    kind = query.get("kind", KINDS[0])
    if kind not in KINDS:
        raise InputError("kind", repr(kind)[:40], f"one of {', '.join(KINDS)}")
    units = list(inspection.units(layer))[first : first + BLOCK]
    if kind == "input":
        return json_answer(_computed(inspection, layer, units))
    return json_answer(_seen(inspection, layer, units, 1 if kind == "image" else MEAN_OF))


def _computed(inspection: Inspection, layer: str, units: list[int]) -> dict[str, Any]:
    best = inspection.kept_best_inputs(layer, units, inspection.default_bound())
    blank = np.zeros(inspection.layout.size)
    rows = np.stack([blank if b is None or not np.isfinite(b.value) else b.input for b in best])
    pictures = reduced(inspection.layout.pictures(rows), TILE)
    largest = np.abs(pictures).reshape(len(pictures), -1).max(axis=1)
    scaled = pictures / np.where(largest > 0, largest, 1).reshape(-1, *[1] * (pictures.ndim - 1))
    return {
        "units": units,
        "values": [None if b is None or not np.isfinite(b.value) else b.value for b in best],
        "dead": [unit for unit, b in zip(units, best, strict=True) if b is None],
        "how": next((b.how for b in best if b is not None and np.isfinite(b.value)), ""),
        "pictures": pixels_json(stacked_pictures(scaled), signed=True),
    }


def _seen(inspection: Inspection, layer: str, units: list[int], count: int) -> dict[str, Any]:
    activity = inspection.activity(layer)
    examples = inspection.examples
    assert examples is not None
    chosen = [activity.extremes(unit, count)[0] for unit in units]
    rows = np.stack([examples.images[images].mean(axis=0) for images in chosen])
    low, high = inspection.limits
    return {
        "units": units,
        "images": [images[0] for images in chosen],
        "values": [float(activity.strongest[images, unit].mean()) for unit, images in zip(units, chosen, strict=True)],
        "dead": [],
        "pictures": pixels_json(stacked_pictures(reduced(inspection.layout.pictures(rows), TILE)), low=low, high=high),
    }


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    climbs = np.dtype(inspection.model.x.type.dtype).kind == "f"
    kinds = [*(["input"] if climbs else []), *(["image", "mean"] if inspection.examples is not None else [])]
    return {"preferred": kinds, "preferred_block": BLOCK, "preferred_mean": MEAN_OF}


def _shows(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None and bool(inspection.layers) and inspection.described.pixels is not None


def _kept(about: dict[str, Any]) -> Iterator[str]:
    for layer in about["layers"]:
        for kind in about["preferred"]:
            most = KEPT_CLIMBED if kind == "input" and not layer["pixels"] else KEPT_UNITS
            for first in range(0, min(layer["units"], most), BLOCK):
                yield f"{quoted('preferred', layer['name'], first)}?kind={kind}"


TAB = Tab("Preferred inputs", position=25, answers={"preferred": _preferred}, about=_about, kept=_kept, shows=_shows)
