"""What random programs do with arrays: elements, reductions, shapes, indices, order, linear algebra."""

from __future__ import annotations

import math

import numpy as np

# name: (domain, bounds of the result from those of the operand, computed without rounding of exact values)
FUNCTIONS = {
    "neg": ((-1e9, 1e9), lambda a, b: (-b, -a), True),
    "abs_": ((-1e9, 1e9), lambda a, b: (0, max(abs(a), abs(b))), True),
    "sqr": ((-20, 20), lambda a, b: (0, max(a * a, b * b)), True),
    "exp": ((-4, 3), lambda a, b: (math.exp(a), math.exp(b)), False),
    "exp2": ((-4, 4), lambda a, b: (2**a, 2**b), False),
    "expm1": ((-3, 3), lambda a, b: (math.expm1(a), math.expm1(b)), False),
    "log": ((0.05, 1e6), lambda a, b: (math.log(a), math.log(b)), False),
    "log2": ((0.05, 1e6), lambda a, b: (math.log2(a), math.log2(b)), False),
    "log10": ((0.05, 1e6), lambda a, b: (math.log10(a), math.log10(b)), False),
    "log1p": ((-0.9, 1e6), lambda a, b: (math.log1p(a), math.log1p(b)), False),
    "sqrt": ((0.05, 1e6), lambda a, b: (math.sqrt(a), math.sqrt(b)), False),
    "inv": ((0.1, 1e6), lambda a, b: (1 / b, 1 / a), False),
    "gammaln": ((0.3, 10), lambda a, b: (-1, 13), False),
    "psi": ((0.5, 10), lambda a, b: (-2, 3), False),
    "cosh": ((-3, 3), lambda a, b: (1, 11), False),
    "sinh": ((-3, 3), lambda a, b: (-11, 11), False),
    "tan": ((-1, 1), lambda a, b: (-1.6, 1.6), False),
    "arcsin": ((-0.9, 0.9), lambda a, b: (-1.2, 1.2), False),
    "arccosh": ((1.2, 20), lambda a, b: (0, 4), False),
    "arctanh": ((-0.9, 0.9), lambda a, b: (-1.5, 1.5), False),
    "sigmoid": ((-30, 30), lambda a, b: (0.0 if a < -4 else 0.017, 1), False),
    "softplus": ((-30, 60), lambda a, b: (0, max(b, 0) + 0.7), False),
    "elu": ((-20, 60), lambda a, b: (-1, max(b, 0)), False),
    "selu": ((-20, 60), lambda a, b: (-1.8, 1.06 * max(b, 0)), False),
    "relu": ((-1e9, 1e9), lambda a, b: (max(a, 0), max(b, 0)), True),
    "softsign": ((-60, 60), lambda a, b: (-1, 1), False),
    "deg2rad": ((-60, 60), lambda a, b: (-2, 2), False),
}
FUNCTIONS.update({name: ((-60, 60), lambda a, b: (-1, 1), False) for name in ("tanh", "sin", "cos", "erf")})
FUNCTIONS.update({name: ((-60, 60), lambda a, b: (-6, 6), False) for name in ("arctan", "arcsinh")})
FUNCTIONS["erfc"] = ((-3, 3), lambda a, b: (0, 2), False)
# of exact values only: between two steps rounding would decide
STEPWISE = {name: lambda a, b: (math.floor(a), math.ceil(b)) for name in ("floor", "ceil", "trunc")}
STEPWISE.update(sgn=lambda a, b: (-1, 1), hard_sigmoid=lambda a, b: (0, 1), ultra_fast_sigmoid=lambda a, b: (0, 1))


def unary(g):
    if g.chance(0.2):
        name = g.pick(sorted(STEPWISE))
        x = g.exact()
        return g.step(name, [x], x.shape, x.dtype, *STEPWISE[name](x.low, x.high), exact="sigmoid" not in name)
    if g.chance(0.1):
        x = g.exact()
        return g.step(
            "round",
            [x],
            x.shape,
            x.dtype,
            math.floor(x.low),
            math.ceil(x.high),
            True,
            {"mode": g.pick(("half_to_even", "half_away_from_zero"))},
        )
    name = g.pick(sorted(FUNCTIONS))
    (low, high), bounds, exact = FUNCTIONS[name]
    x = g.some(kinds="any")
    if not x.is_float and not exact:
        x = g.floats(x) if g.chance(0.5) else x
    x = g.within(x, low, high)
    if not x.is_float and (x.dtype in ("int8", "uint8") and name in ("sqr", "neg")):
        x = g.step("cast", [x], x.shape, "int32", x.low, x.high, True, {"dtype": "int32"})
    dtype = x.dtype if x.is_float or exact else "float"
    return g.step(name, [x], x.shape, dtype, *bounds(x.low, x.high), exact=exact and x.exact)


