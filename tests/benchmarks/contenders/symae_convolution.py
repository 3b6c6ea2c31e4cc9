"""A large convolution and its two gradients by symae; an epoch is one call."""

import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
from measured import answer

from symae import compile_time, function
from symae.ops import conv2d

what, backend = sys.argv[1], sys.argv[2]
n, c, m, k, side = map(int, sys.argv[3:8])
pytensor.config.floatX = "float32"
rng = np.random.RandomState(0)
values = [rng.normal(size=shape).astype("float32") for shape in ((n, c, side, side), (m, c, k, k), (n, m, side, side))]
x, W, g = (pt.tensor(name, dtype="float32", shape=value.shape) for name, value in zip("xWg", values, strict=True))
y = conv2d(x, W, border_mode="half", filter_flip=False)
gradients = pt.grad(None, [x, W], known_grads={y: g})
output = {"forward": y, "input gradient": gradients[0], "filter gradient": gradients[1]}[what]
call = function([x, W, g], output, backend=backend, on_unused_input="ignore")
answer(compile_time(call).total, lambda: float(np.asarray(call(*values)).ravel()[0]))
