"""The draws that real Theano and symae are both asked for; `rng` is an MRG_RandomStreams, `T` the tensor module of either.

Runs on Python 3.8 with Theano and on today's with symae, so: no newer syntax, and only names that both have.
"""

import hashlib

import numpy as np

SEED = 1234
ROWS = np.array([[0.1, 0.2, 0.3, 0.4], [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])


def vector(T, values, dtype="float64"):
    return T.as_tensor_variable(np.array(values, dtype=dtype))


def symbolic(T, *shape):
    return T.zeros(shape).shape


CASES = {
    "uniform": lambda rng, T: rng.uniform((2, 3)),
    "uniform scalar": lambda rng, T: rng.uniform(()),
    "uniform one sixth of 13": lambda rng, T: rng.uniform((13,)),
    "uniform many": lambda rng, T: rng.uniform((60, 70, 5)),
    "uniform more than all streams": lambda rng, T: rng.uniform((400, 400)),
    "uniform symbolic size": lambda rng, T: rng.uniform(symbolic(T, 5, 4)),
    "uniform symbolic entry": lambda rng, T: rng.uniform((symbolic(T, 9)[0], 3)),
    "uniform float32": lambda rng, T: rng.uniform((300, 5), dtype="float32"),
    "uniform float64": lambda rng, T: rng.uniform((300, 5), dtype="float64"),
    "uniform one stream": lambda rng, T: rng.uniform((50,), nstreams=1),
    "uniform 20 streams": lambda rng, T: rng.uniform((1000,), nstreams=20),
    "uniform more streams than numbers": lambda rng, T: rng.uniform((7,), nstreams=300),
    "uniform low high": lambda rng, T: rng.uniform((40, 5), low=-0.3, high=4.5),
    "uniform integer limits": lambda rng, T: rng.uniform((4,), -2, 7),
    "uniform array limits": lambda rng, T: rng.uniform((200, 3), low=vector(T, [0.1, 1.3, 2.7]), high=5.9),
    "binomial": lambda rng, T: rng.binomial((3, 40)),
    "binomial p": lambda rng, T: rng.binomial(size=(20, 50), n=1, p=0.7, dtype="float32"),
    "binomial symbolic size": lambda rng, T: rng.binomial(size=symbolic(T, 4, 30), p=0.3, dtype="int8"),
    "binomial array p": lambda rng, T: rng.binomial((300, 3), p=vector(T, [0.1, 0.5, 0.9])),
    "normal": lambda rng, T: rng.normal((3, 4)),
    "normal odd": lambda rng, T: rng.normal((3, 7, 5)),
    "normal scalar": lambda rng, T: rng.normal(()),
    "normal int size": lambda rng, T: rng.normal(6),
    "normal many": lambda rng, T: rng.normal((201, 201)),
    "normal avg std": lambda rng, T: rng.normal((30, 51), avg=0.3, std=0.7),
    "normal array avg": lambda rng, T: rng.normal((100, 3), avg=vector(T, [-1, 0, 1]), std=vector(T, [0.1, 0.2, 0.3])),
    "normal float32": lambda rng, T: rng.normal((3001,), dtype="float32"),
    "normal float64": lambda rng, T: rng.normal((3001,), dtype="float64"),
    "normal nstreams": lambda rng, T: rng.normal((3, 500), nstreams=30),
    "normal truncated": lambda rng, T: rng.normal((43, 45), truncate=True),
    "truncated_normal": lambda rng, T: rng.truncated_normal((43, 45)),
    "truncated_normal avg std": lambda rng, T: rng.truncated_normal((2, 500), avg=1.1, std=0.3),
    "truncated_normal array": lambda rng, T: rng.truncated_normal((400, 2), avg=vector(T, [1.1, 3]), std=0.3, dtype="float32"),
    "multinomial": lambda rng, T: rng.multinomial(pvals=T.as_tensor_variable(np.repeat(ROWS, 40, 0))),
    "multinomial n": lambda rng, T: rng.multinomial(pvals=T.as_tensor_variable(ROWS.astype("float32")), n=50),
    "multinomial dtype": lambda rng, T: rng.multinomial(pvals=T.as_tensor_variable(ROWS.astype("float32")), dtype="auto"),
    "choice": lambda rng, T: rng.choice(size=3, replace=False, p=T.as_tensor_variable(np.repeat(ROWS, 100, 0))),
    "choice float32": lambda rng, T: rng.choice(size=2, replace=False, p=np.repeat(ROWS, 100, 0).astype("float32")),
    "choice dtype": lambda rng, T: rng.choice(replace=False, p=ROWS, dtype="int32"),
    "multinomial_wo_replacement": lambda rng, T: rng.multinomial_wo_replacement(pvals=np.repeat(ROWS, 9, 0), n=2),
}


def fingerprint(value):
    """[dtype, shape, the first numbers, a digest of all bytes]: all bits without all numbers."""
    value = np.ascontiguousarray(value)
    first = [float(x) for x in value.ravel()[:4]]
    return [str(value.dtype), list(value.shape), first, hashlib.sha256(value.tobytes()).hexdigest()]


def draws(rng, T, function):
    """{case: fingerprints of two calls}, all from one generator, in order."""
    out = {}
    for name, make in CASES.items():
        f = function([], make(rng, T))
        out[name] = [fingerprint(f()), fingerprint(f())]
    return out


SEEDS = [1, 12345, 2**31 - 21070, (1, 2, 3, 4, 5, 6)]
SIZES = [(), (1,), (6,), (7,), (2, 6), (13,), (1000, 91), (1000, 93), (10**4, 10**5)]


def states(streams, guess):
    """Return what the generators of `SEEDS` say about their states, and how many streams sizes get."""
    told = {}
    for seed in SEEDS:
        rng = streams(seed)
        told[str(seed)] = [rng.rstate.tolist(), rng.get_substream_rstates(5, "float32").tolist(), rng.rstate.tolist()]
    return {"seeds": told, "streams": [guess(size) for size in SIZES]}
