"""Which training a checkpoint is of: what a training computes, what it reads and what it began with.

A training that goes on has to compute the same with the same numbers. It need not begin with the same values, since it takes
those of the checkpoint: a script may draw its weights from a generator without a seed, and a notebook goes on from what it has.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import graph_inputs

from symae._runtime.versions import SYMAE
from symae.compile.graph_fingerprint import array_digest, graph_fingerprint
from symae.errors import InputError

AGAIN = "resume=False begins again"  # what to do about a training that is another one
DIGITS = 16  # of a digest, where a file keeps one for each variable
SHOWN = 4


class Identity:
    """Identify a training as it begins in this process; `lines` are what `check` has to say to the user.

    `outputs` are the cost and the measures, `steps` a step, and `state` what it changes, by names of their own. The values of
    the inputs, `data`, are told apart elsewhere.
    """

    def __init__(
        self,
        outputs: Mapping[str, Variable],
        steps: Sequence[tuple[SharedVariable, Variable]],
        data: Sequence[Variable],
        state: Mapping[str, SharedVariable],
    ):
        names = {v: name for name, v in state.items()}
        changes = dict(steps)
        changes |= {v: v.default_update for v in names if v.default_update is not None and v not in changes}
        graph = {f"output {name}": v for name, v in outputs.items()} | {f"new {names[v]}": new for v, new in changes.items()}
        self._read = _others([*graph.values()], data, names)
        leaves = {x: f"data {number} {x.name}" for number, x in enumerate(data)}
        leaves |= {v: f"state {name}" for v, name in names.items()} | {v: f"read {name}" for name, v in self._read.items()}
        self._state = dict(state)
        self._written: dict[str, Any] = {
            "id": uuid.uuid4().hex,
            "versions": _versions(),
            **graph_fingerprint(graph, leaves),
            "read": self._values_read(),
            "changed outside": [],
            "began with": {name: _digest(v) for name, v in state.items()},
        }
        self.lines: list[str] = []

    def description(self) -> dict[str, Any]:
        """Return what the next checkpoint has of the training, as JSON takes it."""
        values, known = self._values_read(), self._written["changed outside"]
        changed = [name for name, value in values.items() if name not in known and value != self._written["read"].get(name)]
        self._written["changed outside"] = [*known, *changed]
        return dict(self._written)

    def check(self, path: Path, saved: Mapping[str, Any]) -> None:
        """Become the training whose checkpoint `path` has the description `saved`; InputError says in what it is another."""
        if not saved:
            self.lines.append(f"{path} is of an older symae, which did not note cost and updates: they may be others here")
            return
        mine, where = self._written, f"with which {path} was trained; {AGAIN}"
        for name, value in mine["read"].items():
            if name not in saved["changed outside"] and saved["read"].get(name, value) != value:
                raise InputError(name, "other values", f"those {where}")
        if saved["graph"] != mine["graph"]:
            if saved["versions"] == mine["versions"]:
                raise _another(mine, saved, where)
            was = ", ".join(f"{name} {number}" for name, number in saved["versions"].items())
            self.lines.append(f"{path} is of {was}, where graphs are others: the cost and the updates may be others here")
        self._written = {**mine, **{key: saved[key] for key in ("id", "read", "changed outside", "began with")}}

    def unlike(self, *known: Mapping[str, Any]) -> list[str]:
        """Return which variables hold neither what the training began with nor any of what is `known` of them.

        Averages count, because they are in the parameters when a training has ended.
        """
        names = []
        for name, v in self._state.items():
            likely = [arrays[key] for arrays in known for key in (name, f"{name}_average") if key in arrays]
            if _digest(v) not in {self._written["began with"].get(name), *(array_digest(a)[:DIGITS] for a in likely)}:
                names.append(name)
        return names

    def _values_read(self) -> dict[str, str]:
        return {name: _digest(v) for name, v in self._read.items()}


def _versions() -> dict[str, str]:
    import pytensor

    return {"symae": SYMAE, "PyTensor": pytensor.__version__}


def _others(
    graphs: Sequence[Variable], data: Sequence[Variable], state: Mapping[SharedVariable, str]
) -> dict[str, SharedVariable]:
    """Return the shared variables that are read and not changed, by unique names."""
    found: dict[str, SharedVariable] = {}
    for v in graph_inputs(graphs, blockers=list(data)):
        if isinstance(v, SharedVariable) and v not in state and v not in data:
            name, number = v.name or "unnamed", 1
            while name in found:
                number += 1
                name = f"{v.name or 'unnamed'}.{number}"
            found[name] = v
    return found


def _digest(v: SharedVariable) -> str:
    return array_digest(v.words() if hasattr(v, "words") else v.get_value(borrow=True))[:DIGITS]


def _another(mine: Mapping[str, Any], saved: Mapping[str, Any], where: str) -> InputError:
    """Return the error that says in what two graphs differ, as far as a line can say."""
    numbers, others = set(mine["numbers"]), set(saved["numbers"])
    if numbers != others:
        found, expected = sorted(numbers - others), sorted(others - numbers)
        return InputError("updates", f"the numbers {_listed(found)}", f"{_listed(expected)} in their place, {where}")
    counts, had = mine["operations"], saved["operations"]
    if counts != had:
        found, expected = (
            [f"{n} {name}" for name, n in a.items() if b.get(name) != n] for a, b in ((counts, had), (had, counts))
        )
        return InputError("updates", f"a step with {_listed(found)}", f"one with {_listed(expected)}, {where}")
    return InputError("updates", "a step of the same operations in another order", f"the one {where}")


def _listed(items: Sequence[str]) -> str:
    return ", ".join(items[:SHOWN]) + (f" and {len(items) - SHOWN} more" if len(items) > SHOWN else "") if items else "none"
