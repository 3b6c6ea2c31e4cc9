"""Write theano_op_from_graph.json: what real Theano 1.0.5 makes of the operations of theano_op_from_graph_cases.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_op_from_graph.py
"""

import theano
import theano.tensor
from figures import write_json
from theano_op_from_graph_cases import CASES, evaluate

write_json("theano_op_from_graph", {name: evaluate(theano, name) for name in CASES})
