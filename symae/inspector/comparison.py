"""Several runs side by side: what they came to, what they were told, and in what they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from symae._runtime.decimals import fixed
from symae.inspector.api.responses import worded
from symae.inspector.runs import Run

LEAST, MOST = 12, 30  # characters of a column of the table at a terminal
NAMES = 24  # of the names of rows, at most; the rest comes below


@dataclass(frozen=True)
class Row:
    """Hold what runs have under one name, each in a column; an empty text where a run has nothing."""

    name: str
    values: list[str]

    @property
    def differs(self) -> bool:
        """Whether not all runs have the same."""
        return len(set(self.values)) > 1

    @property
    def is_figure(self) -> bool:
        """Whether it is something that the runs came to."""
        return self.name.rpartition(": ")[2].startswith(("last ", "seconds of all epochs"))


def compared(runs: Sequence[Run]) -> list[Row]:
    """Return the rows in which runs can be compared: figures, then what differs, then what does not."""
    return table_of([described(run, run.history()) for run in runs])


def table_of(columns: Sequence[Mapping[str, str]]) -> list[Row]:
    """Return columns as rows: figures, then those that differ, otherwise in the order in which they come."""
    keys = dict.fromkeys(key for column in columns for key in column)
    rows = [Row(key, [column.get(key, "") for column in columns]) for key in keys]
    return sorted(rows, key=lambda row: (not row.is_figure, not row.differs))


def described(run: Run, entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what a run came to and was told, by name: final figures, seconds of all epochs, state, settings and versions."""
    record = run.record
    if "problem" in record:
        return {"record": record["problem"]}
    found = _figures(entries)
    if record:
        state = str(record.get("state", ""))
        if state == "running" and not run.going_on:
            state = "ended before its time"
        began = str(record.get("started", "")).replace("T", " ").replace("+00:00", " UTC")
        found |= {"worksheet": str(record.get("worksheet", "")), "state": state, "began": began}
    else:
        found["record"] = "none: the run is older than symae inspect; its report.html has the settings"
    found["epochs finished"] = str(len(entries))
    if record.get("data"):  # a run that has ended says more of it below
        found["data"] = str(record["data"])
    found |= {
        str(k): worded(str(k), v) for k, v in {**record.get("settings", {}), **record.get("facts", {})}.items() if k != "out"
    }
    found |= {str(k): str(v) for k, v in record.get("versions", {}).items()}
    return found


def _figures(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the figures of each model's last epoch, empty if only earlier ones have it, and the seconds of all its epochs."""
    found: dict[str, str] = {}
    seconds: dict[str, float] = {}
    last = {entry.get("model"): entry for entry in entries}
    for entry in entries:
        model = f"{entry['model']}: " if entry.get("model") else ""
        for figure, value in entry.items():
            if figure == "epoch" or isinstance(value, str):
                continue
            if figure == "seconds":
                seconds[model] = seconds.get(model, 0.0) + (value or 0.0)
            else:
                found[f"{model}last {figure}"] = _last(last[entry.get("model")], figure)
    return found | {f"{model}seconds of all epochs": f"{total:.1f}" for model, total in seconds.items()}


def _last(entry: Mapping[str, Any], figure: str) -> str:
    """Return a figure of an epoch: empty if the epoch has none, "diverged" if it is not finite."""
    if figure not in entry or isinstance(entry[figure], str):
        return ""
    return "diverged" if entry[figure] is None else fixed(float(entry[figure]))


def lines_of(names: Sequence[str], rows: Sequence[Row], width: int = 80) -> list[str]:
    """Return a table in lines of at most `width` characters; runs that have no room beside the others come below them."""
    first = max(min(NAMES, max((len(row.name) for row in rows), default=0)), 3)
    room = max(1, (width - first) // (LEAST + 2))  # columns beside one another
    lines: list[str] = []
    for begin in range(0, len(names), room):
        shown = slice(begin, begin + room)
        count = len(names[shown])
        cells = [["", *names[shown]], *([row.name, *row.values[shown]] for row in rows)]
        most = min(MOST, (width - first) // count - 2)
        widths = [min(most, max(len(row[i + 1]) for row in cells)) for i in range(count)]
        if begin:
            lines.append("")
        for row in cells:
            name, *rest = wrap(row[0], first, subsequent_indent="  ") or [""]
            texts = [name.ljust(first)]
            texts += [_short(text or "–", size).ljust(size) for text, size in zip(row[1:], widths, strict=True)]
            lines += ["  ".join(texts).rstrip(), *rest]
    return lines


def _short(text: str, most: int) -> str:
    """Return a text in one line of at most so many characters: of a path the end says more than the beginning."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    return f"…{text[len(text) - most + 1 :]}" if "/" in text else f"{text[: most - 1]}…"
