"""The tab of the histories of several runs, of their settings side by side, and the filters that a run kept of its epochs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from symae.errors import InputError
from symae.images import png_bytes
from symae.inspector.api.responses import Content, Query, UnknownError, json_answer, quoted, two, whole
from symae.inspector.api.unit import filters_json
from symae.inspector.comparison import described, table_of
from symae.inspector.filters import Filters, filter_pictures
from symae.inspector.inspection import Inspection
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab
from symae.runs.parameter_snapshots import read_kept

MOST_CURVES = 200  # of one run
KEPT_EPOCHS = 50  # in an exported page


def histories(runs: Sequence[Run], live: bool = True) -> dict[str, Any]:
    """Return curves and settings of runs, as the page takes them.

    ``curves`` has for each run, model and figure its epochs and values, those that are finite; ``table`` rows of a setting's
    name and its value in each run, those that differ first; ``running`` says whether any run goes on; then ``problems``.
    """
    curves: list[dict[str, Any]] = []
    columns: list[dict[str, str]] = []
    problems: list[str] = []
    for number, run in enumerate(runs):
        try:
            entries = run.history()
        except (InputError, OSError) as error:
            problems.append(str(error))
            columns.append({})
            continue
        columns.append(described(run, entries))
        series: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for entry in entries:
            for figure, value in entry.items():
                if figure in ("epoch", "model") or not isinstance(value, int | float):
                    continue
                series.setdefault((str(entry.get("model", "")), figure), []).append((entry["epoch"], float(value)))
        if len(series) > MOST_CURVES:
            problems.append(
                f"{run.name}: found {len(series)} curves, expected at most {MOST_CURVES}: the first of them are shown"
            )
        for (model, figure), points in list(series.items())[:MOST_CURVES]:
            curves.append(
                {
                    "run": number,
                    "name": run.name,
                    "model": model,
                    "figure": figure,
                    "x": [x for x, _ in points],
                    "y": [float(f"{y:.8g}") for _, y in points],
                }
            )
    table = [{"name": row.name, "values": row.values} for row in table_of(columns)]
    return {
        "curves": curves,
        "table": table,
        "runs": [run.name for run in runs],
        "running": live and any(run.going_on for run in runs),
        "problems": problems,
    }


def _epoch(run: Run, name: str, rest: list[str], query: Query) -> Content:
    """Return the filters of a layer after an epoch: numbers, and as many as one sprite holds."""
    number, layer = two(rest, "epoch", "layer")
    kept = run.kept(name)
    epoch = whole("epoch", number)
    if epoch not in kept:
        raise UnknownError("epoch", str(epoch), f"one of {', '.join(map(str, kept)) or 'none'}, whose filters are kept")
    inspection = run.inspection(name)
    chosen = inspection.layer(layer)
    values = read_kept(kept[epoch])
    if layer not in values:
        raise InputError(kept[epoch], f"no {layer}", "the layers of the model")
    filters = Filters(filter_pictures(chosen, values[layer], inspection.layout))
    sprite = base64.b64encode(png_bytes(filters.sprite(0), smallest=False)).decode()
    return json_answer({**filters_json(filters), "picture": sprite})


def _about(run: Run, name: str, inspection: Inspection) -> dict[str, Any]:
    return {"epochs": sorted(run.kept(name))}


def _kept(about: dict[str, Any]) -> Iterator[str]:
    for layer in about["layers"]:
        for epoch in _spread(about["epochs"]):
            yield quoted("epoch", epoch, layer["name"])


def _shows(run: Run, inspection: Inspection | None) -> bool:
    try:
        return bool(run.record) or bool(run.history())
    except (InputError, OSError):  # a run that is gone says so there
        return True


def _spread(epochs: list[int]) -> list[int]:
    """Return at most `KEPT_EPOCHS` of the epochs, the first and the last among them."""
    if len(epochs) <= KEPT_EPOCHS:
        return epochs
    return sorted({epochs[round(i * (len(epochs) - 1) / (KEPT_EPOCHS - 1))] for i in range(KEPT_EPOCHS)})


TAB = Tab(
    "Training",
    position=40,
    answers={"epoch": _epoch},
    of_runs={"training": histories},
    about=_about,
    kept=_kept,
    shows=_shows,
    needs_model=False,
)