def _second(g, x, kinds="f"):
    """Return an operand that fits `x`, or, as a fault, does not; and the shape of both together."""
    form = g.pick(("same", "scalar", "row", "reduced"), (0.5, 0.2, 0.2, 0.1))
    if g.fault() and g.chance(0.3) and x.shape:
        return g.leaf([s + g.between(1, 2) for s in x.shape], g.float_dtype() if kinds == "f" else g.int_dtype()), x.shape
    if form == "scalar":
        return g.some(0, kinds), x.shape
    if form == "row" and len(x.shape) >= 2:
        return g.some(1, kinds, x.shape[-1:]), x.shape
    if form == "reduced" and len(x.shape) >= 1 and x.is_float and x.shape[-1]:
        axis = g.between(0, len(x.shape) - 1)
        shape = [1 if i == axis else s for i, s in enumerate(x.shape)]
        if x.shape[axis]:
            return g.step(
                "sum",
                [x],
                shape,
                x.dtype,
                x.low * x.shape[axis] - 1,
                x.high * x.shape[axis] + 1,
                x.exact,
                {"axis": axis, "keepdims": True},
            ), x.shape
    return g.some(len(x.shape), kinds, x.shape), x.shape


def _result(*operands):
    if any(v.dtype == "float" for v in operands):
        return "float"
    return str(np.result_type(*(np.dtype(v.dtype) for v in operands)))


def binary(g):
    name = g.pick(("add", "sub", "mul", "true_div", "maximum", "minimum", "pow", "arctan2", "switch", "int_div", "mod", "bits"))
    if name == "bits":
        x = g.some(kinds="i")
        y, shape = _second(g, x, "i")
        return g.step(g.pick(("and_", "or_", "xor")), [x, y], shape, _result(x, y), -128, 255, True)
    if name == "switch":
        return switch(g)
    if name in ("int_div", "mod"):
        kinds = g.pick("fi")
        x = g.exact(kinds=kinds)
        y = g.leaf((), x.dtype if x.dtype != "float" else None, 1, 4, exact=True)
        top = max(abs(x.low), abs(x.high)) + 1 if name == "int_div" else 4
        return g.step(name, [x, y], x.shape, _result(x, y), -top * (1 if y.low >= 1 else 8), top, True)
    x = g.some(kinds="any")
    y, shape = _second(g, x, "f" if x.is_float or g.chance(0.4) else "i")
    top = max(abs(v) for v in (x.low, x.high, y.low, y.high))
    if name == "true_div":
        y = g.within(g.floats(y), 0.2, 1e6)
        return g.step(name, [x, y], shape, _result(x, y), -top / y.low, top / y.low)
    if name == "pow":
        if g.chance(0.5):
            x = g.within(x, -6, 6)
            e = g.between(0, 3)
            if not x.is_float:
                x = g.step("cast", [x], x.shape, "int32", x.low, x.high, True, {"dtype": "int32"})
            return g.step("power", [x], x.shape, x.dtype, -(6**e), 6**e, x.exact, {"exponent": e})
        x, y = g.within(g.floats(x), 0.3, 4), g.within(g.floats(y), -3, 3)
        return g.step(name, [x, y], shape, _result(x, y), 0.3**4, 4**3)
    if name == "arctan2":
        x, y = g.floats(x), g.within(g.floats(y), 0.2, 1e6)
        return g.step(name, [x, y], shape, _result(x, y), -1.6, 1.6)
    dtype = _result(x, y)
    bounds = (x.low + y.low, x.high + y.high)
    if name == "sub":
        bounds = (x.low - y.high, x.high - y.low)
    elif name == "mul":
        x = g.within(x, -100, 100) if x.is_float else x
        y = g.within(y, -100, 100) if y.is_float else y
        products = [a * b for a in (x.low, x.high) for b in (y.low, y.high)]
        bounds = (min(products), max(products))
    elif name in ("maximum", "minimum"):
        bounds = (min(x.low, y.low), max(x.high, y.high))
    exact = x.exact and y.exact
    if not dtype.startswith("float") and dtype in ("int8", "uint8", "int16"):
        limits = np.iinfo(dtype)
        if bounds[0] < limits.min or bounds[1] > limits.max:
            bounds = (limits.min, limits.max)
    return g.step(name, [x, y], shape, dtype, *bounds, exact=exact)


