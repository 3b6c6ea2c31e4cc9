"""All filters of a layer, their orders, and what the nodes compute of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from symae.inspector.api.responses import Answer, Content, Query, json_answer, numbers, one, png_answer, two, whole
from symae.inspector.filters import SPRITE, Filters
from symae.inspector.pixels import code_picture, pixels_json, stacked_pictures
from symae.inspector.runs import Run

__all__ = ["ANSWERS", "filters_json"]

MOST_NUMBERS = 64 * 28 * 28  # of a node's maps that are shown of an image


def _filters(run: Run, name: str, rest: list[str], query: Query) -> Content:
    filters = run.inspection(name).filters(one(rest))
    return json_answer(filters_json(filters))


def filters_json(filters: Filters) -> dict[str, Any]:
    """The numbers that the page needs of filters whose pictures it has in sprites."""
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


def _sprite(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, number = two(rest)
    return png_answer(run.inspection(name).filters(layer).sprite(whole("sprite", number)))


def _activity(run: Run, name: str, rest: list[str], query: Query) -> Content:
    activity = run.inspection(name).activity(one(rest))
    strongest = activity.strongest.max(axis=0)
    return json_answer({"active": numbers(activity.active), "mean": numbers(activity.mean), "most": numbers(strongest)})


def _order(run: Run, name: str, rest: list[str], query: Query) -> Content:
    layer, sort = two(rest)
    inspection = run.inspection(name)
    filters = inspection.filters(layer)
    if sort.isdecimal():
        return json_answer(filters.alike(inspection.unit(layer, whole("unit", sort))).tolist())
    active = inspection.activity(layer).active if sort == "active" else None
    return json_answer(filters.order(sort, active).tolist())


def _nodes(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    image = inspection.image(whole("image", one(rest)))
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


ANSWERS: dict[str, Answer] = {"filters": _filters, "sprite": _sprite, "activity": _activity, "order": _order, "nodes": _nodes}
