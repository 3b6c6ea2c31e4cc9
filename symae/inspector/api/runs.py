"""The runs, and one model of a run: what the page has to know before it shows anything."""

from __future__ import annotations

from typing import Any

from symae.errors import InputError
from symae.inspector.api.responses import Content, Query, json_answer, worded
from symae.inspector.runs import Run, SavedModel
from symae.inspector.subject import title_of
from symae.inspector.tabs import TABS, shown_tabs


def run_listed(number: int, run: Run, live: bool = True) -> dict[str, Any]:
    """Return what the page shows of a run before it is chosen; on a page that is not live, no run goes on."""
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
        "running": live and run.going_on,
        "models": models,
        "problem": problem,
        "tabs": shown_tabs(run, None),
    }


def model(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Answer with what the page has to know of a model, and what its tabs add to that."""
    inspection = run.inspection(name)
    saved: SavedModel = run.models()[name]
    examples = inspection.examples
    return json_answer(
        {
            "class": title_of(inspection.model),
            "configuration": {k: worded(k, v) for k, v in inspection.model.configuration().items()},
            "source": saved.source,
            "parameters": int(sum(v.size for v in inspection.model.parameters().values())),
            "tabs": shown_tabs(run, inspection),
            "shape": inspection.shape,
            "interleaved": inspection.layout.interleaved,
            "limits": list(inspection.limits),
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
            "examples": None if examples is None else {"count": len(examples.images), "name": examples.name},
            "examples_problem": run.examples_problem if examples is None else None,
            **{key: value for tab in TABS.values() for key, value in tab.about(run, name, inspection).items()},
        }
    )
