"""Write conv2d.npz: what real Theano 1.0.5 computes of CASES, with both gradients.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_conv2d.py
"""

from pathlib import Path

import numpy as np
import theano
import theano.tensor as T
from conv2d_cases import CASES, arrays

golden = {}
images, filters, weights = arrays()
x, W = T.tensor4(), T.tensor4()
for name, (border_mode, subsample, dilation, flip) in CASES.items():
    y = T.nnet.conv2d(
        x,
        W,
        border_mode=border_mode,
        subsample=subsample,
        filter_dilation=dilation,
        filter_flip=flip,
        input_shape=images.shape,
        filter_shape=filters.shape,
    )
    cost = T.sum(y.flatten() * theano.shared(weights)[: y.size])
    values = theano.function([x, W], [y, *T.grad(cost, [x, W])])(images, filters)
    for key, value in zip(("y", "x", "W"), values):  # noqa: B905  (Python 3.8)
        golden[f"{name}: {key}"] = value
np.savez_compressed(Path(__file__).with_name("conv2d.npz"), **golden)
