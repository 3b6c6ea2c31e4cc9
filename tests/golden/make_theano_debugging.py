"""Write theano_debugging.json: what real Theano 1.0.5 answers to EXPRESSIONS.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64,cxx= python tests/golden/make_theano_debugging.py
"""

import theano
import theano.sparse
import theano.tensor
from figures import write_json
from theano_debugging_cases import EXPRESSIONS, evaluate

write_json("theano_debugging", {text: evaluate(theano, text) for text in EXPRESSIONS})
