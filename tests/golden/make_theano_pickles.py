"""Write theano_pickles.json: pickles of real Theano 1.0.5, of a model, of a compiled function and of random streams.

Needs a Python 3.8 of its own::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    cd tests/golden && THEANO_FLAGS=floatX=float64,mode=FAST_COMPILE python make_theano_pickles.py

The model is the tutorials' logistic regression, an object of a class that the script which reads it has to define; beside each
pickle stand the numbers that it gave.
"""

import base64
import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

X = np.arange(6.0).reshape(2, 3) / 10


class LogisticRegression(object):  # noqa: UP004  as it was written
    """The tutorials', shortened."""

    def __init__(self, x, y):
        self.input, self.y = x, y
        self.W = theano.shared(np.arange(6.0).reshape(3, 2), name="W", borrow=True)
        self.b = theano.shared(np.array([0.5, -0.5]), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(x, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.cost = -T.mean(T.log(self.p_y_given_x)[T.arange(y.shape[0]), y]) + 0.01 * (self.W**2).sum()


def packed(value, protocol):
    """Return a pickle as a text."""
    return base64.b64encode(gzip.compress(pickle.dumps(value, protocol), mtime=0)).decode()


if __name__ == "__main__":
    model = LogisticRegression(T.matrix("x"), T.ivector("y"))
    p, cost = theano.function([model.input, model.y], [model.p_y_given_x, model.cost])(X, [1, 0])
    scale = T.scalar("scale")
    scaled = theano.function(
        [model.input, theano.In(scale, value=2.0)], T.dot(model.input, model.W) * scale, updates=[(model.W, model.W + 1)]
    )
    streams = RandomStreams(3)
    first = {
        "model, protocol 0": packed(model, 0),
        "model, protocol 2": packed(model, 2),
        "function": packed(scaled, 2),
        "streams": packed(streams, 2),
    }
    calls = [scaled(X).tolist(), scaled(X, 1.0).tolist()]
    draws = theano.function([], streams.uniform((2,)))().tolist()
    values = {"x": X.tolist(), "p_y_given_x": p.tolist(), "cost": float(cost), "calls": calls, "uniform": draws}
    Path("theano_pickles.json").write_text(json.dumps({**first, **values}, indent=1) + "\n")
