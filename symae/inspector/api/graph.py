"""The compiled graphs, drawn."""

from __future__ import annotations

from symae.errors import InputError
from symae.inspector.api.responses import Answer, Content, Query, json_answer, two
from symae.inspector.runs import Run

__all__ = ["ANSWERS"]


def _graph(run: Run, name: str, rest: list[str], query: Query) -> Content:
    which, stage = two(rest)
    inspection = run.inspection(name)
    backend = query.get("backend", "numba")
    if backend not in ("numba", "c"):
        raise InputError("backend", repr(backend), "numba or c")
    graph = inspection.graph(which, stage, backend=backend, profile=query.get("profile") == "1")
    nodes = [{"label": n.label, "kind": n.kind, "details": n.details, "seconds": n.seconds} for n in graph.nodes]
    about = {"title": graph.title, "operations": graph.operations, "note": graph.note}
    return json_answer({**about, "nodes": nodes, "svg": graph.svg(styled=False)})


ANSWERS: dict[str, Answer] = {"graph": _graph}
