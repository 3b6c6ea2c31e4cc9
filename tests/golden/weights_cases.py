"""Where the weights of other libraries lie, and what they are shown. Runs on Python 2.7 too."""

import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "foreign_weights")


def images():
    """Return three of the embedded digits, (3, 784), as float32 from 0 to 1."""
    with np.load(os.path.join(HERE, "..", "..", "data", "digits.npz")) as digits:
        return (digits["test_x"][:3] / 256.0).astype(np.float32)


def draw(shape, seed):
    """Return normal weights, which are large enough for each of them to matter, and odd enough in no axis to be symmetric."""
    return (np.random.RandomState(seed).normal(size=shape) * 0.3).astype(np.float32)


def path(name):
    """Return the path of a file of weights."""
    return os.path.join(FOLDER, name)


def write_outputs(library, outputs):
    """Write what networks compute, (3, ...) each, by name."""
    np.savez_compressed(
        path("outputs_" + library + ".npz"), **dict((name, value.astype(np.float32)) for name, value in outputs.items())
    )
