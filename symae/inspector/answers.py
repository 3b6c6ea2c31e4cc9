"""What the page asks for, answered: JSON and PNG by path. The server hands the answers out, and an export keeps them.

Every path names things that exist: a run by its number, a model and a layer by their names, a unit and an image by theirs.
Nothing is ever opened by a name that came with a request.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symae.errors import InputError
from symae.images import png_bytes
from symae.inspector.drawing import CORRUPTIONS, centred
from symae.inspector.filters import SPRITE, Filters
from symae.inspector.inspection import Inspection
from symae.inspector.pixels import code_picture, pixels_json
from symae.inspector.runs import Run, SavedModel
from symae.inspector.training import training
from symae.inspector.unit import unit_json
from symae.kept_filters import read_kept

__all__ = ["Answers", "UnknownError"]

PNG, JSON = "image/png", "application/json"
ATLAS = 12  # drawings in a row of an atlas
LIVE = 168  # pixels a side that are drawn while a slider moves

Query = Mapping[str, str]


class UnknownError(InputError):
    """A path that names nothing."""


class Answers:
    """The answers about some runs.

    Parameters
    ----------
    runs : sequence of Run
    """

    def __init__(self, runs: Sequence[Run]):
        self.runs = list(runs)

    def get(self, path: str, query: Query) -> tuple[str, bytes]:
        """Content type and content for a path such as ``0/model/filters/W``.

        Raises
        ------
        UnknownError
            The path names nothing.
        InputError
            Something in it, or in the query, is wrong.
        """
        parts = path.split("/")
        if parts == ["runs"]:
            return _json({"runs": [self._run(i, run) for i, run in enumerate(self.runs)], "live": True})
        if parts == ["training"]:
            return _json(training(self.runs))
        if len(parts) < 3:
            raise UnknownError(path, "nothing of that name", "a path of this page")
        run = self._numbered(parts[0])
        run.check()
        kinds: dict[str, Callable[[Run, str, list[str], Query], tuple[str, bytes]]] = {
            "model": self._model,
            "filters": self._filters,
            "sprite": self._sprite,
            "activity": self._activity,
            "order": self._order,
            "unit": self._unit,
            "best": self._best,
            "images": self._images,
            "reconstruct": self._reconstruct,
            "nodes": self._nodes,
            "latent": self._latent,
            "atlas": self._atlas,
            "drawn": self._drawn,
            "drawn.png": self._drawn_png,
            "epoch": self._epoch,
            "graph": self._graph,
        }
        if parts[2] not in kinds:
            raise UnknownError(path, "nothing of that name", f"one of {', '.join(kinds)}")
        return kinds[parts[2]](run, parts[1], parts[3:], query)

    def post(self, path: str, body: Any) -> tuple[str, bytes]:
        """The answer to a drawing: ``0/model/draw`` with its pixels reconstructs it.

        Raises
        ------
        UnknownError, InputError
            As in `get`.
        """
        parts = path.split("/")
        if len(parts) != 3 or parts[2] != "draw":
            raise UnknownError(path, "nothing of that name", "a model's drawing")
        run = self._numbered(parts[0])
        run.check()
        inspection = run.inspection(parts[1])
        if not isinstance(body, dict):
            raise InputError("drawing", f"a {type(body).__name__}", "an object with pixels")
        _, h, w = inspection.shape
        try:
            data = base64.b64decode(str(body.get("pixels", "")), validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError("drawing: pixels", f"no base64 ({error})", f"{h * w} bytes in base64") from error
        if len(data) != h * w:
            raise InputError("drawing: pixels", f"{len(data)} bytes", f"{h * w}, one for each pixel")
        image = np.frombuffer(data, np.uint8).reshape(h, w) / 255.0
        if body.get("centre") is True:
            image = centred(image)
        channels = inspection.shape[0]
        return _json(_reconstruction(inspection, np.tile(image.reshape(-1), channels), body))

    def _numbered(self, number: str) -> Run:
        if not number.isdecimal() or len(number) > 4 or int(number) >= len(self.runs):
            raise UnknownError("run", repr(number), f"a number from 0 to {len(self.runs) - 1}")
        return self.runs[int(number)]

    def _run(self, number: int, run: Run) -> dict[str, Any]:
        record: dict[str, Any] = {}
        models: list[dict[str, Any]] = []
        problem = None
        try:
            models = [{"name": m.name, "label": m.label} for m in run.models().values()]
            record = run.record
            problem = record.get("problem")
        except InputError as error:
            problem = str(error)
        return {
            "number": number,
            "name": run.name,
            "title": record.get("title") or run.name,
            "running": run.going_on,
            "models": models,
            "problem": problem,
        }

    def _model(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        inspection = run.inspection(name)
        saved: SavedModel = run.models()[name]
        examples = inspection.examples
        record = run.record
        noisy = "noise" in record.get("settings", {})
        default = getattr(inspection.model, "default_corruption_level", 0.0)
        level = record.get("settings", {}).get("noise", default)
        return _json(
            {
                "class": type(inspection.model).__name__,
                "configuration": {k: str(v) for k, v in inspection.model.configuration().items()},
                "source": saved.source,
                "parameters": int(sum(v.size for v in inspection.model.parameters().values())),
                "shape": inspection.shape,
                "layers": [
                    {
                        "name": name,
                        "node": x.node,
                        "kind": x.kind,
                        "pixels": x.sees_pixels,
                        "units": len(inspection.units(name)),
                    }
                    for name, x in inspection.layers.items()
                ],
                "nodes": list(inspection.nodes),
                "reconstructs": inspection.output is not None,
                "latent": inspection.has_latent,
                "examples": None if examples is None else {"count": len(examples.images), "name": examples.name},
                "examples_problem": run.examples_problem if examples is None else None,
                "corruption": {"kind": "noise" if noisy else "zero", "level": min(float(level), 1.0)},
                "bound": inspection.default_bound(),
                "graphs": inspection.graphs.names,
                "epochs": sorted(run.kept(name)),
            }
        )

    def _filters(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        filters = run.inspection(name).filters(_one(rest))
        return _json(_filters_json(filters))

    def _sprite(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        layer, number = _two(rest)
        return PNG, png_bytes(run.inspection(name).filters(layer).sprite(_whole("sprite", number)))

    def _activity(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        activity = run.inspection(name).activity(_one(rest))
        strongest = activity.strongest.max(axis=0)
        return _json({"active": _numbers(activity.active), "mean": _numbers(activity.mean), "most": _numbers(strongest)})

    def _order(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        layer, sort = _two(rest)
        inspection = run.inspection(name)
        filters = inspection.filters(layer)
        if sort.isdecimal():
            return _json(filters.alike(inspection.unit(layer, _whole("unit", sort))).tolist())
        active = inspection.activity(layer).active if sort == "active" else None
        return _json(filters.order(sort, active).tolist())

    def _unit(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        layer, unit = _two(rest)
        return _json(unit_json(run.inspection(name), layer, _whole("unit", unit)))

    def _best(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        layer, unit = _two(rest)
        inspection = run.inspection(name)
        bound = _real("bound", query.get("bound", str(inspection.default_bound())), 1e-6, 1e6)
        best = inspection.best_input(layer, _whole("unit", unit), bound)
        if best is None:
            return _json({"dead": True})
        picture = best.input.reshape(inspection.shape).mean(axis=0)
        return _json({"picture": pixels_json(picture, signed=True), "value": best.value, "bound": bound, "how": best.how})

    def _images(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        """Test images from a number on, as one picture, and their labels."""
        inspection = run.inspection(name)
        first = _whole("image", _one(rest))
        examples = inspection.examples
        inspection.image(first)
        assert examples is not None
        _, h, w = inspection.shape
        part = examples.images[first : first + 100].reshape(-1, *inspection.shape).mean(axis=1)
        labels = None if examples.labels is None else examples.labels[first : first + 100].tolist()
        return _json({"first": first, "labels": labels, "pictures": pixels_json(part.reshape(-1, w), high=1.0), "h": h, "w": w})

    def _reconstruct(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        inspection = run.inspection(name)
        return _json(_reconstruction(inspection, _whole("image", _one(rest)), query))

    def _nodes(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        inspection = run.inspection(name)
        image = inspection.image(_whole("image", _one(rest)))
        nodes = []
        for node, value in inspection.node_values(np.asarray(image, np.float64)).items():
            array = np.nan_to_num(np.asarray(value, np.float64))
            maps = array if array.ndim == 3 else code_picture(array)[None]
            signed = bool(array.min(initial=0) < 0)
            stacked = maps.reshape(-1, maps.shape[2])
            nodes.append(
                {
                    "name": node,
                    "shape": list(array.shape),
                    "maps": len(maps),
                    "low": float(array.min(initial=0)),
                    "high": float(array.max(initial=0)),
                    "pictures": pixels_json(stacked, signed=signed),
                }
            )
        return _json(nodes)

    def _latent(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        inspection = run.inspection(name)
        latent = inspection.latent
        assert inspection.examples is not None
        labels = inspection.examples.labels
        low, high = latent.codes.min(axis=0), latent.codes.max(axis=0)
        margin = 0.1 * (high - low) + 1e-6
        return _json(
            {
                "names": latent.names,
                "n_latent": latent.n_latent,
                "low": _numbers(low - margin),
                "high": _numbers(high + margin),
                "middle": _numbers(latent.middle),
                "codes": [_numbers(code) for code in latent.codes],
                "plane": [_numbers(place) for place in latent.plane],
                "directions": [_numbers(direction) for direction in latent.directions],
                "shares": _numbers(latent.shares),
                "labels": None if labels is None else labels.tolist(),
                "any_resolution": latent.any_resolution,
                "size": max(inspection.shape[1:]),
                "live": LIVE,
            }
        )

    def _atlas(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        """Drawings of many places, for a page that cannot ask for more."""
        latent = run.inspection(name).latent
        pictures = latent.atlas(ATLAS)
        low, high = latent.plane.min(axis=0), latent.plane.max(axis=0)
        stacked = pixels_json(pictures.reshape(-1, pictures.shape[2]), high=1.0)
        return _json({"count": ATLAS, "low": _numbers(low), "high": _numbers(high), "pictures": stacked})

    def _drawn(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        return _json(pixels_json(_draw(run.inspection(name), query), high=1.0))

    def _drawn_png(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        return PNG, png_bytes(np.clip(_draw(run.inspection(name), query), 0, 1))

    def _epoch(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        """The filters of a layer after an epoch: numbers, and as many as one sprite holds."""
        number, layer = _two(rest)
        kept = run.kept(name)
        epoch = _whole("epoch", number)
        if epoch not in kept:
            raise UnknownError("epoch", str(epoch), "one of those kept")
        inspection = run.inspection(name)
        chosen = inspection.layer(layer)
        values = read_kept(kept[epoch])
        if layer not in values:
            raise InputError(kept[epoch], f"no {layer}", "the layers of the model")
        filters = Filters(chosen.pictures(values[layer], inspection.shape))
        sprite = base64.b64encode(png_bytes(filters.sprite(0))).decode()
        return _json({**_filters_json(filters), "picture": sprite})

    def _graph(self, run: Run, name: str, rest: list[str], query: Query) -> tuple[str, bytes]:
        which, stage = _two(rest)
        inspection = run.inspection(name)
        backend = query.get("backend", "numba")
        if backend not in ("numba", "c"):
            raise InputError("backend", repr(backend), "numba or c")
        graph = inspection.graph(which, stage, backend=backend, profile=query.get("profile") == "1")
        nodes = [{"label": n.label, "kind": n.kind, "details": n.details, "seconds": n.seconds} for n in graph.nodes]
        about = {"title": graph.title, "operations": graph.operations, "note": graph.note}
        return _json({**about, "nodes": nodes, "svg": graph.svg(styled=False)})


def _filters_json(filters: Filters) -> dict[str, Any]:
    n, h, w = filters.pictures.shape
    return {
        "count": n,
        "h": h,
        "w": w,
        "sprites": filters.sprites,
        "sprite": SPRITE,
        "norms": _numbers(filters.norms),
        "low": _numbers(filters.low),
        "high": _numbers(filters.high),
    }


def _reconstruction(inspection: Inspection, image: Any, asked: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(asked.get("kind", "zero"))
    if kind not in CORRUPTIONS:
        raise InputError("kind", repr(kind)[:40], f"one of {', '.join(CORRUPTIONS)}")
    level = _real("level", asked.get("level", 0), 0, 1)
    found = inspection.reconstruct(image, kind, level, _whole("seed", asked.get("seed", 0)))
    code = code_picture(found.code)
    return {
        "original": pixels_json(found.original, high=1.0),
        "corrupted": pixels_json(found.corrupted, high=1.0),
        "code": pixels_json(code, signed=bool(code.min(initial=0) < 0)),
        "output": pixels_json(found.output, high=1.0),
        "error": pixels_json(found.error, signed=True),
        "rmse": found.rmse,
        "code_shape": list(np.shape(found.code)),
    }


def _draw(inspection: Inspection, query: Query) -> np.ndarray:
    latent = inspection.latent
    code = [_real("code", number, -1e6, 1e6) for number in query.get("code", "").split(",")[:100]]
    size = _whole("size", query["size"]) if "size" in query else None
    return latent.draw(np.array(code), size)


def _json(value: Any) -> tuple[str, bytes]:
    return JSON, json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _numbers(values: Any) -> list[float | None]:
    """Numbers with five digits; what is not finite is none."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in np.asarray(values, np.float64).tolist()]


def _one(rest: list[str]) -> str:
    if len(rest) != 1:
        raise UnknownError("/".join(rest), f"{len(rest)} parts", "one")
    return rest[0]


def _two(rest: list[str]) -> tuple[str, str]:
    if len(rest) != 2:
        raise UnknownError("/".join(rest), f"{len(rest)} parts", "two")
    return rest[0], rest[1]


def _whole(name: str, value: Any) -> int:
    text = str(value)
    if not (text.isdecimal() and text.isascii()) or len(text) > 9:
        raise InputError(name, repr(text[:40]), "a whole number")
    return int(text)


def _real(name: str, value: Any, low: float, high: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise InputError(name, repr(value)[:40], f"a number from {low:g} to {high:g}")
    return number
