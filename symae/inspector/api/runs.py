"""The runs, and one model of a run: what the page has to know before it shows anything."""

from __future__ import annotations

from typing import Any

from symae.compile.backends import BY_NAME
from symae.errors import InputError
from symae.inspector.api.responses import Answer, Content, Query, json_answer, worded
from symae.inspector.graphs import REWRITTEN_FOR, TIMED
from symae.inspector.runs import Run, SavedModel

__all__ = ["ANSWERS", "run_listed"]


def run_listed(number: int, run: Run) -> dict[str, Any]:
    """What the page shows of a run before it is chosen."""
    record: dict[str, Any] = {}
    models: list[dict[str, Any]] = []
    problem = None
    try:
        models = [{"name": m.name, "label": m.label} for m in run.models().values()]
        record = run.record
        problem = record.get("problem") or record.get("left_out")
    except (InputError, OSError) as error:
        problem = str(error)
    return {
        "number": number,
        "name": run.name,
        "title": record.get("title") or run.name,
        "running": run.going_on,
        "models": models,
        "problem": problem,
    }


def _model(run: Run, name: str, rest: list[str], query: Query) -> Content:
    inspection = run.inspection(name)
    saved: SavedModel = run.models()[name]
    examples = inspection.examples
    record = run.record
    noisy = "noise" in record.get("settings", {})
    default = inspection.described.corruption_level
    level = record.get("settings", {}).get("noise", default)
    level = min(max(float(level), 0.0), 1.0) if isinstance(level, int | float) else default
    return json_answer(
        {
            "class": type(inspection.model).__name__,
            "configuration": {k: worded(k, v) for k, v in inspection.model.configuration().items()},
            "source": saved.source,
            "parameters": int(sum(v.size for v in inspection.model.parameters().values())),
            "shape": inspection.shape,
            "shape_known": inspection.layout.known,
            "diverged": [f"{parameter} {words}" for parameter, words in inspection.diverged.items()],
            "layers": [
                {
                    "name": name,
                    "node": x.node,
                    "kind": x.kind,
                    "pixels": x.sees_pixels,
                    "units": len(inspection.units(name)),
                    "weights": list(x.weights(inspection.model.parameters()[name]).shape[1:]),
                }
                for name, x in inspection.layers.items()
            ],
            "nodes": list(inspection.nodes),
            "decoder_maps": list(inspection.decoder_maps),
            "reconstructs": inspection.described.output is not None,
            "latent": inspection.has_latent,
            "examples": None if examples is None else {"count": len(examples.images), "name": examples.name},
            "examples_problem": run.examples_problem if examples is None else None,
            "corruption": {"kind": "noise" if noisy else "zero", "level": level},
            "bound": inspection.default_bound(),
            "graphs": inspection.graphs.names,
            "backends": [{"name": n, "title": BY_NAME[n].title, "timed": n in TIMED} for n in REWRITTEN_FOR],
            "epochs": sorted(run.kept(name)),
        }
    )


ANSWERS: dict[str, Answer] = {"model": _model}