def compare(g, x=None):
    x = x or g.exact(kinds="any")
    y = g.leaf(x.shape if g.chance(0.5) else (), "float64" if x.is_float else "int64", -2, 2, exact=True)
    return g.step(g.pick(("eq", "neq", "lt", "le", "gt", "ge")), [x, y], x.shape, "int8", 0, 1, True)


def switch(g):
    c = compare(g)
    x = g.some(kinds="any", shape=c.shape, ndim=len(c.shape))
    y, _ = _second(g, x)
    if y.shape != c.shape and y.shape not in ((), c.shape[-1:]) and len(y.shape) != len(c.shape):
        y = g.leaf(())
    return g.step("switch", [c, x, y], c.shape, _result(x, y), min(x.low, y.low), max(x.high, y.high), x.exact and y.exact)


def bounded(g):
    x = g.some()
    a, b = sorted((g.between(-8, 8) / 4, g.between(-8, 8) / 4))
    if g.chance(0.3):
        return g.step("leaky", [x], x.shape, x.dtype, min(x.low, 0), max(x.high, 0), False, {"alpha": 0.25})
    return g.step("clip", [x], x.shape, x.dtype, a, max(b, a), x.exact, {"low": a, "high": b})


def cast(g):
    x = g.exact(kinds="any")
    to = g.pick(FLOAT_AND_INTS)
    if to == "uint8":
        if x.is_float:
            x = g.within(x, 0, 200)
        else:
            whole = g.step("cast", [x], x.shape, "int32", x.low, x.high, True, {"dtype": "int32"})
            x = g.step("abs_", [whole], x.shape, "int32", 0, max(abs(x.low), abs(x.high)), True)
        if not x.exact:
            return x
    if to == "int8" and max(abs(x.low), abs(x.high)) > 120:
        return x
    return g.step("cast", [x], x.shape, to, math.floor(x.low), math.ceil(x.high), True, {"dtype": to})


FLOAT_AND_INTS = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8")


