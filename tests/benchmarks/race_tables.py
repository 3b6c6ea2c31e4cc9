"""The tables of docs/benchmarks.md, made of what `all_races.py` has measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BEGIN, END = "<!-- races -->", "<!-- /races -->"
OWN = "symae"


def replaced(text: str, tables: str) -> str:
    """`text` with `tables` in place of what stands between its two comments.

    Raises
    ------
    ValueError
        `text` does not have each comment once, in this order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"benchmarks.md: expected {BEGIN} once, and {END} once after it")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables.strip()}\n{END}{rest.split(END)[1]}"


def markdown(measured: Mapping[str, Any]) -> str:
    """All tables there are figures for, with the machine named.

    Parameters
    ----------
    measured : mapping
        ``"machine"`` as `race.machine` gives it, and ``"parts"``: what each race's script has written, by the part's name.
    """
    parts = measured["parts"]
    blocks = [_machine(measured["machine"])]
    blocks += _standard(parts)
    blocks += _settings(parts)
    blocks += _images(parts)
    blocks += _backends(parts)
    return "\n\n".join(blocks)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |".replace("  ", " ") for row in [head, ["---"] * len(head), *rows])


def time_and_ratio(results: Mapping[str, Any], name: str, scale: float = 1.0) -> str:
    """``"0.412 (0.40–0.43), 0.57"``: median, fastest and slowest, and how much of it symae takes, which itself has no ratio."""
    if name not in results:
        return ""
    r = results[name]
    low, high = (number(scale * r[figure]) for figure in ("fastest", "slowest"))
    text = f"{number(scale * r['median'])} ({low}–{high})"
    return text if name == _own(results) else f"{text}, **{ratio(results, name)}**"


def ratio(results: Mapping[str, Any], name: str) -> str:
    """symae's median as a part of another's."""
    return f"{results[_own(results)]['median'] / results[name]['median']:.2f}"


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    digits = max(0, 3 - len(str(int(value)).lstrip("0"))) if value >= 0.1 else 4
    return f"{value:.{digits}f}"


def _own(results: Mapping[str, Any]) -> str:
    return next(name for name in results if name.startswith(OWN))


def _machine(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"Measured on {machine['processor']}, {machine['cores']} cores; Python {machine['python']}, {versions}."


def _standard(parts: Mapping[str, Any]) -> list[str]:
    races = [r for part in ("01", "02") if part in parts for r in parts[part]["races"].values()]
    if not races:
        return []
    names = list(dict.fromkeys(name for r in races for name in r["results"]))
    head = ["seconds an epoch", "threads", *(f"{r['settings']['worksheet']}, {r['settings']['floatX']}" for r in races)]
    rows = []
    for name in names:
        threads = next(r["results"][name]["threads"] for r in races if name in r["results"])
        rows.append([name, threads, *(time_and_ratio(r["results"], name) for r in races)])
    first = races[0]["settings"]
    say = (
        f"Worksheets 01 and 02, minibatches of {first['batch']}, {first['hidden']} hidden units: median (fastest–slowest)\n"
        "of epochs in turns, and in bold symae's median as a part of the other's."
    )
    return [say, table(head, rows)]


def _settings(parts: Mapping[str, Any]) -> list[str]:
    rows: dict[str, dict[str, Any]] = {}
    for part in ("01 settings", "02 settings"):
        for r in parts.get(part, {"races": {}})["races"].values():
            s = r["settings"]
            rows.setdefault(f"{s['floatX']}, {s['batch']}, {s['hidden']}", {})[s["worksheet"]] = r["results"]
    if not rows:
        return []
    sheets = sorted({sheet for by_sheet in rows.values() for sheet in by_sheet})
    peers = [name for name in next(iter(next(iter(rows.values())).values())) if not name.startswith(OWN)]
    head = [
        "floatX, batch, hidden",
        *(h for sheet in sheets for h in (f"{sheet}: symae, s", *(f"to {peer}" for peer in peers))),
    ]
    body = []
    for title, by_sheet in rows.items():
        cells = [title]
        for sheet in sheets:
            results = by_sheet.get(sheet)
            if results is None:
                cells += [""] * (1 + len(peers))
            else:
                cells += [number(results[_own(results)]["median"]), *(ratio(results, p) if p in results else "" for p in peers)]
        body.append(cells)
    return [
        "The same with other minibatches, hidden units and dtypes; symae's median, and as a part of the others':",
        table(head, body),
    ]


def _images(parts: Mapping[str, Any]) -> list[str]:
    rows = []
    for sheet in ("03", "04", "05", "06"):
        if sheet not in parts:
            continue
        minibatches = parts[sheet].get("minibatches")
        if minibatches is None:
            unit, scale = f"s for {parts[sheet]['images']} images", 1.0
        else:
            unit, scale = "ms a minibatch", 1000 / minibatches
        for title, results in parts[sheet]["races"].items():
            fastest = [_own(results), *(_fastest(results, kind) for kind in ("PyTorch", "JAX"))]
            memory = ", ".join(f"{results[name]['megabytes']:.0f}" for name in fastest if name)
            rows.append([f"{sheet}: {title}", unit, *(time_and_ratio(results, name, scale) for name in fastest), memory])
    if not rows:
        return []
    say = (
        "Worksheets 03 to 06, float32: PyTorch's fastest way, and JAX's: by `lax.scan` or, in 04 to 06, by compiled steps.\n"
        "Memory is the most that a process has had, compiling included:"
    )
    return [say, table(["model", "time", "symae, Numba", "PyTorch", "JAX", "memory of each, MB"], rows)]


def _backends(parts: Mapping[str, Any]) -> list[str]:
    """Compare symae on JAX and on PyTorch with their fastest way by hand."""
    rows = []
    for sheet in ("04", "06"):
        for title, results in parts.get(sheet, {"races": {}})["races"].items():
            cells = [f"{sheet}: {title}"]
            for backend, library in (("jax", "JAX"), ("pytorch", "PyTorch")):
                own, by_hand = f"{OWN} {backend}", _fastest(results, library)
                there = own in results and by_hand
                scale = 1000 / parts[sheet]["minibatches"]
                cells += [number(scale * results[own]["median"]), _part(results, own, by_hand)] if there else ["", ""]
            if any(cells[1:]):
                rows.append(cells)
    if not rows:
        return []
    say = "symae on JAX and on PyTorch, ms a minibatch, and as a part of that library's fastest way by hand:"
    return [say, table(["model", "symae, JAX", "to JAX", "symae, PyTorch", "to PyTorch"], rows)]


def _part(results: Mapping[str, Any], name: str, other: str) -> str:
    return f"**{results[name]['median'] / results[other]['median']:.2f}**"


def _fastest(results: Mapping[str, Any], kind: str) -> str:
    """Which of a library's ways is; empty if it does not take part."""
    return min((name for name in results if name.startswith(kind)), key=lambda name: results[name]["median"], default="")
