"""Write theano_tensor.json: what real Theano 1.0.5 makes of EXPRESSIONS.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_tensor.py
"""

import theano
import theano.tensor.slinalg
from figures import write_json
from theano_tensor_cases import EXPRESSIONS, evaluate

write_json("theano_tensor", {text: evaluate(theano, text) for text in EXPRESSIONS})
