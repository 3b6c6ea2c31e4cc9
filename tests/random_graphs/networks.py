"""What random programs have of networks: softmax and costs, images, loops, conditions, draws, sparse matrices."""

from __future__ import annotations

from random_graphs.arrays import FUNCTIONS
from random_graphs.indexing import labels, vector


def _probabilities(g, n, k):
    scores = g.within(g.floats(g.some(2, "f", (n, k))), -4, 4)
    if g.chance(0.3):
        b = g.leaf((k,), scores.dtype, -1, 1)
        return g.step("softmax_with_bias", [scores, b], (n, k), scores.dtype, 1e-5, 1)
    return g.step("softmax", [scores], (n, k), scores.dtype, 1e-5, 1)


def costs(g):
    n, k = g.pick((1, 2, 3, 4)), g.between(2, 4)
    name = g.pick(
        (
            "tutorial",
            "tutorial",
            "sum",
            "categorical",
            "categorical",
            "distribution",
            "1hot",
            "1hot",
            "max",
            "binary",
            "from_scores",
            "logsoftmax",
            "to_one_hot",
        )
    )
    if name in ("tutorial", "sum"):
        p = _probabilities(g, n, k)
        return g.step("likelihood", [p, labels(g, k, n)], (), p.dtype, -n, 10, False, {"form": name})
    if name == "categorical":
        p, y = _probabilities(g, n, k), labels(g, k, n)
        return g.step("categorical_crossentropy", [p, y], (n,), p.dtype, 0, 12)
    if name == "distribution":
        p, q = _probabilities(g, n, k), _probabilities(g, n, k)
        return g.step("categorical_crossentropy", [p, q], (n,), p.dtype, 0, 12)
    if name in ("1hot", "max"):
        x = g.within(g.floats(g.some(2, "f", (n, k))), -4, 4)
        # the arg max has to be that of exact scores
        x = x if x.exact else g.leaf((n, k), x.dtype, distinct=True)
        b, y = g.leaf((k,), x.dtype, -0.001, 0.001, exact=False, kind="input"), labels(g, k, n)
        made = g.step("crossentropy_1hot" if name == "1hot" else "crossentropy_max", [x, b, y], (), "list", 0, 0)
        first = g.item(made, 0, (n,), x.dtype, 0, 12)
        g.result(first, g.item(made, 1, (n, k), x.dtype, 0, 1))
        return first
    if name == "to_one_hot":
        y = labels(g, k, n)
        return g.step(name, [y], (*y.shape, k), "float64", 0, 1, True, {"n": k})
    x = g.within(g.floats(g.some(2, "f", (n, k))), -4, 4)
    if name == "logsoftmax":
        return g.step(name, [x], x.shape, x.dtype, -20, 0)
    t = g.leaf((n, k), x.dtype, 0, 1)
    if name == "from_scores":
        return g.step("sigmoid_binary_crossentropy", [x, t], x.shape, x.dtype, 0, 12)
    p = g.step("sigmoid", [x], x.shape, x.dtype, 0.01, 0.99)
    return g.step("binary_crossentropy", [p, t], x.shape, x.dtype, 0, 12)


def layer(g):
    """Grow an affine layer with an activation, the weights shared, as in any of the tutorials."""
    x = g.within(g.floats(g.some(2)), -30, 30)
    m = g.between(1, 3)
    W, b = g.leaf((x.shape[1], m), x.dtype, kind="shared"), g.leaf((m,), x.dtype, kind="shared")
    top = 4 * max(x.shape[1], 1) * max(abs(x.low), abs(x.high)) + 4
    s = g.step("dot", [x, W], (x.shape[0], m), x.dtype, -top, top)
    s = g.step("add", [s, b], s.shape, x.dtype, -top - 3, top + 3)
    if g.chance(0.15):
        more = [g.leaf((m,), x.dtype, 0.5, 2) for _ in range(4)]
        return g.step(
            "batch_normalization", [s, *more], s.shape, x.dtype, -1e3, 1e3, False, {"mode": g.pick(("low_mem", "high_mem"))}
        )
    name = g.pick(("tanh", "sigmoid", "relu", "softplus", "elu"))
    (low, high), bounds, _ = FUNCTIONS[name]
    s = g.within(s, low, high)
    return g.step(name, [s], s.shape, x.dtype, *bounds(s.low, s.high))


