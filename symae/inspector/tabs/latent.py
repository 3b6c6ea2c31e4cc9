"""The tab of codes: maps of what a node computes of the test images, which are near, and drawings of places between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.inspector.api.responses import (
    Content,
    Query,
    floats,
    json_answer,
    numbers,
    one,
    png_answer,
    quoted,
    real,
    two,
    whole,
)
from symae.inspector.embeddings import METHODS
from symae.inspector.inspection import Inspection
from symae.inspector.latent import Latent, draws_codes
from symae.inspector.pixels import pixels_json, reduced, stacked_pictures
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab

ATLAS, DRAWN = 12, 112  # drawings in a row of an atlas; pixels a side at most of each
LIVE = 168  # pixels a side that are drawn while a slider moves
NEIGHBOURS = 12
THUMBNAIL, BLOCK = 56, 100  # pixels a side at most; images in an answer
KEPT_BYTES = 3 * 2**20  # of thumbnails in an exported page
KEPT_NEIGHBOURS = 1000


def _latent(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    latent = inspection.latent
    found: dict[str, Any] = {
        "few": latent.few,
        "draws": latent.draws,
        "n_latent": latent.n_latent,
        "shape": list(latent.by_codes.shape),
        "shares": numbers(latent.shares),
        "any_resolution": latent.any_resolution,
        "size": max(inspection.shape[1:]),
        "live": LIVE,
    }
    if latent.few:
        low, high = latent.codes.min(axis=0), latent.codes.max(axis=0)
        margin = 0.1 * (high - low) + 1e-6
        found |= {
            "names": latent.names,
            "low": numbers(low - margin),
            "high": numbers(high + margin),
            "middle": numbers(latent.middle),
            "codes": [numbers(code) for code in latent.codes],
            "directions": [numbers(direction) for direction in latent.directions],
        }
    return json_answer(found)


def _map(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Return where the images lie by a node's values: two numbers each."""
    node, method = two(rest, "node", "method")
    found = run.inspection(name).codes(node).map(method)
    return json_answer({"places": floats(found.places), "count": len(found.places), "note": found.note})


def _neighbours(run: Run, name: str, rest: list[str], query: Query) -> Content:
    node, image = two(rest, "node", "image")
    images, away = run.inspection(name).codes(node).neighbours(whole("image", image), NEIGHBOURS)
    return json_answer({"images": images, "distances": numbers(away)})


def _labels(run: Run, name: str, rest: list[str], query: Query) -> Content:
    examples = run.inspection(name).examples
    return json_answer(None if examples is None or examples.labels is None else examples.labels.tolist())


def _thumbnails(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Return small pictures of the test images from a number on, over one another in one."""
    inspection = run.inspection(name)
    first = whole("image", one(rest, "image"))
    inspection.image(first)
    assert inspection.examples is not None
    pictures = reduced(inspection.layout.pictures(inspection.examples.images[first : first + BLOCK]), THUMBNAIL)
    low, high = inspection.limits
    stacked = pixels_json(stacked_pictures(pictures), low=low, high=high)
    return json_answer({"first": first, "count": len(pictures), "pictures": stacked})


def _atlas(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Draw many points, for a page that cannot ask for more."""
    inspection = run.inspection(name)
    latent = inspection.latent
    pictures = latent.atlas(ATLAS, DRAWN)
    plane_low, plane_high = latent.plane.min(axis=0), latent.plane.max(axis=0)
    low, high = inspection.limits
    stacked = pixels_json(stacked_pictures(pictures), low=low, high=high)
    return json_answer({"count": ATLAS, "low": numbers(plane_low), "high": numbers(plane_high), "pictures": stacked})


def _drawn(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    low, high = inspection.limits
    return json_answer(pixels_json(_draw(inspection, query), low=low, high=high))


def _drawn_png(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    low, high = inspection.limits
    return png_answer(np.clip((_draw(inspection, query) - low) / (high - low), 0, 1))


def _draw(inspection: Inspection, query: Query) -> np.ndarray:
    latent = inspection.latent
    size = whole("size", query["size"]) if "size" in query else None
    return latent.draw(_code(latent, query), size)


def _code(latent: Latent, query: Query) -> np.ndarray:
    """Return the code that a query asks for: by its numbers, by a test image, or by a place on the plane."""
    if "image" in query:
        image = whole("image", query["image"])
        if image >= len(latent.codes):
            raise InputError("image", str(image), f"a number from 0 to {len(latent.codes) - 1}")
        return latent.codes[image]
    if "at" in query:
        parts = query["at"].split(",")
        if len(parts) != 2:
            raise InputError("at", repr(query["at"])[:40], "two numbers")
        across, up = (real("at", part, -1e6, 1e6) for part in parts)
        return latent.at(across, up)
    return np.array([real("code", number, -1e6, 1e6) for number in query.get("code", "").split(",")[:100]])


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    methods = [{"name": n, "title": m.title, "installed": m.installed, "package": m.package} for n, m in METHODS.items()]
    nodes = [n for n, v in inspection.nodes.items() if v.type.ndim >= 2] if inspection.examples is not None else []
    return {
        "latent": inspection.has_latent,
        "draws": inspection.has_latent and draws_codes(inspection.model.x, inspection.described),
        "code": inspection.described.code,
        "mapped": nodes,
        "methods": methods,
    }


def _shows(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None and inspection.examples is not None and len(inspection.nodes) > 1


def _kept(about: dict[str, Any]) -> Iterator[str]:
    if not about["examples"] or not about["mapped"]:
        return
    count = about["examples"]["count"]
    yield "labels"
    channels, height, width = about["shape"]
    shrunk = min(1.0, THUMBNAIL / max(height, width)) ** 2
    room = KEPT_BYTES / max(1.0, shrunk * height * width * (3 if channels == 3 else 1))
    for first in range(0, min(count, max(BLOCK, int(room))), BLOCK):
        yield f"thumbnails/{first}"
    node = about["code"] or about["mapped"][-1]
    yield quoted("map", node, "pca")
    for image in range(min(count, KEPT_NEIGHBOURS)):
        yield quoted("neighbours", node, image)
    if about["latent"]:
        yield from ("latent", "atlas") if about["draws"] else ("latent",)


TAB = Tab(
    "Latent space",
    position=30,
    answers={
        "latent": _latent,
        "map": _map,
        "neighbours": _neighbours,
        "labels": _labels,
        "thumbnails": _thumbnails,
        "atlas": _atlas,
        "drawn": _drawn,
        "drawn.png": _drawn_png,
    },
    about=_about,
    kept=_kept,
    shows=_shows,
)
