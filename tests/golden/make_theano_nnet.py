"""Write theano_nnet.npz: what real Theano 1.0.5 makes of the cases in theano_nnet_cases.py, in float32 and float64.

Needs a Python 3.8 of its own::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    python tests/golden/make_theano_nnet.py
"""

import warnings
from pathlib import Path

import numpy as np
import theano
import theano.tensor.extra_ops
import theano.tensor.nnet.abstract_conv
import theano.tensor.nnet.bn
from theano_nnet_cases import CASES, evaluate

warnings.simplefilter("ignore")
golden = {}
for floatX in ("float64", "float32"):
    theano.config.floatX = floatX
    for name in CASES:
        for key, value in evaluate(theano, name, floatX).items():
            golden[floatX + "/" + key] = value
np.savez_compressed(str(Path(__file__).with_name("theano_nnet.npz")), **golden)
