"""A few steps of a network with two convolutions and two dense layers, of the sizes in Lasagne's example for MNIST."""

import numpy as np
import pytensor
import pytensor.tensor as pt
from measured import answer

from symae import compile_time, function
from symae.ops import conv2d, pool2d

BATCH, STEPS, RATE = 500, 3, np.float32(0.01)
pytensor.config.floatX = "float32"
rng = np.random.RandomState(0)


def weights(*shape):
    return pytensor.shared(rng.normal(0, 0.05, shape).astype("float32"))


params = [weights(32, 1, 5, 5), weights(32, 32, 5, 5), weights(512, 256), weights(256, 10)]
x, labels = pt.tensor4("x"), pt.ivector("labels")
hidden = x
for W in params[:2]:
    hidden = pool2d(pt.maximum(conv2d(hidden, W), 0), 2)
hidden = pt.maximum(hidden.flatten(2) @ params[2], 0)
p = pt.special.softmax(hidden @ params[3], axis=1)
cost = -pt.mean(pt.log(p)[pt.arange(labels.shape[0]), labels])
updates = [(W, W - RATE * gradient) for W, gradient in zip(params, pt.grad(cost, params), strict=True)]
step = function([x, labels], cost, updates=updates)
images = rng.uniform(size=(BATCH, 1, 28, 28)).astype("float32")
numbers = rng.randint(10, size=BATCH).astype("int32")
answer(compile_time(step).total, lambda: float(np.mean([step(images, numbers) for _ in range(STEPS)])))
