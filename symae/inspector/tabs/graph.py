"""The tab of the compiled graphs, drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symae.compile.backends import BY_NAME, DEFAULT
from symae.errors import InputError
from symae.inspector.api.responses import Content, Query, json_answer, quoted, two
from symae.inspector.graphs import REWRITTEN_FOR, STAGES, TIMED
from symae.inspector.inspection import Inspection
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab


def _graph(run: Run, name: str, rest: list[str], query: Query) -> Content:
    which, stage = two(rest, "graph", "stage")
    inspection = run.inspection(name)
    backend = query.get("backend", DEFAULT)
    if backend not in REWRITTEN_FOR:
        raise InputError("backend", repr(backend), " or ".join(REWRITTEN_FOR))
    graph = inspection.graph(which, stage, backend=backend, profile=query.get("profile") == "1")
    nodes = [{"label": n.label, "kind": n.kind, "details": n.details, "seconds": n.seconds} for n in graph.nodes]
    about = {"title": graph.title, "operations": graph.operations, "note": graph.note}
    return json_answer({**about, "nodes": nodes, "svg": graph.svg(styled=False)})


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    backends = [{"name": n, "title": BY_NAME[n].title, "timed": n in TIMED} for n in REWRITTEN_FOR]
    return {"graphs": inspection.graphs.names, "backends": backends}


def _kept(about: dict[str, Any]) -> Iterator[str]:
    for name in about["graphs"]:
        for stage in STAGES:
            yield f"{quoted('graph', name, stage)}?backend={DEFAULT}"


def _shows(run: Run, inspection: Inspection | None) -> bool:
    return inspection is not None and bool(inspection.graphs.names)


TAB = Tab("Graph", position=50, answers={"graph": _graph}, about=_about, kept=_kept, shows=_shows)
