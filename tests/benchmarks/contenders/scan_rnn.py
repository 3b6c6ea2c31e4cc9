"""A recurrent network, trained by gradients through a scan, for `symae run` and for real Theano on Python 3.8."""

import numpy
import theano
import theano.tensor as T

rng = numpy.random.RandomState(7)
floatX = theano.config.floatX


def weights(name, *shape):
    return theano.shared(rng.uniform(-0.1, 0.1, shape).astype(floatX), name=name)


n_in, n_hidden, n_steps = 8, 64, 50
W_in, W, W_out = weights("W_in", n_in, n_hidden), weights("W", n_hidden, n_hidden), weights("W_out", n_hidden, n_in)
params = [W_in, W, W_out]
u, h0 = T.tensor3("u"), T.matrix("h0")
h, _ = theano.scan(lambda u_t, h_before: T.tanh(T.dot(u_t, W_in) + T.dot(h_before, W)), sequences=u, outputs_info=h0)
cost = T.mean((T.dot(h[:-1], W_out) - u[1:]) ** 2)
updates = [(p, p - 0.1 * g) for p, g in zip(params, T.grad(cost, params))]  # noqa: B905 (not in Python 3.8)
train = theano.function([u, h0], cost, updates=updates)

batches = rng.normal(size=(20, n_steps, 16, n_in)).astype(floatX)
for epoch in range(3):
    costs = [train(batch, numpy.zeros((16, n_hidden), floatX)) for batch in batches]
    print(f"epoch {epoch}, cost {numpy.mean(costs):.10f}")