def reduce(g):
    name = g.pick(
        (
            "sum",
            "mean",
            "prod",
            "max",
            "min",
            "argmax",
            "argmin",
            "var",
            "any",
            "all",
            "cumsum",
            "cumprod",
            "norm",
            "max_and_argmax",
        )
    )
    ordered = name in ("argmax", "argmin", "any", "all", "max_and_argmax")
    x = (g.exact if ordered else g.some)((1, 2, 3), "any")
    axis = g.pick((None, g.between(-len(x.shape), len(x.shape) - 1), [g.between(0, len(x.shape) - 1)]))
    if len(x.shape) >= 2 and g.chance(0.2):
        axis = [0, len(x.shape) - 1]
    reduced = range(len(x.shape)) if axis is None else [a % len(x.shape) for a in (axis if isinstance(axis, list) else [axis])]
    keep = g.chance(0.25)
    n = math.prod(x.shape[a] for a in reduced)
    shape = [1 if i in reduced else s for i, s in enumerate(x.shape) if keep or i not in reduced]
    top = max(abs(x.low), abs(x.high))
    dtype = x.dtype if x.is_float else ("uint64" if x.dtype[0] == "u" else "int64")
    settings = {"axis": axis, "keepdims": keep}
    if name in ("cumsum", "cumprod"):
        axis = axis if not isinstance(axis, list) else axis[0]
        shape = (x.size,) if axis is None else x.shape
        if not x.is_float:
            x = g.step("cast", [x], x.shape, "int64", x.low, x.high, True, {"dtype": "int64"})
        if name == "cumprod":
            x = g.within(x, -3, 3)
            if not x.is_float and (x.low < -3 or x.high > 3):
                return x
            return g.step(name, [x], shape, x.dtype, -(3.0**x.size), 3.0**x.size, False, {"axis": axis})
        return g.step(name, [x], shape, x.dtype, -top * x.size - 1, top * x.size + 1, x.exact, {"axis": axis})
    if name == "norm":
        x = g.floats(x)
        at = axis if isinstance(axis, int) else None
        shape = () if at is None else [s for i, s in enumerate(x.shape) if i != at % len(x.shape)]
        return g.step("norm", [x], shape, x.dtype, 0, top * x.size + 1, False, {"ord": 2, "axis": at})
    if name == "max_and_argmax":
        at = axis if isinstance(axis, int) else 0
        shape = [s for i, s in enumerate(x.shape) if i != at % len(x.shape)]
        pair = g.step(name, [x], (), "list", 0, 0, args={"axis": at})
        largest = g.item(pair, 0, shape, x.dtype, x.low, x.high, True)
        g.result(largest, g.item(pair, 1, shape, "int64", 0, max(x.size - 1, 0), True))
        return None
    if name in ("argmax", "argmin"):
        return g.step(name, [x], shape, "int64", 0, max(n - 1, 0), True, settings)
    if name in ("any", "all"):
        return g.step(name, [x], shape, "int8", 0, 1, True, settings)
    if name in ("max", "min"):
        return g.step(name, [x], shape, x.dtype, x.low, x.high, x.exact, settings)
    if name == "sum":
        return g.step(name, [x], shape, dtype, min(x.low * n, 0), max(x.high * n, 0), x.exact, settings)
    if name == "prod":
        x = g.within(x, -2, 2) if x.is_float else x
        top = max(abs(x.low), abs(x.high)) ** n if x.is_float or n < 7 else 1e18
        return g.step(name, [x], shape, dtype, -top - 1, top + 1, False, settings)
    if n == 0:
        return x  # 0 / 0 is NaN on some and a warning on others
    if name == "var":
        return g.step(name, [g.floats(x)], shape, g.main, 0, 4 * top * top + 1, False, settings)
    return g.step(name, [x], shape, x.dtype if x.is_float else "float64", x.low, x.high, False, settings)


def _permutation(g, n):
    return [int(i) for i in g.random.permutation(n)]


