"""What random programs read and write by index, within range and beyond it."""

from __future__ import annotations

import math


def _place(g, n, wanted=None):
    """Return an index into an axis of length n; as a fault one that is just, or far, out of range."""
    if g.fault() or not n:
        return g.pick((n, -n - 1, n + 1, n + 1000))
    return wanted if wanted is not None else g.between(-n, n - 1)


def vector(g, n, length=None, dtype=None):
    """Return indices into an axis of length n as a vector."""
    length = g.size() if length is None else length
    places = [g.between(-n, n - 1) if n else 0 for _ in range(length)]
    dtype = dtype or g.pick(("int64", "int32", "int8", "uint8"), (0.5, 0.3, 0.1, 0.1))
    if dtype[0] == "u":
        places = [p % max(n, 1) for p in places]
    if places and (g.fault() or not n):
        wrong = g.pick((n, n, -n - 1, n + 1, 1000))
        if dtype[0] == "u" and wrong < 0:
            wrong = n
        places[g.between(0, length - 1)] = min(wrong, 120 if dtype.endswith("int8") else 1000)
    return g.leaf((length,), dtype, -128, 127, values=places)


def _slice(g, n, operands):
    """Return a slice of an axis of length n, and how long it comes out; ends are numbers or variables."""

    def end():
        if g.chance(0.35):
            return None
        k = g.between(-n - 1, n + 1)
        if g.chance(0.4):
            operands.append(g.number(k))
            return {"var": len(operands) - 1}
        return k

    def known(part):
        return int(operands[part["var"]].low) if isinstance(part, dict) else part

    parts = [end(), end(), g.pick((None, 1, 2, -1), (0.6, 0.15, 0.15, 0.1))]
    return {"slice": parts}, len(range(*slice(*map(known, parts)).indices(n)))


def _index(g, x, advanced=True):
    """Return an index of `x`: parts, the operands that they name, and the shape of what is read."""
    operands, parts, shape = [], [], []
    form = g.pick(("basic", "vector", "two", "mixed"), (0.4, 0.2, 0.25, 0.15)) if advanced else "basic"
    n = len(x.shape)
    if form == "vector":
        axis = 0 if g.chance(0.7) else g.between(0, n - 1)
        i = vector(g, x.shape[axis])
        parts = [{"slice": [None, None, None]}] * axis + [{"var": 0}]
        return parts, [i], [*x.shape[:axis], *i.shape, *x.shape[axis + 1 :]]
    if form in ("two", "mixed") and n >= 2:
        length = g.size()
        i, j = vector(g, x.shape[0], length), vector(g, x.shape[1], length)
        if form == "mixed":
            k = g.number(_place(g, x.shape[1]))
            return [{"var": 0}, {"var": 1}], [i, k], [length, *x.shape[2:]]
        if g.fault() and length > 1:
            j = vector(g, x.shape[1], length + 1)
        if g.chance(0.3):
            i = g.step("arange", [g.number(min(length, x.shape[0]))], (min(length, x.shape[0]),), "int64", 0, 4, True)
            j = vector(g, x.shape[1], min(length, x.shape[0]))
        return [{"var": 0}, {"var": 1}], [i, j], [*j.shape, *x.shape[2:]]
    for axis in range(g.between(1, n)):
        size = x.shape[axis]
        if g.chance(0.5):
            part, length = _slice(g, size, operands)
            parts.append(part)
            shape.append(length)
        elif g.chance(0.5):
            operands.append(g.number(_place(g, size)))
            parts.append({"var": len(operands) - 1})
        else:
            parts.append(_place(g, size))
    if g.chance(0.1):
        parts.append(None)
        shape.append(1)
        return parts, operands, [*shape, *x.shape[len(parts) - 1 :]]
    return parts, operands, [*shape, *x.shape[len(parts) :]]


def read(g):
    x = g.some((1, 2, 3), "any")
    keep = (x.dtype, x.low, x.high, x.exact)
    name = g.pick(("read", "mask", "take", "choose"), (0.8, 0.07, 0.08, 0.05))
    if name == "mask":
        c = g.leaf(x.shape, "int8", 0, 1)
        shape = (int(sum(v != 0 for v in g.leaves[-c.place - 1]["values"])),)
        return g.step(name, [x, c], shape, *keep)
    if name == "take":
        axis = g.between(0, len(x.shape) - 1)
        i = vector(g, x.shape[axis])
        return g.step(name, [x, i], [*x.shape[:axis], *i.shape, *x.shape[axis + 1 :]], *keep, {"axis": axis})
    if name == "choose":
        a = g.leaf((3,), g.main)
        b = g.leaf((3,), g.main)
        values = [g.pick((2, -1)) if g.fault() else g.between(0, 1) for _ in range(3)]
        i = g.leaf((3,), "int64", 0, 1, values=values)
        return g.step(name, [i, a, b], (3,), g.main, -3, 3, a.exact and b.exact)
    parts, operands, shape = _index(g, x)
    return g.step("read", [x, *operands], shape, *keep, {"parts": parts})


def write(g):
    x = g.some((1, 2, 3), "any")
    if x.dtype == "float":
        x = g.floats(x)
    parts, operands, shape = _index(g, x)
    add = g.chance(0.5)
    form = g.pick(("whole", "scalar", "row", "column"), (0.5, 0.2, 0.15, 0.15))
    given = list(shape)
    if form == "scalar":
        given = []
    elif form == "row" and shape:
        given = shape[-1:]
    elif form == "column" and shape:
        given = [1 if i == g.between(0, len(shape) - 1) else s for i, s in enumerate(shape)]
    if g.fault() and given:
        given[g.between(0, len(given) - 1)] += g.pick((1, 2))
    low, high = (0, 3) if x.dtype[0] == "u" else (-3, 3)
    y = g.leaf(given, x.dtype, low, high)
    if x.dtype in ("int8", "uint8") and add and max(abs(x.low), abs(x.high)) > 60:
        add = False
    top = max(abs(x.low), abs(x.high)) + 3 * max(4, math.prod(shape))
    return g.step(
        "write",
        [x, y, *operands],
        x.shape,
        x.dtype,
        -top if x.dtype[0] != "u" else 0,
        top,
        x.exact and y.exact,
        {"parts": parts, "add": add, "twice": g.chance(0.15)},
    )


def labels(g, n, rows):
    """Class labels for `rows` rows of n classes; as a fault one out of range, or one label too many."""
    if g.fault() and g.chance(0.3):
        rows += 1
    values = [g.between(0, n - 1) for _ in range(rows)]
    if values and g.fault():
        values[g.between(0, rows - 1)] = g.pick((n, n, n + 1, -1, -n, -n - 1))
    return g.leaf((rows,), g.pick(("int32", "int64")), values=values, low=-128, high=127)


def look_up(g):
    """Rows of a table of vectors, their mean, and perhaps the gradient by the table, as word vectors are trained."""
    table = g.leaf((g.between(2, 4), g.between(1, 3)), g.main, kind="shared")
    i = vector(g, table.shape[0], g.between(1, 4))
    rows = g.step("read", [table, i], (*i.shape, table.shape[1]), table.dtype, -3, 3, table.exact, {"parts": [{"var": 0}]})
    if g.chance(0.5):
        return g.step("tanh", [rows], rows.shape, table.dtype, -1, 1)
    return g.step("mean", [rows], rows.shape[1:], table.dtype, -3, 3, False, {"axis": 0, "keepdims": False})
