"""What models are made of, computed on one backend and compared with NumPy: a script that prints what comes out of each case.

    SYMAE_PATCHES=... python important_ops.py BACKEND [CASE ...]

A line for each case: its name, and ``right``, ``wrong`` with the difference, or the error in words. The last line is the
summary of patches.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytensor
import pytensor.tensor as pt

pytensor.config.floatX = "float32"

from symae import function, patches  # noqa: E402
from symae.ops import conv2d, pool2d  # noqa: E402

rng = np.random.RandomState(0)
X, W = rng.normal(size=(6, 5)).astype("float32"), rng.normal(size=(5, 4)).astype("float32")
B, IMAGES, FILTERS = (
    W[0].copy(),
    rng.normal(size=(2, 1, 6, 6)).astype("float32"),
    rng.normal(size=(3, 1, 3, 3)).astype("float32"),
)
K = np.array([4, 0, 2])
x, w, b, k, n = pt.matrix("x"), pt.matrix("w"), pt.vector("b"), pt.lvector("k"), pt.lscalar("n")
images, filters = pt.tensor4("images"), pt.tensor4("filters")
GIVEN = {x: X, w: W, b: B, k: K, n: np.array(1), images: IMAGES, filters: FILTERS}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def convolved(stack, kernels):
    windows = np.lib.stride_tricks.sliding_window_view(stack, kernels.shape[2:], axis=(2, 3))
    return np.einsum("bchwij,ocij->bohw", windows, kernels[:, :, ::-1, ::-1])


def changed(a, index, value):
    a = a.copy()
    a[index] = value
    return a


hidden = pt.tanh(pt.dot(x, w) + b)
H = np.tanh(X @ W + B)
C = convolved(IMAGES, FILTERS)
CASES = {
    "a long elementwise expression": (
        pt.exp(-(x**2)) * pt.sqrt(abs(x) + 1) - x / 3,
        np.exp(-(X**2)) * np.sqrt(abs(X) + 1) - X / 3,
    ),
    "a layer": (hidden, H),
    "its gradient": (pt.grad((hidden**2).sum(), w), X.T @ (2 * H * (1 - H**2))),
    "a minibatch": (x[n * 2 : (n + 1) * 2].sum(axis=0), X[2:4].sum(axis=0)),
    "sums and means": (x.sum(axis=1) + x.mean(), X.sum(axis=1) + X.mean()),
    "maxima": (x.max(axis=1), X.max(axis=1)),
    "rows by their numbers": (x[k], X[K]),
    "an entry": (x[n, n + 1], X[1, 2]),
    "a slice that is set": (pt.set_subtensor(x[1:3], 0.0), changed(X, slice(1, 3), 0)),
    "the other way round": (x.T.dimshuffle(0, "x", 1) * 2, 2 * X.T[:, None]),
    "convolution": (conv2d(images, filters), C),
    "gradient of a convolution": (pt.grad(conv2d(images, filters).sum(), images)[0, 0, 2, 2], FILTERS.sum()),
    "pooling": (pool2d(images, 2), IMAGES.reshape(2, 1, 3, 2, 3, 2).max(axis=(3, 5))),
    "cross-entropy": (
        -(0.25 * pt.log(pt.sigmoid(x)) + 0.75 * pt.log(1 - pt.sigmoid(x))).mean(),
        -(0.25 * np.log(sigmoid(X)) + 0.75 * np.log(1 - sigmoid(X))).mean(),
    ),
}
# only where they are named
OTHERS = {"forty arguments": (pt.concatenate([x[i % 6 : i % 6 + 1] for i in range(40)]), X[[i % 6 for i in range(40)]])}


def outcome(values, wanted):
    """Return whether the values of a case are right."""
    if np.shape(values) != np.shape(wanted):
        return f"wrong: shape {np.shape(values)}, not {np.shape(wanted)}"
    difference = float(np.max(np.abs(np.asarray(values, "float64") - wanted)))
    return "right" if difference < 1e-4 else f"wrong: off by {difference}"


def compiled(outputs, backend):
    return function(list(GIVEN), outputs, backend=backend, on_unused_input="ignore")


def main(backend, names):
    warnings.simplefilter("ignore")
    outputs, wanted = zip(*((CASES | OTHERS)[name] for name in names), strict=True)
    together = None
    if backend in ("numba", "c"):  # whose compilers take their time: one program
        together = compiled(list(outputs), backend)(*GIVEN.values())
    for i, name in enumerate(names):
        try:
            values = compiled(outputs[i], backend)(*GIVEN.values()) if together is None else together[i]
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        else:
            print(f"{name}: {outcome(values, wanted[i])}")
    print(patches.summary())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or list(CASES))