def reshape(g):
    name = g.pick(
        (
            "dimshuffle",
            "reshape",
            "reshape_to",
            "flatten",
            "transpose",
            "concatenate",
            "stack",
            "split",
            "tile",
            "repeat",
            "repeat_each",
            "roll",
            "triangle",
            "diagonal",
            "shape",
            "arange",
            "alloc",
            "like",
            "mask_of_ones",
        )
    )
    x = g.some((1, 2, 3), "any")
    keep = (x.dtype, x.low, x.high, x.exact)
    n = len(x.shape)
    if name == "dimshuffle":
        order = _permutation(g, n)
        at = g.between(0, n)
        pattern = [*order[:at], "x", *order[at:]]
        return g.step(name, [x], [1 if i == "x" else x.shape[i] for i in pattern], *keep, {"pattern": pattern})
    if name in ("reshape", "reshape_to"):
        size = x.size
        divisors = [d for d in range(1, size + 1) if size % d == 0] or [1]
        first = g.pick(divisors)
        shape = [first, size // first]
        if g.fault():
            shape[0] += 1
        if name == "reshape_to":
            return g.step(name, [x, g.number(shape[0]), g.number(shape[1])], shape, *keep)
        given = [-1 if g.chance(0.5) and size else shape[0], shape[1]]
        return g.step(name, [x], shape, *keep, {"shape": given})
    if name == "flatten":
        k = g.between(1, n)
        return g.step(name, [x], [*x.shape[: k - 1], math.prod(x.shape[k - 1 :])], *keep, {"ndim": k})
    if name == "transpose":
        axes = _permutation(g, n)
        return g.step(name, [x], [x.shape[i] for i in axes], *keep, {"axes": axes})
    if name in ("concatenate", "stack"):
        axis = g.between(0, n - 1)
        shape = list(x.shape)
        if name == "concatenate":
            shape[axis] = g.size()
        if g.fault() and (name == "stack" or n > 1):
            other = 0 if name == "stack" else (axis + 1) % n
            shape[other] += 1
        y = g.leaf(shape, x.dtype if x.dtype != "float" else None, -3 if x.dtype[0] != "u" else 0)
        whole = list(x.shape)
        if name == "concatenate":
            whole[axis] += shape[axis]
        else:
            whole.insert(axis, 2)
        axis = axis - n if name == "concatenate" and g.chance(0.3) else axis
        return g.step(
            name, [x, y], whole, _result(x, y), min(x.low, y.low), max(x.high, y.high), x.exact and y.exact, {"axis": axis}
        )
    if name == "split":
        axis = g.between(0, n - 1)
        a = g.between(0, x.shape[axis])
        sizes = [a, x.shape[axis] - a + (1 if g.fault() else 0)]
        parts = g.step(name, [x], (), "list", 0, 0, args={"sizes": sizes, "axis": axis})
        made = None
        for i, s in enumerate(sizes):
            shape = list(x.shape)
            shape[axis] = s
            made = g.item(parts, i, shape, *keep)
            g.result(made)
        return made
    if name == "tile":
        reps = [g.between(1, 2) for _ in x.shape]
        return g.step(name, [x], [s * r for s, r in zip(x.shape, reps)], *keep, {"reps": reps})
    if name == "repeat":
        axis, k = g.between(0, n - 1), g.between(0, 3)
        return g.step(name, [x], [s * (k if i == axis else 1) for i, s in enumerate(x.shape)], *keep, {"n": k, "axis": axis})
    if name == "repeat_each":
        axis = g.between(0, n - 1)
        times = g.leaf((x.shape[axis] + (1 if g.fault() else 0),), "int64", 0, 3, kind="input")
        total = sum(g.leaves[-times.place - 1]["values"])
        return g.step(
            "repeat_each_by", [x, times], [total if i == axis else s for i, s in enumerate(x.shape)], *keep, {"axis": axis}
        )
    if name == "roll":
        return g.step(name, [x], x.shape, *keep, {"shift": g.between(-3, 3), "axis": g.between(0, n - 1)})
    if name in ("triangle", "diagonal"):
        x = g.some(2)
        keep = (x.dtype, min(x.low, 0), max(x.high, 0), x.exact)
        k = g.between(-1, 1)
        if name == "triangle":
            return g.step(name, [x], x.shape, *keep, {"k": k, "upper": g.chance(0.5)})
        rows, columns = (x.shape[0], x.shape[1] - k) if k >= 0 else (x.shape[0] + k, x.shape[1])
        return g.step(name, [x], (max(0, min(rows, columns)),), *keep, {"offset": k})
    if name == "shape":
        return g.step(name, [x], (n,), "int64", 0, max((*x.shape, 1)), True)
    if name == "arange":
        k = g.number(g.between(0, 4))
        return g.step(name, [k], (int(k.low),), "int64", 0, 4, True)
    if name == "alloc":
        v = g.some((0, 1), "any")
        m = v.shape[0] if v.shape else g.size()
        rows = g.number(g.size())
        return g.step(name, [v, rows, g.number(m)], (int(rows.low), m), v.dtype, v.low, v.high, v.exact)
    return g.step("like", [x], x.shape, x.dtype, 0, 3, x.exact, {"fill": 2})


def order(g):
    x = g.leaf(g.shape(g.between(1, 2)), distinct=True, low=-4, high=4)
    if g.chance(0.3):
        x = g.step("neg", [x], x.shape, x.dtype, -x.high, -x.low, True)
    axis = g.between(-1, len(x.shape) - 1)
    if g.chance(0.5):
        return g.step("sort", [x], x.shape, x.dtype, x.low, x.high, True, {"axis": axis})
    return g.step("argsort", [x], x.shape, "int64", 0, 4, True, {"axis": axis})


def linear(g):
    name = g.pick(("dot", "dot", "outer", "batched_dot", "tensordot", "inverse", "det", "trace", "diag"))
    if name == "dot":
        x = g.within(g.some((1, 2), "any"), -100, 100)
        k = x.shape[-1] + (1 if g.fault() else 0)
        y = g.some(kinds="f" if x.is_float or g.chance(0.5) else "i", shape=(k, *g.shape(g.between(0, 1))), ndim=None)
        y = g.within(y, -100, 100)
        n = max(x.shape[-1], 1)
        top = n * max(abs(x.low), abs(x.high)) * max(abs(y.low), abs(y.high)) + 1
        dtype = _result(x, y)
        if not dtype.startswith("float") and np.iinfo(dtype).max < top:
            top = np.iinfo(dtype).max
        return g.step(name, [x, y], (*x.shape[:-1], *y.shape[1:]), dtype, -top, top, x.exact and y.exact)
    if name == "outer":
        x, y = (g.within(g.some(1), -100, 100) for _ in range(2))
        top = max(abs(x.low), abs(x.high)) * max(abs(y.low), abs(y.high))
        return g.step(name, [x, y], (*x.shape, *y.shape), _result(x, y), -top, top, x.exact and y.exact)
    if name in ("batched_dot", "tensordot"):
        x = g.within(g.some(3), -100, 100)
        if name == "batched_dot":
            y = g.leaf((x.shape[0] + (1 if g.fault() else 0), x.shape[2], g.size()), x.dtype if x.dtype != "float" else None)
            shape = (x.shape[0], x.shape[1], y.shape[2])
            args = None
        else:
            y = g.leaf((x.shape[2], x.shape[1], g.size()))
            shape = (x.shape[0], y.shape[2])
            args = {"axes": [[1, 2], [1, 0]]}
        top = 3 * max(x.size, 1) * max(abs(x.low), abs(x.high))
        return g.step(name, [x, y], shape, _result(x, y), -top, top, x.exact and y.exact, args)
    if name == "diag":
        x = g.some((1, 2), "any")
        shape = (min(x.shape),) if len(x.shape) == 2 else (x.shape[0], x.shape[0])
        return g.step(name, [x], shape, x.dtype, min(x.low, 0), max(x.high, 0), x.exact)
    n = g.between(1, 3)
    x = g.within(g.floats(g.some(2, "f", (n, n))), -20, 20)
    if name == "inverse":
        return g.step("inverse_of_shifted", [x], (n, n), x.dtype, -0.5, 0.5, False, {"shift": 4})
    if name == "det":
        return g.step(name, [x], (), x.dtype, -1e4, 1e4)
    return g.step(name, [x], (), x.dtype, x.low * n, x.high * n, x.exact)


def special(g):
    """NaN, infinities and signed zeros, through operations that say what they make of them."""
    shape = g.shape(g.between(1, 2))
    values = [g.pick((math.nan, math.inf, -math.inf, -0.0, 1.0, -2.0, 0.5)) for _ in range(math.prod(shape))]
    dtype = g.float_dtype()
    x = g.leaf(shape, dtype, -math.inf, math.inf, values=values, kind="input")
    keep = (x.dtype, -math.inf, math.inf, True)
    for _ in range(g.between(1, 2)):
        name = g.pick(
            (
                "max",
                "min",
                "argmax",
                "maximum",
                "minimum",
                "isnan",
                "isinf",
                "abs_",
                "neg",
                "relu",
                "switch",
                "sgn",
                "sum",
                "sigmoid",
                "tanh",
                "exp",
                "sqrt",
                "clip",
                "softplus",
                "any",
                "max_and_argmax",
                "log1p",
            )
        )
        if name in ("max", "min", "sum", "any", "argmax"):
            axis = g.between(0, len(x.shape) - 1)
            rest = [s for i, s in enumerate(x.shape) if i != axis]
            made = g.step(name, [x], rest, *keep, {"axis": axis})
        elif name == "max_and_argmax":
            axis = g.between(0, len(x.shape) - 1)
            pair = g.step(name, [x], (), "list", 0, 0, args={"axis": axis})
            made = g.item(pair, 0, [s for i, s in enumerate(x.shape) if i != axis], *keep)
            g.result(g.item(pair, 1, made.shape, "int64", 0, 9, True))
        elif name in ("maximum", "minimum"):
            made = g.step(name, [x, g.leaf(x.shape, dtype, exact=True)], x.shape, *keep)
        elif name == "switch":
            made = g.step(name, [compare(g, g.leaf(x.shape, exact=True)), x, g.leaf((), dtype, exact=True)], x.shape, *keep)
        elif name == "clip":
            made = g.step(name, [x], x.shape, *keep, {"low": -1.0, "high": 1.5})
        else:
            made = g.step(name, [x], x.shape, *keep)
        g.result(made)
        if not made.shape or name in ("isnan", "isinf", "any", "argmax"):
            break
        x = made
