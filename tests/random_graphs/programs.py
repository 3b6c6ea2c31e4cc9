"""Random programs, repeatable by seed; see `outcomes` for what they are as data.

What is known of each value while a program grows - shape, dtype, bounds, whether it is computed without rounding - lets the
generator keep values where functions are well conditioned, and ask for rounding, comparing and sorting only where all
backends have the same bits. Faults are put in on purpose: indices and labels out of range, shapes that do not fit.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np

FLOATS = ("float32", "float64")
INTS = ("int8", "int16", "int32", "int64", "uint8")


@dataclass(frozen=True)
class Value:
    place: int
    shape: tuple[int, ...]
    dtype: str  # "float" where only that is known
    low: float
    high: float
    exact: bool
    leaf: bool = False
    distinct: bool = False
    broadcastable: tuple[int, ...] = ()

    @property
    def is_float(self) -> bool:
        return self.dtype.startswith("float")

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Grower:
    """A program while it grows."""

    def __init__(self, seed: int):
        self.random = np.random.RandomState(seed)
        self.seed = seed
        self.leaves: list[dict] = []
        self.facts: list[Value] = []  # of leaves first; steps are numbered after all leaves at the end
        self.steps: list[dict] = []
        self.values: list[Value] = []
        self.results: list[Value] = []
        self.chance_of_fault = 0.25 if self.chance(0.5) else 0.0
        self.main = self.pick(FLOATS, (0.25, 0.75))

    # -- chance

    def chance(self, p: float) -> bool:
        return bool(self.random.rand() < p)

    def fault(self) -> bool:
        return self.chance(self.chance_of_fault)

    def pick(self, options, p=None):
        return options[int(self.random.choice(len(options), p=p))]

    def between(self, low: int, high: int) -> int:
        """From `low` to `high`, both included."""
        return int(self.random.randint(low, high + 1))

    # -- leaves

    def size(self) -> int:
        return self.pick((0, 1, 2, 3, 4), (0.03, 0.12, 0.35, 0.35, 0.15))

    def shape(self, ndim: int | None = None) -> tuple[int, ...]:
        ndim = self.pick((0, 1, 2, 3), (0.1, 0.3, 0.45, 0.15)) if ndim is None else ndim
        return tuple(self.size() for _ in range(ndim))

    def leaf(self, shape=None, dtype=None, low=-3.0, high=3.0, exact=None, distinct=False, kind=None, sparse=None, values=None):
        """Grow a new leaf; floats lie on eighths if `exact`, all different if `distinct`."""
        shape = self.shape() if shape is None else tuple(shape)
        dtype = self.float_dtype() if dtype is None else dtype
        exact = self.chance(0.5) if exact is None else exact
        n = math.prod(shape)
        if values is not None:
            drawn = np.asarray(values)
            exact = True
        elif not dtype.startswith("float"):
            low, high = max(math.ceil(low), 0 if dtype[0] == "u" else -100), math.floor(high)
            drawn = self.random.randint(low, max(high, low) + 1, n)
            exact = True
        elif distinct:
            drawn = low + (high - low) * (self.random.permutation(n) + 0.5) / max(n, 1)
            drawn = np.round(drawn * 1024) / 1024
            exact = True
        elif exact:
            a, b = math.ceil(low * 8), math.floor(high * 8)
            drawn = self.random.randint(a, max(a, b) + 1, n) / 8
        else:
            drawn = np.round(low + (high - low) * self.random.rand(n), 6)
        if sparse is not None:
            drawn = np.where(self.random.rand(n) < 0.5, 0, drawn)
            low, high = min(low, 0), max(high, 0)
        kind = kind or self.pick(("input", "shared", "constant"), (0.7, 0.2, 0.1))
        ones = tuple(int(s == 1 and self.chance(0.5)) for s in shape)
        leaf = {"kind": kind, "dtype": dtype, "shape": list(shape), "values": np.asarray(drawn).ravel().tolist()}
        if sparse is not None:
            leaf.update(sparse=sparse, kind="input")
        elif kind == "input":
            leaf["broadcastable"] = list(ones)
        elif kind == "constant":
            ones = tuple(int(s == 1) for s in shape)
        else:
            ones = (0,) * len(shape)
        self.leaves.append(leaf)
        fact = Value(-len(self.leaves), shape, dtype, float(low), float(high), exact, True, distinct, ones)
        self.values.append(fact)
        return fact

    def float_dtype(self) -> str:
        return self.main if self.chance(0.85) else self.pick(FLOATS)

    def int_dtype(self) -> str:
        return self.pick(INTS, (0.15, 0.1, 0.3, 0.3, 0.15))

    def number(self, value: int, dtype: str | None = None, kind: str | None = None) -> Value:
        """Grow a scalar leaf, such as an index."""
        return self.leaf((), dtype or self.pick(("int64", "int32", "int8")), value, value, values=[value], kind=kind)

    # -- steps

    def step(self, op, operands, shape, dtype, low, high, exact=False, args=None, **more) -> Value:
        step = {"op": op, "in": [v.place for v in operands]}
        if args:
            step["args"] = args
        step.update({key: more.pop(key) for key in ("drop_updates",) if key in more})
        self.steps.append(step)
        fact = Value(len(self.steps) - 1, tuple(shape), dtype, float(low), float(high), bool(exact), **more)
        if dtype != "list":
            self.values.append(fact)
        return fact

    def item(self, made: Value, i: int, shape, dtype, low, high, exact=False) -> Value:
        return self.step("item", [made], shape, dtype, low, high, exact, {"i": i})

    def some(self, ndim=None, kinds="f", shape=None, fresh=0.35) -> Value:
        """Return a value there is, or a new leaf."""
        wanted = [
            v
            for v in self.values
            if v.dtype != "sparse"
            and (kinds == "any" or v.is_float == (kinds == "f"))
            and (ndim is None or len(v.shape) in (ndim if isinstance(ndim, tuple) else (ndim,)))
            and (shape is None or v.shape == tuple(shape))
            and math.isfinite(v.low)
        ]
        if wanted and not self.chance(fresh):
            # rather one of the last than an input
            return wanted[-1 - min(int(self.random.exponential(2.0)), len(wanted) - 1)]
        if shape is None:
            shape = self.shape(self.pick(ndim) if isinstance(ndim, tuple) else ndim)
        whole = kinds == "i" or (kinds == "any" and self.chance(0.3))
        return self.leaf(shape, self.int_dtype() if whole else None)

    def exact(self, ndim=None, kinds="f", shape=None) -> Value:
        v = self.some(ndim, kinds, shape)
        if v.exact:
            return v
        return self.leaf(v.shape, self.float_dtype(), exact=True)

    def floats(self, v: Value, dtype: str | None = None) -> Value:
        """`v` in a float dtype that is known."""
        dtype = dtype or self.main
        if v.dtype == dtype:
            return v
        return self.step("cast", [v], v.shape, dtype, v.low, v.high, False, {"dtype": dtype})

    def within(self, v: Value, low: float, high: float) -> Value:
        """`v`, or something made of it, with values in these bounds."""
        if v.low >= low and v.high <= high:
            return v
        if not v.is_float:
            v = self.floats(v)
        if v.size and max(abs(v.low), abs(v.high)) > 20:
            v = self.step(
                "scale", [v], v.shape, v.dtype, -2, 2, False, {"factor": 2 / max(abs(v.low), abs(v.high)), "shift": 0.0}
            )
        squashed = self.step("tanh", [v], v.shape, v.dtype, -1, 1)
        low, high = max(low, -2.0), min(high, 2.0)
        half, middle = 0.5 * (high - low), 0.5 * (high + low)
        if (half, middle) == (1, 0):
            return squashed
        return self.step("scale", [squashed], v.shape, v.dtype, low, high, False, {"factor": half, "shift": middle})

    def result(self, *values: Value) -> None:
        self.results.extend(values)

    # -- the whole

    def program(self) -> dict:
        n = len(self.leaves)

        def place(p: int) -> int:
            return -p - 1 if p < 0 else n + p

        for step in self.steps:
            step["in"] = [place(p) for p in step["in"]]
        used = {i for step in self.steps for i in step["in"]}
        last = [v for v in self.values if not v.leaf and place(v.place) not in used]
        chosen = {v.place: v for v in (*self.results, *last[-2:])} or {v.place: v for v in self.values[-1:]}
        results = list(chosen.values())[:4]
        program = {"seed": self.seed, "leaves": self.leaves, "steps": self.steps, "results": [place(v.place) for v in results]}
        wrt = [i for i, leaf in enumerate(self.leaves) if leaf["dtype"].startswith("float") and leaf["kind"] != "constant"]
        finite = all(math.isfinite(v.low) and max(abs(v.low), abs(v.high)) < 1e4 for v in results)
        if wrt and finite and any(v.is_float for v in results) and self.chance(0.45):
            program["gradient"] = wrt[:3]
            kept = [i for i in wrt[:3] if self.leaves[i]["kind"] == "shared"]
            if kept and self.chance(0.7):
                program["update"] = kept[0]
        return program


def program(seed: int) -> dict:
    """Return the program of that seed."""
    from random_graphs.themes import GLUE, THEMES

    grower = Grower(seed)
    names = [name for name, (weight, _) in THEMES.items() for _ in range(weight)]
    theme = THEMES[grower.pick(names)][1]
    for _ in range(grower.between(0, 2)):
        grower.pick(GLUE)(grower)
    grower.pick(theme)(grower)
    for _ in range(grower.between(0, 2)):
        grower.pick(GLUE if grower.chance(0.7) else theme)(grower)
    return grower.program()


def digest(program: dict) -> str:
    """Return a short text that differs between programs: outcomes that are kept say by it which program they are of."""
    return hashlib.sha256(json.dumps(program, sort_keys=True).encode()).hexdigest()[:16]
