"""Lasagne's example ``mnist.py`` up to its first minibatch, then a few minibatches a round; for Python 3.8 too."""

import itertools
import sys
import time
from types import SimpleNamespace

import numpy as np
from measured import answer

examples, images, model, batch, minibatches = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
sys.path.insert(0, examples)
import lasagne  # noqa: E402
import mnist  # noqa: E402

lasagne.random.set_rng(np.random.RandomState(1))
np.random.seed(2)
arrays = np.load(images)
theano, functions, started = mnist.theano, [], time.perf_counter()


def function(*args, **kwargs):
    """Compile what the example compiles, and take over when it begins to train."""
    functions.append(theano.function(*args, **kwargs))
    return race


def race(*first):
    train, validate = functions
    train(*first)
    validate(*first)
    several = itertools.chain.from_iterable(
        mnist.iterate_minibatches(*data[:2], batch, shuffle=True) for _ in itertools.count()
    )
    compiled = time.perf_counter() - started
    answer(compiled, lambda: float(np.mean([train(*next(several)) for _ in range(minibatches)])))
    sys.exit()


data = [arrays[name] for name in ("x", "y", "x", "y", "x", "y")]
mnist.load_dataset = lambda: data
mnist.print = lambda *args: None
mnist.theano = SimpleNamespace(function=function, config=theano.config)
iterate = mnist.iterate_minibatches
mnist.iterate_minibatches = lambda inputs, targets, size, shuffle=False: iterate(inputs, targets, batch, shuffle)
mnist.main(model, num_epochs=1)
