"""What a training computes, in a few lines of JSON that are the same in each process that builds the same graph.

The fingerprint tells graphs apart; the numbers and the operations beside it tell in what they differ.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.op import HasInnerGraph, Op

ADDRESS = re.compile(r" at 0x[0-9a-f]+|0x[0-9a-f]{6,}")
MOST_NUMBERS = 100


def graph_fingerprint(outputs: Mapping[str, Variable], leaves: Mapping[Variable, str]) -> dict[str, Any]:
    """Describe the graph of `outputs`, whose names count, from `leaves` on, whose names stand for whatever they may hold.

    ``graph`` is a SHA-256 of all operations, their settings, and how they hang together, constants with their values;
    ``numbers``, the constants that are scalars, and ``operations``, how many there are of each, are in a form to be read.
    """
    digests: dict[Variable, str] = {v: _hash("leaf", name, v.type) for v, name in leaves.items()}
    numbers: set[str] = set()
    operations: Counter[str] = Counter()
    graph = _hash(*((name, _walked(v, digests, numbers, operations)) for name, v in sorted(outputs.items())))
    return {"graph": graph, "numbers": sorted(numbers)[:MOST_NUMBERS], "operations": dict(sorted(operations.items()))}


def array_digest(value: Any) -> str:
    """Return the SHA-256 of an array's dtype, shape and values, or of how something else describes itself."""
    if not isinstance(value, np.ndarray | np.generic | int | float):
        return hashlib.sha256(_text(value).encode()).hexdigest()
    array = np.asarray(value, order="C")
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    digest.update(array.tobytes())
    return digest.hexdigest()


def _walked(output: Variable, digests: dict[Variable, str], numbers: set[str], operations: Counter[str]) -> str:
    """Return the digest of `output`, and find on the way that of all it depends on; no recursion, as graphs are deep."""
    waiting = [output]
    while waiting:
        v = waiting[-1]
        if v in digests:
            waiting.pop()
            continue
        node = v.owner
        if node is None:
            digests[v] = _leaf(v, numbers)
        elif missing := [i for i in node.inputs if i not in digests]:
            waiting += missing
            continue
        else:
            operations[_name(node.op)] += 1
            digest = _hash(_op(node.op), [digests[i] for i in node.inputs])
            digests |= {o: _hash(digest, number) for number, o in enumerate(node.outputs) if o not in digests}
        waiting.pop()
    return digests[output]


def _leaf(v: Variable, numbers: set[str]) -> str:
    if isinstance(v, Constant):
        if isinstance(v.data, np.ndarray) and v.data.ndim == 0:
            numbers.add(str(v.data))
        return _hash("constant", v.type, v.data)
    return _hash("shared" if isinstance(v, SharedVariable) else "input", v.name, v.type)


def _op(op: Op) -> str:
    """Describe the operation with its settings, and the graph inside of one that has one."""
    if isinstance(op, HasInnerGraph):
        leaves = {v: f"inner {number}" for number, v in enumerate(op.inner_inputs)}
        inner = graph_fingerprint({str(number): v for number, v in enumerate(op.inner_outputs)}, leaves)
        return _hash(type(op).__qualname__, inner["graph"], getattr(op, "info", None))
    settings = [getattr(op, name, None) for name in getattr(op, "__props__", None) or ()]
    return _hash(type(op).__qualname__, ADDRESS.sub("", str(op)), settings)


def _name(op: Op) -> str:
    return ADDRESS.sub("", str(op)).partition("{")[0][:40]


def _hash(*parts: Any) -> str:
    return hashlib.sha256(_text(parts).encode()).hexdigest()


def _text(value: Any) -> str:
    """Return `value` in words that are the same in every process: no addresses, no order of sets."""
    if isinstance(value, np.ndarray):
        return f"array {array_digest(value)}" if value.dtype != object else f"array {_text(value.tolist())}"
    if isinstance(value, Op):
        return _op(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _text([type(value).__qualname__, *(getattr(value, f.name) for f in dataclasses.fields(value))])
    if isinstance(value, slice):
        return _text(("slice", value.start, value.stop, value.step))
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_text(k)}: {_text(v)}' for k, v in value.items()))}}}"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, enum.Enum | type) or (callable(value) and hasattr(value, "__qualname__")):
        return str(getattr(value, "__qualname__", value))
    return ADDRESS.sub("", repr(value))
