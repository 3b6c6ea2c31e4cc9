"""Expressions that real Theano and symae.theano are both asked to print. Runs on Python 3.8 too.

An expression is written as source, and read with the names of `names`; what is printed of it is the graph as ``debugprint``
prints it, the formula of ``pp`` and ``str``.
"""

import re

import numpy as np

OF_ELEMENTS = """
x + x, x - 1, x * A, x / 2.5, y // 2, y % i, x ** 2, -x, abs(x), ~y, y & i, y | i, y ^ i, x > 0.5, T.eq(x, 1), T.neq(x, A),
T.le(x, 2), T.ge(x, 2), x < 2, T.exp(x), T.exp2(x), T.expm1(x), T.log(x), T.log2(x), T.log10(x), T.log1p(x), T.sqr(x),
T.sqrt(x), T.inv(x), T.sgn(x), T.ceil(x), T.floor(x), T.trunc(x), T.iround(x), T.round(x, "half_to_even"),
T.round(x, "half_away_from_zero"), T.sin(x), T.cos(x), T.tan(x), T.arcsin(x), T.arccos(x), T.arctan(x), T.arctan2(x, A),
T.sinh(x), T.cosh(x), T.tanh(x), T.arcsinh(x), T.arccosh(x), T.arctanh(x), T.erf(x), T.erfc(x), T.erfinv(x), T.gamma(x),
T.gammaln(x), T.psi(x), T.maximum(x, 0), T.minimum(A, x), T.clip(x, 0, 1), T.switch(x, 1, A), T.switch(x > 0, x, 0),
T.isnan(x), T.isinf(x), T.cast(x, "int8"), T.cast(y, "float32"), T.fill(x, 1), T.real(c), T.imag(c), T.conj(c), T.angle(c),
T.complex(x, x), nnet.sigmoid(x), nnet.softplus(x), nnet.hard_sigmoid(x), nnet.relu(x), nnet.elu(x),
nnet.ultra_fast_sigmoid(x), nnet.binary_crossentropy(x, x), deg(x)
"""
OF_ARRAYS = """
A.T, A.dimshuffle(1, "x", 0), x.dimshuffle("x", 0), x.sum(), A.sum(axis=0), A.sum(axis=[0, 1]), F.sum(axis=1), y.sum(),
A.prod(), A.max(), A.max(axis=1), A.min(axis=0), A.argmax(axis=1), T.max_and_argmax(A, axis=0)[0], A.mean(), A.mean(axis=0),
A.var(), A.std(), A.any(), A.all(axis=0), A.norm(2), T.dot(A, x), T.dot(x, A), T.dot(x, x), T.dot(A, A), T.outer(x, x),
T.tensordot(A, A, 1), T.batched_dot(t3, t3), x[0], x[-1], A[0], A[:, 1], A[1:], A[:, ::2], x[::-1], x[i], x[i:n], A[i, 1:n],
A[0, 0], x[y], A[y], A[y, y], A[:, y], x[x > 0], A.nonzero()[0], x.shape, x.shape[0], A.shape[1], A.size, A.flatten(),
t3.flatten(2), x.reshape((2, 3)), x.reshape(s, ndim=2), T.zeros((2, 3)), T.ones((n,)), T.zeros_like(x), T.ones_like(A),
T.alloc(1.0, n, 2), T.eye(3), T.identity_like(A), T.arange(5), T.arange(n), T.arange(0, n, 2), T.concatenate([x, x]),
T.join(1, A, A), T.stack([x, x]), T.stack([i, n]), T.as_tensor_variable([i, n]), T.tile(x, 2), T.repeat(x, 2), T.diag(x),
T.diag(A), T.tril(A), T.nlinalg.trace(A), T.cumsum(x), T.sort(x), T.argsort(x), T.set_subtensor(x[0], 1.0),
T.set_subtensor(x[1:3], 0), T.inc_subtensor(A[:, 0], x), T.inc_subtensor(x[y], 1), T.set_subtensor(A[y, y], 1),
T.nlinalg.matrix_inverse(A), T.nlinalg.det(A), T.slinalg.cholesky(A), T.slinalg.solve(A, x), T.unbroadcast(r, 0),
T.addbroadcast(A, 0), T.patternbroadcast(A, (True, False)), T.shape_padleft(x), T.swapaxes(A, 0, 1), T.choose(y, [x, x]),
T.roll(x, 1), T.extra_ops.bincount(y), T.extra_ops.to_one_hot(y, 3), T.allclose(x, x), T.square(x), T.min(x), T.ptp(x),
T.power(x, 3)
"""
OF_NETWORKS = """
nnet.softmax(A), nnet.logsoftmax(A), nnet.categorical_crossentropy(nnet.softmax(A), y), nnet.categorical_crossentropy(A, A),
nnet.conv2d(t4, t4), nnet.conv2d(t4, t4, border_mode="half", subsample=(2, 2)), nnet.softmax(T.dot(A, A) + x),
pool.pool_2d(t4, (2, 2)), pool.pool_2d(t4, (2, 2), ignore_border=True, mode="average_exc_pad"),
theano.ifelse.ifelse(i, x, x), theano.gradient.disconnected_grad(x), theano.gradient.grad_clip(x, -1, 1),
theano.printing.Print("m")(x), srng.uniform((2,)), theano.tensor.opt.Assert("m")(x, i), theano.shared(np.zeros(2), "w") + 1,
theano.shared(2.0) * x, T.constant(np.ones((2, 2))) * A, T.constant(np.arange(3.0)) + x, T.constant(np.arange(100)) + 1,
unnamed + unnamed, named + 1, T.as_tensor_variable(1), T.as_tensor_variable(np.float32(0.1)), T.constant(np.zeros((3, 0))),
T.constant(True), T.constant(1e-8)
"""
GRADIENTS = """
T.grad((x ** 2).sum(), x), T.grad((1 / (1 + T.exp(-x))).sum(), x), T.grad(T.dot(A, x).sum(), [A, x]),
T.grad(T.tanh(x).sum(), x), T.grad(nnet.sigmoid(x).sum(), x), T.grad(T.log(x).mean(), x), T.grad(x.max(), x),
T.grad(x[0], x), T.grad(A[:, 0].sum(), A), T.grad(T.exp(z), z), T.grad(z ** 2, z), T.grad(T.sqrt(z) * T.sin(z), z),
T.grad(T.switch(x > 0, x, 0).sum(), x), T.grad(nnet.categorical_crossentropy(nnet.softmax(A), y).mean(), A),
T.grad((x * A).sum(), x), T.grad(A.T.sum(), A), T.grad(T.concatenate([x, x]).sum(), x), T.grad(x.reshape((2, 3)).sum(), x),
T.grad(abs(x).sum(), x), T.grad(T.maximum(x, 0).sum(), x), T.grad((x - z).sum(), z), T.grad((x / z).sum(), z),
T.grad(nnet.softplus(x).sum(), x), T.grad(T.sqr(x).sum(), x)
"""
SCANS = """
theano.scan(lambda p, A: p * A, outputs_info=T.ones_like(x), non_sequences=x, n_steps=i)[0][-1],
theano.scan(lambda v, p, f: v * (f ** p), sequences=[x, T.arange(10000)], non_sequences=z)[0].sum(),
theano.map(lambda v: v * 2, x)[0], theano.scan(lambda v, acc: v + acc, sequences=x, outputs_info=np.float64(0))[0][-1],
T.jacobian(x ** 2, x), theano.reduce(lambda v, acc: v + acc, x, z)[0],
theano.scan(lambda v, w, B, n: v * w * theano.scan(lambda p, C: p * C, None, T.ones_like(B), B, n)[0][-1],
            [x, T.arange(10)], None, [A, i])[0]
"""
ALL = {"elements": OF_ELEMENTS, "arrays": OF_ARRAYS, "networks": OF_NETWORKS, "gradients": GRADIENTS, "loops": SCANS}


