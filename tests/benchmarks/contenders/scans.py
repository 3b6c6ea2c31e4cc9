"""Six programs with a scan, for `symae run` and for real Theano on Python 3.8: ``scans.py PROGRAM``.

``rnn``, ``lstm`` and ``gru`` are trained by gradients through a loop, ``pcd`` is an RBM by persistent contrastive divergence in
15 steps, ``hmm`` goes through the sums of a hidden Markov model, and ``until`` ends its loops when nothing changes any more.
"""

import sys

import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

rng = numpy.random.RandomState(7)
floatX = theano.config.floatX
n_in, n_hidden, n_steps, batch_size = 8, 64, 50, 16


def weights(name, *shape):
    return theano.shared(rng.uniform(-0.1, 0.1, shape).astype(floatX), name=name)


def trained(cost, params, inputs, batches, consider_constant=None, updates=(), shown=None):
    """Print what `shown`, or else the cost, is in three epochs of gradient descent."""
    gradients = T.grad(cost, params, consider_constant=consider_constant)
    steps = [(p, p - 0.1 * g) for p, g in zip(params, gradients)]  # noqa: B905 (not in Python 3.8)
    train = theano.function(inputs, cost if shown is None else shown, updates=steps + list(updates))
    for epoch in range(3):
        print("epoch %d: %.10f" % (epoch, numpy.mean([train(batch) for batch in batches])))  # noqa: UP031 (Theano's years)


def sequences(step, states, params):
    """Train a network that predicts its next input, by `step` from one hidden state to the next."""
    u, W_out = T.tensor3("u"), weights("W_out", n_hidden, n_in)
    found, _ = theano.scan(step, sequences=u, outputs_info=[T.zeros((u.shape[1], n_hidden))] * states)
    h = found[0] if states > 1 else found
    cost = T.mean((T.dot(h[:-1], W_out) - u[1:]) ** 2)
    trained(cost, [*params, W_out], [u], rng.normal(size=(20, n_steps, batch_size, n_in)).astype(floatX))


def rnn():
    W_in, W = weights("W_in", n_in, n_hidden), weights("W", n_hidden, n_hidden)
    sequences(lambda u_t, h: T.tanh(T.dot(u_t, W_in) + T.dot(h, W)), 1, [W_in, W])


def lstm():
    W_in, W, b = weights("W_in", n_in, 4 * n_hidden), weights("W", n_hidden, 4 * n_hidden), weights("b", 4 * n_hidden)

    def step(u_t, h, c):
        into, forget, out, new = ((T.dot(u_t, W_in) + T.dot(h, W) + b)[:, i * n_hidden : (i + 1) * n_hidden] for i in range(4))
        c = T.nnet.sigmoid(forget) * c + T.nnet.sigmoid(into) * T.tanh(new)
        return T.nnet.sigmoid(out) * T.tanh(c), c

    sequences(step, 2, [W_in, W, b])


def gru():
    names = ("z", "r", "h")
    W_in, W = [weights("W_in_" + n, n_in, n_hidden) for n in names], [weights("W_" + n, n_hidden, n_hidden) for n in names]

    def step(u_t, h):
        z, r = (T.nnet.sigmoid(T.dot(u_t, W_in[i]) + T.dot(h, W[i])) for i in range(2))
        return (1 - z) * h + z * T.tanh(T.dot(u_t, W_in[2]) + T.dot(r * h, W[2]))

    sequences(step, 1, W_in + W)


def pcd():
    n_visible, draws = 64, RandomStreams(123)
    W, v_bias, h_bias = weights("W", n_visible, n_hidden), weights("v_bias", n_visible), weights("h_bias", n_hidden)
    v, chain = T.matrix("v"), theano.shared(numpy.zeros((batch_size, n_hidden), floatX), name="chain")

    def sample(mean):
        return draws.binomial(size=mean.shape, n=1, p=mean, dtype=floatX)

    def gibbs(h):
        v = sample(T.nnet.sigmoid(T.dot(h, W.T) + v_bias))
        return v, sample(T.nnet.sigmoid(T.dot(v, W) + h_bias))

    def free_energy(v):
        return -T.dot(v, v_bias) - T.sum(T.log(1 + T.exp(T.dot(v, W) + h_bias)), axis=1)

    (v_samples, h_samples), updates = theano.scan(gibbs, outputs_info=[None, chain], n_steps=15)
    v_end = v_samples[-1]
    cost = T.mean(free_energy(v)) - T.mean(free_energy(v_end))
    updates[chain] = h_samples[-1]
    batches = (rng.uniform(size=(50, batch_size, n_visible)) < 0.3).astype(floatX)
    trained(cost, [W, v_bias, h_bias], [v], batches, [v_end], list(updates.items()))


def hmm():
    seen, n_states = T.ivector("seen"), 12
    moves, shows, first = weights("moves", n_states, n_states), weights("shows", n_states, n_in), weights("first", n_states)

    def log_sum(x, axis):
        most = T.max(x, axis=axis, keepdims=True)
        return T.sum(most, axis=axis) + T.log(T.sum(T.exp(x - most), axis=axis))

    def logarithms(x):
        return x - log_sum(x, -1).dimshuffle(*range(x.ndim - 1), "x")

    log_moves, log_shows = logarithms(moves), logarithms(shows)
    start = logarithms(first) + log_shows[:, seen[0]]
    alpha, _ = theano.scan(
        lambda now, before: log_sum(before.dimshuffle(0, "x") + log_moves, 0) + log_shows[:, now],
        sequences=seen[1:],
        outputs_info=start,
    )
    cost = -log_sum(alpha[-1], 0) / seen.shape[0]
    trained(cost, [moves, shows, first], [seen], rng.randint(0, n_in, size=(50, 30)).astype("int32"))


def until():
    A, x = weights("A", n_hidden, n_hidden), T.vector("x")

    def step(y):
        new = T.tanh(T.dot(A, y) + x)
        return new, theano.scan_module.until(T.max(abs(new - y)) < 1e-6)

    found, _ = theano.scan(step, outputs_info=T.zeros_like(x), n_steps=500)
    end = T.dot(A, found[-1])
    trained(T.mean((end - x) ** 2), [A], [x], rng.normal(size=(50, n_hidden)).astype(floatX), shown=found.shape[0])


{f.__name__: f for f in (rnn, lstm, gru, pcd, hmm, until)}[sys.argv[1]]()
