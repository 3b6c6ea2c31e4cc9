"""The compiled graphs, drawn."""

from __future__ import annotations

from symae.compile.backends import DEFAULT
from symae.errors import InputError
from symae.inspector.api.responses import Answer, Content, Query, json_answer, two
from symae.inspector.graphs import REWRITTEN_FOR
from symae.inspector.runs import Run

__all__ = ["ANSWERS"]


def _graph(run: Run, name: str, rest: list[str], query: Query) -> Content:
    which, stage = two(rest)
    inspection = run.inspection(name)
    backend = query.get("backend", DEFAULT)
    if backend not in REWRITTEN_FOR:
        raise InputError("backend", repr(backend), " or ".join(REWRITTEN_FOR))
    graph = inspection.graph(which, stage, backend=backend, profile=query.get("profile") == "1")
    nodes = [{"label": n.label, "kind": n.kind, "details": n.details, "seconds": n.seconds} for n in graph.nodes]
    about = {"title": graph.title, "operations": graph.operations, "note": graph.note}
    return json_answer({**about, "nodes": nodes, "svg": graph.svg(styled=False)})


ANSWERS: dict[str, Answer] = {"graph": _graph}
