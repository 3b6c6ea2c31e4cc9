"""How large the arrays of a graph are: measured with a few images, as most types leave sizes open."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import graph_inputs
from pytensor.tensor.type import TensorType

from symae.compile import COMPILING, function

SHORT = {"float64": "f64", "float32": "f32", "float16": "f16", "bool": "bool", "complex64": "c64", "complex128": "c128"}
Probes = Sequence[Sequence[np.ndarray]]


def array_words(variable: Variable, sizes: Mapping[Variable, str]) -> str:
    """Return shape and dtype in a few letters, such as ``n × 784 f64``; ? is a size that is not known."""
    if not isinstance(variable.type, TensorType):
        return type(variable.type).__name__.removesuffix("Type").lower()
    dtype = variable.type.dtype
    short = SHORT.get(dtype, dtype.replace("uint", "u").replace("int", "i"))
    known = sizes.get(variable)
    if known is None:
        known = " × ".join("?" if n is None else str(n) for n in variable.type.shape)
    return f"{known} {short}".strip()


def as_written(inputs: Sequence[Variable], order: Sequence[Any], probes: Probes) -> dict[Variable, str]:
    """Return the sizes of all arrays of a graph for some images, of which nothing is changed."""
    variables = [*inputs, *dict.fromkeys(v for apply in order for v in (*apply.inputs, *apply.outputs))]
    variables = [v for v in dict.fromkeys(variables) if isinstance(v.type, TensorType)]
    if not probes or not variables:
        return {}
    with contextlib.suppress(Exception), np.errstate(all="ignore"):  # of a graph that cannot be computed, its types are shown
        with COMPILING:
            shapes = [v.shape for v in variables]
            measure = function(list(inputs), shapes, mode="FAST_COMPILE", on_unused_input="ignore")
        found = [[tuple(int(n) for n in shape) for shape in measure(*probe)] for probe in probes]
        counts = [len(probe[0]) for probe in probes]
        return {v: _words(shapes, counts) for v, *shapes in zip(variables, *found, strict=True)}
    return {}


def as_run(compiled: Any, probes: Probes) -> dict[Variable, str]:
    """Return the sizes of all arrays of a function that runs node by node, for some images, or without any of its last call."""
    found: list[dict[Variable, tuple[int, ...]]] = []
    counts: list[int] = []
    storage = compiled.vm.storage_map
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        given: list[Sequence[np.ndarray] | None] = [*probes] or [None]
        for probe in given:
            if probe is not None:
                compiled(*probe)
                counts.append(len(probe[0]))
            found.append({v: np.shape(kept[0]) for v, kept in storage.items() if isinstance(kept[0], np.ndarray | np.generic)})
        common = set(found[0]).intersection(*found)
        return {v: _words([shapes[v] for shapes in found], counts) for v in common if isinstance(v.type, TensorType)}
    return {}


def _words(shapes: Sequence[tuple[int, ...]], counts: Sequence[int]) -> str:
    """Return a shape in which n stands for the number of images."""
    if len({len(shape) for shape in shapes}) != 1:
        return "?"
    sizes = []
    for each in zip(*shapes, strict=True):
        if len(set(each)) == 1:
            sizes.append(str(each[0]))
        elif len({n / count for n, count in zip(each, counts, strict=True)}) == 1 and each[0] % counts[0] == 0:
            times = each[0] // counts[0]
            sizes.append("n" if times == 1 else f"{times}n")
        else:
            sizes.append("?")
    return " × ".join(sizes)


def with_own_values(
    outputs: Sequence[Variable], updates: Sequence[tuple[Any, Variable]]
) -> tuple[list[Variable], list[tuple[Any, Variable]]]:
    """Return a graph with copies of all shared variables, which may be changed."""
    results = [*outputs, *(new for _, new in updates)]
    shared = [v for v in dict.fromkeys([*graph_inputs(results), *(old for old, _ in updates)]) if isinstance(v, SharedVariable)]
    own: dict[Variable, Variable] = {v: type(v)(type=v.type, value=v.get_value(), strict=False, name=v.name) for v in shared}
    copied = clone_replace(results, own, copy_inputs_over=True) if results else []
    count = len(outputs)
    return list(copied[:count]), [(own[old], new) for (old, _), new in zip(updates, copied[count:], strict=True)]
