"""The tab of the space of codes, and of drawings of points in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symae.inspector.api.responses import Content, Query, json_answer, numbers, png_answer, real, whole
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import pixels_json, stacked_pictures
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab

ATLAS = 12  # drawings in a row of an atlas
LIVE = 168  # pixels a side that are drawn while a slider moves


def _latent(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    latent = inspection.latent
    assert inspection.examples is not None
    labels = inspection.examples.labels
    low, high = latent.codes.min(axis=0), latent.codes.max(axis=0)
    margin = 0.1 * (high - low) + 1e-6
    return json_answer(
        {
            "names": latent.names,
            "n_latent": latent.n_latent,
            "low": numbers(low - margin),
            "high": numbers(high + margin),
            "middle": numbers(latent.middle),
            "codes": [numbers(code) for code in latent.codes],
            "plane": [numbers(place) for place in latent.plane],
            "directions": [numbers(direction) for direction in latent.directions],
            "shares": numbers(latent.shares),
            "labels": None if labels is None else labels.tolist(),
            "any_resolution": latent.any_resolution,
            "size": max(inspection.shape[1:]),
            "live": LIVE,
        }
    )


def _atlas(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Draw many points, for a page that cannot ask for more."""
    latent = run.inspection(name).latent
    pictures = latent.atlas(ATLAS)
    low, high = latent.plane.min(axis=0), latent.plane.max(axis=0)
    stacked = pixels_json(stacked_pictures(pictures), high=1.0)
    return json_answer({"count": ATLAS, "low": numbers(low), "high": numbers(high), "pictures": stacked})


def _drawn(run: Run, name: str, rest: list[str], query: Query) -> Content:
    return json_answer(pixels_json(_draw(run.inspection(name), query), high=1.0))


def _drawn_png(run: Run, name: str, rest: list[str], query: Query) -> Content:
    return png_answer(np.clip(_draw(run.inspection(name), query), 0, 1))


def _draw(inspection: Inspection, query: Query) -> np.ndarray:
    latent = inspection.latent
    code = [real("code", number, -1e6, 1e6) for number in query.get("code", "").split(",")[:100]]
    size = whole("size", query["size"]) if "size" in query else None
    return latent.draw(np.array(code), size)


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    return {"latent": inspection.has_latent}


def _kept(about: dict[str, Any]) -> Iterator[str]:
    if about["latent"]:
        yield from ("latent", "atlas")


TAB = Tab(
    "Latent space",
    position=30,
    answers={"latent": _latent, "atlas": _atlas, "drawn": _drawn, "drawn.png": _drawn_png},
    about=_about,
    kept=_kept,
)
