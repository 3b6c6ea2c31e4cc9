"""Write pool_2d.json: what real Theano 1.0.5 makes of pool_2d and images2neibs, and of their gradients.

Needs a Python 3.8 of its own::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    THEANO_FLAGS=floatX=float64 python tests/golden/make_pool_2d.py

The images are the numbers 0, 1, 2, … in random order, so no window has two maxima: Theano would give the gradient to both. The
gradient is that of sum(y * (1, 2, 3, …)). All of `shapes` is what Pool.out_shape says for one axis.
"""

import json
from pathlib import Path

import numpy as np
import theano
import theano.tensor as T
from theano.tensor.nnet.neighbours import images2neibs, neibs2images
from theano.tensor.signal.pool import Pool, pool_2d

POOL_SHAPE = (2, 2, 7, 6)
POOL_CASES = [
    {"ws": [2, 2], "ignore_border": True},
    {"ws": [2, 2], "ignore_border": False},
    {"ws": [1, 1], "ignore_border": True},
    {"ws": [7, 6], "ignore_border": True},
    {"ws": [3, 2], "stride": [2, 1], "ignore_border": True},
    {"ws": [3, 2], "stride": [2, 1], "ignore_border": False},
    {"ws": [2, 3], "stride": [4, 5], "ignore_border": True},
    {"ws": [2, 3], "stride": [4, 5], "ignore_border": False},
    {"ws": [8, 7], "ignore_border": False},
    {"ws": [5, 4], "stride": [3, 3], "ignore_border": False},
    {"ws": [2, 2], "pad": [1, 1], "ignore_border": True},
    {"ws": [3, 3], "stride": [2, 2], "pad": [1, 1], "ignore_border": True},
    {"ws": [3, 4], "stride": [1, 2], "pad": [2, 3], "ignore_border": True},
    {"ws": [3, 2], "stride": [2, 3], "pad": [0, 1], "ignore_border": True},
]
MODES = ["max", "sum", "average_inc_pad", "average_exc_pad"]

NEIBS_CASES = [
    {"shape": [2, 2, 6, 4], "neib_shape": [3, 2], "mode": "valid"},
    {"shape": [1, 2, 7, 5], "neib_shape": [3, 3], "neib_step": [2, 1], "mode": "valid"},
    {"shape": [1, 1, 7, 7], "neib_shape": [1, 3], "neib_step": [3, 4], "mode": "valid"},
    {"shape": [2, 1, 7, 5], "neib_shape": [3, 2], "mode": "ignore_borders"},
    {"shape": [1, 2, 7, 8], "neib_shape": [2, 3], "neib_step": [3, 2], "mode": "ignore_borders"},
    {"shape": [1, 2, 5, 6], "neib_shape": [3, 5], "mode": "wrap_centered"},
    {"shape": [1, 2, 7, 6], "neib_shape": [3, 3], "neib_step": [2, 1], "mode": "wrap_centered"},
    {"shape": [1, 2, 5, 6], "neib_shape": [3, 2], "neib_step": [2, 3], "mode": "half"},
    {"shape": [2, 1, 6, 4], "neib_shape": [2, 4], "neib_step": [3, 2], "mode": "half"},
    {"shape": [1, 2, 4, 5], "neib_shape": [3, 2], "neib_step": [1, 1], "mode": "full"},
    {"shape": [2, 1, 4, 5], "neib_shape": [2, 3], "neib_step": [2, 3], "mode": "full"},
]
WAY_BACK = {"valid", "ignore_borders"}  # the modes of neibs2images


def images(shape):
    return np.random.RandomState(0).permutation(int(np.prod(shape))).reshape(shape).astype("float64")


def answer(shape, build, gradient=True):
    x = T.dtensor4()
    y = build(x)
    value = theano.function([x], y)(images(shape))
    result = {"shape": list(value.shape), "value": value.ravel().tolist()}
    if gradient:
        weights = np.arange(1.0, value.size + 1).reshape(value.shape)
        g = theano.function([x], T.grad((y * weights).sum(), x))(images(shape))
        result["gradient"] = g.ravel().tolist()
    return result


pool = []
for case in POOL_CASES:
    arguments = {key: tuple(v) if isinstance(v, list) else v for key, v in case.items()}
    for mode in MODES:
        gradient = not (mode == "average_exc_pad" and "pad" in case)  # which Theano refuses
        result = answer(POOL_SHAPE, lambda x, mode=mode: pool_2d(x, mode=mode, **arguments), gradient)  # noqa: B023
        pool.append({"arguments": {**case, "mode": mode}, **result})

neibs = []
for case in NEIBS_CASES:
    arguments = {key: v for key, v in case.items() if key != "shape"}
    gradient = case["mode"] == "valid" or (case["mode"] == "ignore_borders" and "neib_step" not in case)  # Theano has no others
    result = answer(case["shape"], lambda x: images2neibs(x, **arguments), gradient)  # noqa: B023
    neibs.append({"images": case["shape"], "arguments": arguments, **result})

back = []
for case in NEIBS_CASES:
    if case["mode"] in WAY_BACK and "neib_step" not in case:
        rows = images2neibs(theano.shared(images(case["shape"])), case["neib_shape"], mode=case["mode"])
        value = neibs2images(rows, case["neib_shape"], case["shape"], mode=case["mode"]).eval()
        kept = {"images": case["shape"], "neib_shape": case["neib_shape"], "mode": case["mode"]}
        back.append({**kept, "value": value.ravel().tolist()})

shapes = []
for n in range(1, 8):
    for ws in range(1, 6):
        for stride in range(1, 7):
            for pad in range(ws):
                size = Pool.out_shape((n, 1), (ws, 1), True, (stride, 1), (pad, 0))[0]
                shapes.append([n, ws, stride, pad, True, int(size)])
            size = Pool.out_shape((n, 1), (ws, 1), False, (stride, 1), (0, 0))[0]
            shapes.append([n, ws, stride, 0, False, int(size)])

golden = {"pool_shape": POOL_SHAPE, "pool": pool, "images2neibs": neibs, "neibs2images": back, "shapes": shapes}
path = Path(__file__).with_name("pool_2d.json")
path.write_text(json.dumps(golden, sort_keys=True, separators=(",", ":")) + "\n")
