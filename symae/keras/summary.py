"""The table of a model's layers."""

from __future__ import annotations

from collections.abc import Sequence

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable

from symae.nn import Layer

WIDTH = 80
GAP = "  "


def summary_lines(inputs: Sequence[Variable], layers: Sequence[tuple[Layer, Variable]]) -> list[str]:
    """List each input and layer with its shape and number of parameters, and their sum, in lines of at most 80 columns.

    Parameters of two layers are counted with the first.
    """
    counted: set[SharedVariable] = set()
    rows = [("Layer", "", "Output shape", "Parameters")]
    rows += [(str(x), "input", str(x.type.shape), "0") for x in inputs]
    for layer, y in layers:
        rows.append((layer.name, layer.kind, str(y.type.shape), f"{_size(set(layer.params) - counted):,}"))
        counted.update(layer.params)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    # where there is no room for all, what a layer is gives way first, then its name, then its shape
    for column in (1, 0, 2):
        others = sum(widths) - widths[column] + 3 * len(GAP)
        widths[column] = min(widths[column], max(WIDTH - others, 8))
    lines = [GAP.join([*map(_fitted, row[:3], widths), f"{row[3]:>{widths[3]}}"]) for row in rows]
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:], rule, f"{_size(counted):,} parameters"]


def _fitted(text: str, width: int) -> str:
    return f"{text:{width}}" if len(text) <= width else f"{text[: width - 1]}…"


def _size(params: set[SharedVariable]) -> int:
    return sum(p.get_value(borrow=True).size for p in params)