def sources():
    """Return the expressions of all groups, one by one."""
    return [source for group in ALL.values() for source in split(group)]


def split(group):
    """Return the expressions between the commas that are in no brackets."""
    found, depth, current = [], 0, ""
    for character in group.replace("\n", " "):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            found.append(current.strip())
            current = ""
        else:
            current += character
    return [*found, current.strip()]


def names(theano):
    """Return what expressions are read with."""
    T = theano.tensor
    for module in (
        "tensor.nnet",
        "tensor.signal.pool",
        "ifelse",
        "tensor.nlinalg",
        "tensor.slinalg",
        "tensor.shared_randomstreams",
        "tensor.opt",
    ):
        __import__(theano.__name__ + "." + module, fromlist=["x"])
    variables = {
        name: getattr(T, kind)(name)
        for name, kind in (
            ("x", "dvector"),
            ("A", "dmatrix"),
            ("F", "fmatrix"),
            ("y", "lvector"),
            ("i", "iscalar"),
            ("n", "lscalar"),
            ("c", "zvector"),
            ("t3", "dtensor3"),
            ("t4", "dtensor4"),
            ("s", "lvector"),
            ("r", "drow"),
            ("z", "dscalar"),
        )
    }
    named = variables["x"] * 2
    named.name = "named"
    return dict(
        variables,
        theano=theano,
        T=T,
        np=np,
        nnet=T.nnet,
        pool=T.signal.pool,
        deg=T.deg2rad,
        unnamed=T.dmatrix(),
        named=named,
        srng=T.shared_randomstreams.RandomStreams(1),
    )


def printed(theano, source, space):
    """Return the graph, the formula and the name of an expression; the name of the error where there is one."""
    printing = theano.printing
    try:
        found = eval(source, dict(space))
    except Exception as error:
        return type(error).__name__
    variables = found if isinstance(found, (list, tuple)) else [found]
    texts = [[printing.debugprint(v, file="str"), printing.pp(v), str(v)] for v in variables]
    return [[re.sub("0x[0-9a-f]+", "0x…", text) for text in each] for each in texts]
