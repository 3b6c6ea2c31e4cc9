"""The convolutions that real Theano and symae are both asked for. Runs on Python 3.8 too."""

import itertools

import numpy as np

CASES = {
    "{}, subsample {}, dilation {}, flip {}".format(*case): case
    for case in itertools.chain(
        itertools.product(["valid", "full", "half", 1, (2, 1)], [(1, 1), (2, 3)], [(1, 1), (2, 2)], [True, False]),
        [(((1, 2), (0, 3)), (2, 1), (1, 1), True)],
    )
}
SHAPES = ((2, 3, 9, 8), (4, 3, 3, 2))


def arrays():
    """Images, filters, and numbers to weigh the output with: the gradients are those of the weighed sum."""
    rng = np.random.RandomState(0)
    return rng.normal(size=SHAPES[0]), rng.normal(size=SHAPES[1]), rng.normal(size=2000)
