"""Write theano_loops.json: what real Theano 1.0.5 makes of the loops of theano_loops_cases.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_loops.py
"""

import theano
import theano.tensor
from figures import write_json
from theano_loops_cases import CASES, evaluate

write_json("theano_loops", {name: evaluate(theano, name) for name in CASES})