def _images(g, distinct=False, c=None, dtype=None):
    n, c = g.pick((1, 2)), c or g.pick((1, 2, 3))
    return g.leaf((n, c, g.between(3, 6), g.between(3, 6)), dtype or g.main, -2, 2, distinct=distinct, exact=True)


def images(g):
    name = g.pick(("conv", "conv", "deconv", "pool", "pool", "pool", "unpool", "upsample", "rectified", "neibs", "neibs"))
    own = g.chance(0.5)
    if name == "conv":
        groups = g.pick((1, 1, 1, 2))
        x = _images(g, c=2 * groups if groups > 1 else None)
        channels = x.shape[1] // groups + (1 if g.fault() else 0)
        W = g.leaf((g.between(1, 2) * groups, channels, g.between(1, 3), g.between(1, 3)), x.dtype, -1, 1)
        mode = g.pick(("valid", "valid", "full", "half", [1, 0], [1, 2]))
        step, dilation = g.pick(([1, 1], [1, 1], [2, 1], [2, 2])), g.pick(([1, 1], [1, 1], [1, 1], [2, 1]))
        sizes = []
        for i in range(2):
            k = (W.shape[2 + i] - 1) * dilation[i] + 1
            p = {"valid": 0, "full": k - 1, "half": k // 2}[mode] if isinstance(mode, str) else mode[i]
            sizes.append((x.shape[2 + i] + 2 * p - k) // step[i] + 1)
        settings = {
            "border_mode": mode,
            "subsample": step,
            "flip": g.chance(0.7),
            "dilation": dilation,
            "groups": groups,
            "own": own,
        }
        if g.chance(0.3):
            y = g.leaf((x.shape[0], W.shape[0], *sizes), x.dtype, -1, 1)
            return g.step(
                "deconv2d",
                [y, W],
                x.shape,
                x.dtype,
                -60,
                60,
                y.exact and W.exact,
                {**settings, "output_shape": list(x.shape[2:])},
            )
        return g.step("conv2d", [x, W], (x.shape[0], W.shape[0], *sizes), x.dtype, -60, 60, x.exact and W.exact, settings)
    if name == "pool":
        x = _images(g, distinct=own, dtype=None)
        ws = [g.between(1, 3), g.between(1, 3)]
        stride = g.pick((None, [1, 1], [2, 2], [1, 2], [3, 3]))
        border = g.chance(0.6)
        pad = [g.between(0, ws[0] - 1), g.between(0, ws[1] - 1)] if border and g.chance(0.4) else [0, 0]
        mode = g.pick(("max", "max", "sum", "average_inc_pad", "average_exc_pad"))
        pooled = g.step(
            "pool2d",
            [x],
            (),
            x.dtype,
            -20,
            20,
            False,
            {"ws": ws, "stride": stride, "pad": pad, "mode": mode, "ignore_border": border, "own": own},
        )
        g.values.pop()  # its shape is the library's to say
        g.result(pooled)
        return pooled
    if name == "unpool":
        x = _images(g, distinct=True)
        ws = [g.between(1, 2), g.between(1, 3)]
        shape = (x.shape[0], x.shape[1], x.shape[2] // ws[0], x.shape[3] // ws[1])
        pooled = g.leaf(shape, x.dtype)
        return g.step("max_unpool2d", [pooled, x], x.shape, x.dtype, -3, 3, False, {"ws": ws})
    if name == "upsample":
        x = _images(g)
        f = [g.between(1, 3), g.between(1, 3)]
        return g.step(
            "upsample2d",
            [x],
            (*x.shape[:2], x.shape[2] * f[0], x.shape[3] * f[1]),
            x.dtype,
            -2,
            2,
            False,
            {"factor": f, "mode": g.pick(("nearest", "nearest", "bilinear"))},
        )
    if name == "rectified":
        x = _images(g)
        b = g.leaf((x.shape[1] + (1 if g.fault() else 0),), x.dtype, -1, 1, distinct=True)
        return g.step(name, [x, b], x.shape, x.dtype, 0, 3)
    if name == "neibs":
        x = _images(g)
        shape = [g.between(1, 3), g.between(1, 3)]
        step = g.pick((None, [1, 1], [2, 1]))
        made = g.step(
            "images2neibs",
            [x],
            (),
            x.dtype,
            -2,
            2,
            True,
            {"shape": shape, "step": step, "mode": g.pick(("valid", "ignore_borders", "wrap_centered", "half", "full"))},
        )
        g.values.pop()
        g.result(made)
        return made
    return images(g)


def draw(g, size=None, stream=None):
    kind = g.pick(("uniform", "uniform", "normal", "binomial", "multinomial", "permutation", "random_integers"))
    stream = stream or g.pick(("numpy", "numpy", "mrg"))
    if stream == "mrg" and kind in ("permutation", "random_integers"):
        kind = "uniform"
    size = list(size if size is not None else g.shape(g.between(1, 2)))
    params = {
        "uniform": [-1.0, 1.0],
        "normal": [0.0, 1.0],
        "binomial": [1, 0.4],
        "permutation": [3],
        "random_integers": [0, 5],
        "multinomial": [[0.2, 0.3, 0.5]] * (size[0] if stream == "mrg" and size else 1),
    }[kind]
    if kind == "multinomial" and stream == "numpy":
        params = [0.2, 0.3, 0.5]
    if kind == "multinomial":
        size = size[:1] or [2]
        params = params if stream == "numpy" else [[0.2, 0.3, 0.5]] * size[0]
    shape = {"permutation": [*size, 3], "multinomial": [*size, 3]}.get(kind, size)
    args = {"kind": kind, "seed": g.pick((1, 7, 234)), "stream": stream, "size": size, "params": params}
    if kind in ("uniform", "normal", "binomial") and g.chance(0.5):
        args["dtype"] = g.pick(("float32", "float64"))
    dtype = args.get("dtype", "float" if kind in ("uniform", "normal") else "int64")
    if kind == "multinomial":
        dtype = "float" if stream == "mrg" else "int64"
    made = g.step("draw", [], shape, dtype, -5, 5, False, args)
    g.result(made)
    return made


def noise(g):
    """Grow a corrupted input, as a denoising autoencoder has it."""
    x = g.floats(g.some((1, 2)))
    mask = g.step(
        "draw",
        [],
        x.shape,
        "float64",
        0,
        1,
        False,
        {
            "kind": "binomial",
            "seed": 3,
            "stream": g.pick(("numpy", "mrg")),
            "size": list(x.shape),
            "params": [1, 0.7],
            "dtype": x.dtype,
        },
    )
    return g.step("mul", [x, mask], x.shape, x.dtype, min(x.low, 0), max(x.high, 0))


def loop(g):
    """scan, map, reduce or foldl: over sequences, with state, with values closed over, with draws."""
    form = g.pick(("scan", "scan", "scan", "steps", "map", "reduce", "foldl", "foldr"))
    n, width = g.between(1, 4), g.between(1, 3)
    has_state = form in ("reduce", "foldl", "foldr", "steps") or (form == "scan" and g.chance(0.7))
    dtype = g.main
    sequences = [] if form == "steps" else [g.leaf((n, width), dtype, kind="input")]
    states = [g.leaf((width,), dtype, -1, 1, kind=g.pick(("input", "shared")))] if has_state else []
    others = [g.leaf((width,), dtype)] if g.chance(0.4) else []
    closed = [g.within(g.floats(g.some(1, "f", (width,)), dtype), -10, 10)] if g.chance(0.5) else []
    count = len(sequences) + len(states) + len(others) + len(closed)
    steps, local = [], list(range(count))

    def inner(op, operands, **args):
        steps.append({"op": op, "in": operands, **({"args": args} if args else {})})
        local.append(count + len(steps) - 1)
        return local[-1]

    made = local[0]
    for k in local[1:count]:
        made = inner(g.pick(("add", "mul", "sub", "maximum")), [made, k])
    drawn = g.chance(0.4)
    if drawn:
        kind, stream = g.pick(("uniform", "binomial", "normal")), g.pick(("numpy", "numpy", "mrg"))
        params = {"uniform": [0.0, 1.0], "binomial": [1, 0.5], "normal": [0.0, 1.0]}[kind]
        noise_of = inner("draw", [], kind=kind, seed=5, stream=stream, size=[width], params=params, dtype=dtype)
        made = inner(g.pick(("mul", "add")), [made, noise_of])
    if g.chance(0.3):
        made = inner("read", [made], parts=[{"slice": [None, None, -1]}])
    if g.fault():
        steps.append({"op": "read", "in": [made], "args": {"parts": [width + g.between(0, 1)]}})
        local.append(count + len(steps) - 1)
        made = inner("add", [made, local[-1]])
    made = inner("tanh", [made])
    results = [made]
    n_steps = None if form == "scan" and has_state and g.chance(0.3) else n if form == "steps" else None
    args = {
        "sequences": len(sequences),
        "states": len(states),
        "others": len(others),
        "closed": len(closed),
        "steps": steps,
        "results": results,
        "form": "scan" if form == "steps" else form,
    }
    if n_steps is not None:
        args["n_steps"] = n_steps
    if form in ("scan", "map") and g.chance(0.3):
        args["backwards"] = True
    more = {"drop_updates": True} if drawn and g.chance(0.4) else {}
    out = g.step("scan", [*sequences, *states, *others, *closed], (), "list", 0, 0, args=args, **more)
    shape = (width,) if form in ("reduce", "foldl", "foldr") else (n, width)
    made = g.item(out, 0, shape, dtype, -1, 1)
    if len(shape) == 2 and g.chance(0.4):
        made = g.step("read", [made], (width,), dtype, -1, 1, False, {"parts": [-1]})
    g.result(made)
    return made


def condition(g):
    """ifelse, one of whose branches would fail if it were computed."""
    width = g.between(2, 3)  # of one, the branches would differ in what broadcasts
    c = g.number(g.between(0, 1), g.pick(("int8", "int64", "int32")), kind=g.pick(("input", "shared")))
    good = g.within(g.floats(g.some(1, "f", (width,))), -10, 10)
    form = g.pick(("plain", "index", "vector", "vector", "reshape"))
    if form == "plain":
        bad = g.leaf((width,), g.main)
    elif form == "index":
        x = g.leaf((2, width), g.main)
        i = g.number(g.pick((0, 1, 2, 5)))
        bad = g.step("read", [x, i], (width,), g.main, -3, 3, False, {"parts": [{"var": 0}]})
    elif form == "vector":
        x = g.leaf((3,), g.main)
        i = vector(g, 3, width)
        bad = g.step("read", [x, i], (width,), g.main, -3, 3, False, {"parts": [{"var": 0}]})
    else:
        x = g.leaf((width + g.between(0, 1),), g.main)
        k = g.number(width)
        bad = g.step("reshape_to", [x, k], (width,), g.main, -3, 3, False)
    pair = [good, bad] if g.chance(0.5) else [bad, good]
    made = g.step("ifelse", [c, *pair], (width,), g.main, -10, 10)
    g.results = [v for v in g.results if v.place != bad.place]
    g.result(made)
    return made


def function_of_function(g):
    """Grow an OpFromGraph of two arguments."""
    shape = g.shape(g.between(1, 2))
    x, y = g.leaf(shape, g.main), g.leaf(shape, g.main)
    steps = [{"op": "mul", "in": [0, 1]}, {"op": g.pick(("tanh", "sigmoid", "sqr", "sin")), "in": [2]}]
    return g.step("inner_function", [x, y], shape, g.main, -9, 81, False, {"steps": steps, "results": [3]})


def sparse(g):
    form = g.pick(("csr", "csr", "csc"))
    n, m = g.between(1, 4), g.between(1, 3)
    x = g.leaf((n, m), g.main, -3, 3, exact=True, sparse=form)
    g.values.remove(x)

    def dense(v, shape, low=-30.0, high=30.0):
        made = g.step("dense_from_sparse", [v], shape, v.dtype, low, high, True)
        g.result(made)
        return made

    def kept(op, operands, shape, low=-30.0, high=30.0, **args):
        made = g.step(op, operands, shape, g.main, low, high, True, args or None)
        g.values.pop()
        return made

    name = g.pick(
        (
            "dot",
            "dot",
            "structured_dot",
            "dense_dot",
            "add",
            "mul",
            "mul_dense",
            "transpose",
            "rows",
            "entry",
            "sp_sum",
            "stack",
            "structured",
            "scale",
            "from_dense",
            "dense",
        )
    )
    if name in ("dot", "structured_dot"):
        y = g.leaf((m + (1 if g.fault() else 0), g.between(1, 3)), g.main)
        made = g.step("sparse_dot" if name == "dot" else name, [x, y], (n, y.shape[1]), g.main, -40, 40, y.exact)
        g.result(made)
        return made
    if name == "dense_dot":
        y = g.leaf((g.between(1, 3), n), g.main)
        made = g.step("sparse_dot", [y, x], (y.shape[0], m), g.main, -40, 40, y.exact)
        g.result(made)
        return made
    if name in ("add", "mul"):
        y = g.leaf((n, m), g.main, exact=True, sparse=form)
        g.values.remove(y)
        return dense(kept("sparse_" + name, [x, y], (n, m)), (n, m))
    if name == "mul_dense":
        y = g.leaf((n, m), g.main, exact=True)
        return dense(kept("sparse_mul", [x, y], (n, m)), (n, m))
    if name == "transpose":
        return dense(kept("sparse_transpose", [x], (m, n)), (m, n))
    if name == "rows":
        start = g.between(0, n - 1)
        return dense(kept("sparse_rows", [x], (n - start, m), start=start, stop=n), (n - start, m))
    if name == "entry":
        i = n + g.between(0, 1) if g.fault() else g.between(0, n - 1)
        made = g.step("sparse_entry", [x], (), g.main, -3, 3, True, {"i": i, "j": g.between(0, m - 1)})
        g.result(made)
        return made
    if name == "sp_sum":
        axis = g.pick((None, 0, 1))
        made = g.step(name, [x], () if axis is None else (m if axis == 0 else n,), g.main, -40, 40, True, {"axis": axis})
        g.result(made)
        return made
    if name == "stack":
        y = g.leaf((n, m), g.main, exact=True, sparse=form)
        g.values.remove(y)
        across = g.chance(0.5)
        return dense(
            kept("sparse_stack", [x, y], (), name="hstack" if across else "vstack"), (n, 2 * m) if across else (2 * n, m)
        )
    if name == "structured":
        return dense(kept("sparse_structured", [x], (n, m), name=g.pick(("sigmoid", "exp"))), (n, m))
    if name == "scale":
        by_column = g.chance(0.5)
        s = g.leaf((m if by_column else n,), g.main)
        return dense(kept("col_scale" if by_column else "row_scale", [x, s], (n, m)), (n, m))
    if name == "from_dense":
        y = g.leaf((n, m), g.main, exact=True)
        return dense(kept("csr_from_dense", [y], (n, m)), (n, m))
    return dense(x, (n, m))
