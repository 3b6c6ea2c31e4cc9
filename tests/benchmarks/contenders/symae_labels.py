"""Training steps whose costs depend on indices: a look-up of rows, and labels; with symae's checks of indices or without.

Usage: symae_labels.py WAY STEPS
"""

import sys

import numpy as np
import pytensor
import pytensor.tensor as pt
from measured import answer

from symae import compile_time, function

pytensor.config.floatX = "float32"
way, steps = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(0)
n_words, n_units, n_classes, batch = 2000, 100, 10, 20
weights = {
    "E": rng.normal(size=(n_words, n_units)),
    "W": rng.normal(size=(n_units, n_units)) / 10,
    "V": rng.normal(size=(n_units, n_classes)) / 10,
}
E, W, V = (pytensor.shared(value.astype("float32"), name) for name, value in weights.items())
words, labels = pt.lvector("words"), pt.lvector("labels")
p = pt.special.softmax(pt.tanh(pt.dot(E[words], W)) @ V, axis=1)
cost = -pt.mean(pt.log(p)[pt.arange(batch), labels])
updates = [(v, v - np.float32(0.01) * g) for v, g in zip((E, W, V), pt.grad(cost, [E, W, V]), strict=True)]
train = function([words, labels], cost, updates=updates, backend=way)
data = rng.integers(n_words, size=(steps, batch)), rng.integers(n_classes, size=(steps, batch))
train(data[0][0], data[1][0])  # some backends compile now


def epoch() -> float:
    return float(np.mean([float(train(*minibatch)) for minibatch in zip(*data, strict=True)]))


answer(compile_time(train).total, epoch)
