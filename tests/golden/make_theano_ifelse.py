"""Write theano_ifelse.json: what real Theano 1.0.5 makes of the branches of theano_ifelse_cases.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_ifelse.py
"""

import theano
import theano.tensor.nlinalg
from figures import write_json
from theano_ifelse_cases import CASES, evaluate

write_json("theano_ifelse", {name: evaluate(theano, name) for name in CASES})
