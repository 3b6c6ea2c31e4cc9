"""The draws that real Theano and symae are both asked for; `rs` is a RandomStreams, `T` the tensor module of either.

Runs on Python 3.8 with Theano and on today's with symae, so: no newer syntax, and only names that both have.
"""

import numpy as np

SEED = 234


def vector(T, values):
    return T.as_tensor_variable(np.array(values, dtype="float64"))


CASES = {
    "uniform": lambda rs, T: rs.uniform((2, 3)),
    "uniform scalar": lambda rs, T: rs.uniform(()),
    "uniform low high": lambda rs, T: rs.uniform(size=(5,), low=-3, high=4.5),
    "uniform integer limits": lambda rs, T: rs.uniform((4,), -2, 7),
    "uniform array low": lambda rs, T: rs.uniform(low=vector(T, [0, 1, 2]), high=5),
    "uniform array both, -1": lambda rs, T: rs.uniform((2, -1), low=vector(T, [0, 1, 2]), high=vector(T, [1, 3, 9])),
    "uniform symbolic vector": lambda rs, T: rs.uniform(T.zeros((2, 4)).shape),
    "uniform symbolic vector, ndim": lambda rs, T: rs.uniform(T.cast(vector(T, [3, 2]), "int64"), ndim=2),
    "uniform symbolic entries": lambda rs, T: rs.uniform((T.zeros((2, 4)).shape[0], 3)),
    "uniform float32": lambda rs, T: rs.uniform((6,), dtype="float32"),
    "uniform many": lambda rs, T: rs.uniform((700,)),
    "uniform empty": lambda rs, T: rs.uniform((0, 3)),
    "normal": lambda rs, T: rs.normal((3, 3)),
    "normal odd": lambda rs, T: rs.normal((5,), avg=2.0, std=0.5),
    "normal positional": lambda rs, T: rs.normal((2,), 10.0, 3.0),
    "normal array": lambda rs, T: rs.normal(avg=vector(T, [0, 10, 100]), std=2),
    "normal float32": lambda rs, T: rs.normal((4,), dtype="float32"),
    "binomial": lambda rs, T: rs.binomial((4, 4)),
    "binomial mask": lambda rs, T: rs.binomial(size=(10, 10), n=1, p=0.7),
    "binomial mask float64": lambda rs, T: rs.binomial(size=T.zeros((3, 5)).shape, n=1, p=1 - 0.3, dtype="float64"),
    "binomial mask int8": lambda rs, T: rs.binomial(size=(9,), n=1, p=0.2, dtype="int8"),
    "binomial n": lambda rs, T: rs.binomial((20,), 10, 0.3),
    "binomial n, p above 1/2": lambda rs, T: rs.binomial((20,), 40, 0.8),
    "binomial large n": lambda rs, T: rs.binomial((40,), 1000, 0.4),
    "binomial very large n": lambda rs, T: rs.binomial((40,), 10**6, 0.75),
    "binomial p 0": lambda rs, T: rs.binomial((3,), 5, 0.0),
    "binomial p 1": lambda rs, T: rs.binomial((3,), 5, 1.0),
    "binomial n 0": lambda rs, T: rs.binomial((3,), 0, 0.5),
    "binomial array p": lambda rs, T: rs.binomial(size=(2, 3), n=1, p=vector(T, [0.1, 0.5, 0.9])),
    "binomial array n and p": lambda rs, T: rs.binomial((2, -1), n=T.arange(1, 4), p=vector(T, [0.1, 0.5, 0.9])),
    "multinomial": lambda rs, T: rs.multinomial((4,), n=5, pvals=[0.2, 0.3, 0.5]),
    "multinomial rows": lambda rs, T: rs.multinomial(pvals=T.as_tensor_variable(np.array([[0.25, 0.75], [0.5, 0.5]]))),
    "multinomial broadcast": lambda rs, T: rs.multinomial(
        (3, -1), 7, T.as_tensor_variable(np.array([[0.25, 0.75], [0.5, 0.5]]))
    ),
    "multinomial last is zero": lambda rs, T: rs.multinomial((2,), 4, [0.5, 0.5, 0.0]),
    "random_integers": lambda rs, T: rs.random_integers((10,), 0, 9),
    "random_integers default": lambda rs, T: rs.random_integers((7,)),
    "random_integers wide": lambda rs, T: rs.random_integers((4,), 0, 2**40),
    "random_integers negative": lambda rs, T: rs.random_integers((6,), -5, 5, dtype="int32"),
    "random_integers array": lambda rs, T: rs.random_integers((2, 3), low=T.arange(3), high=10),
    "choice": lambda rs, T: rs.choice((5,), a=7),
    "choice without replacement": lambda rs, T: rs.choice((5,), a=7, replace=False),
    "choice from a vector": lambda rs, T: rs.choice((4,), a=[5, 6, 8]),
    "choice p": lambda rs, T: rs.choice((3, 2), a=[5, 6, 8], p=[0.1, 0.2, 0.7]),
    "poisson": lambda rs, T: rs.poisson((6,), lam=4.0),
    "poisson large": lambda rs, T: rs.poisson((6,), lam=400.0),
    "permutation": lambda rs, T: rs.permutation(n=6),
    "permutation size": lambda rs, T: rs.permutation((2, 3), n=4),
    "permutation symbolic n": lambda rs, T: rs.permutation((2,), n=T.zeros((5,)).shape[0]),
    "shuffle_row_elements": lambda rs, T: rs.shuffle_row_elements(T.arange(12).reshape((3, 4))),
}


def draws(rs, T, function):
    """{case: [first call, second call]}, each [dtype, shape, values]; all streams come from one RandomStreams, in order."""
    out = {}
    for name, make in CASES.items():
        f = function([], make(rs, T))
        out[name] = [[str(v.dtype), list(v.shape), np.asarray(v).ravel().tolist()] for v in (f(), f())]
    return out
