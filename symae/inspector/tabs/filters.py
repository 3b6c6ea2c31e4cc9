"""The tab of all filters of a layer, their orders and their units, and of what the nodes compute of an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symae.inspector.api import unit
from symae.inspector.api.responses import Content, Query, json_answer, numbers, one, png_answer, quoted, two, whole
from symae.inspector.filters import SPRITE
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import code_picture, pixels_json, stacked_pictures
from symae.inspector.runs import Run
from symae.inspector.tabs.base import KEPT_IMAGES, Tab

MOST_NUMBERS = 64 * 28 * 28  # of a node's maps that are shown of an image
# what an exported page has of a layer: units of the first one, of deeper ones, and of these with their best inputs
UNITS, DEEPER, CLIMBED = 512, 64, 16


def _filters(run: Run, name: str, rest: list[str], query: Query) -> Content:
    filters = run.inspection(name).filters(one(rest, "layer"))
    return json_answer(unit.filters_json(filters))


def _sprite(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, number = two(rest, "layer", "unit")
    return png_answer(run.inspection(name).filters(layer).sprite(whole("sprite", number)))


def _activity(run: Run, name: str, rest: list[str], query: Query) -> Content:
    activity = run.inspection(name).activity(one(rest, "layer"))
    strongest = activity.strongest.max(axis=0)
    return json_answer({"active": numbers(activity.active), "mean": numbers(activity.mean), "most": numbers(strongest)})


def _order(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, sort = two(rest, "layer", "sort")
    inspection = run.inspection(name)
    filters = inspection.filters(layer)
    if sort.isdecimal():
        return json_answer(filters.alike(inspection.unit(layer, whole("unit", sort))).tolist())
    active = inspection.activity(layer).active if sort == "active" else None
    return json_answer(filters.order(sort, active).tolist())


def _nodes(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    image = inspection.image(whole("image", one(rest, "image")))
    nodes = []
    for node, value in inspection.node_values(np.asarray(image, np.float64)).items():
        array = np.asarray(value, np.float64)
        if array.ndim == 1 and array.size == inspection.layout.size:
            maps = inspection.layout.pictures(array)
        else:
            maps = array if array.ndim == 3 else code_picture(array)[None]
        maps = maps[: max(1, MOST_NUMBERS // maps[0].size)]
        finite = array[np.isfinite(array)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        not_finite = array.size - finite.size
        own_scales = node in inspection.decoder_maps  # few of these units are far above the others
        if own_scales:
            largest = maps.max(axis=(1, 2), keepdims=True)
            maps = maps / np.where(largest > 0, largest, 1)
        nodes.append(
            {
                "name": node,
                "shape": list(array.shape),
                "maps": len(maps),
                "own_scales": own_scales,
                "low": low,
                "high": high,
                "not_finite": not_finite,
                "pictures": pixels_json(stacked_pictures(maps), signed=low < 0),
            }
        )
    return json_answer(nodes)


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    return {"bound": inspection.default_bound(), "decoder_maps": list(inspection.decoder_maps)}


def _shows(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None and (bool(inspection.layers) or inspection.examples is not None)


def _kept(about: dict[str, Any]) -> Iterator[str]:
    examples = about["examples"]
    for layer in about["layers"]:
        name, units = layer["name"], layer["units"]
        yield quoted("filters", name)
        for sprite in range(-(-units // SPRITE)):
            yield quoted("sprite", name, sprite)
        for sort in ("norm", "similarity", *(["active"] if examples else [])):
            yield quoted("order", name, sort)
        if examples:
            yield quoted("activity", name)
    for image in range(min(KEPT_IMAGES, examples["count"]) if examples else 0):
        yield f"nodes/{image}"
    for number in range(UNITS):  # where there is no room for all, each layer has its first ones
        for layer in about["layers"]:
            if number < min(layer["units"], UNITS if layer["pixels"] else DEEPER):
                yield quoted("unit", layer["name"], number)
                if layer["pixels"] or number < CLIMBED:
                    yield quoted("best", layer["name"], number)


TAB = Tab(
    "Filters",
    position=10,
    answers={
        "filters": _filters,
        "sprite": _sprite,
        "activity": _activity,
        "order": _order,
        "nodes": _nodes,
        **unit.ANSWERS,
    },
    about=_about,
    kept=_kept,
    shows=_shows,
)
