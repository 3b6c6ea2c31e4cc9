"""Write theano_printing.json: how real Theano 1.0.5 prints the expressions of theano_printing_cases.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64,cxx= python tests/golden/make_theano_printing.py
"""

import theano
from figures import write_json
from theano_printing_cases import names, printed, sources

space = names(theano)
write_json("theano_printing", {source: printed(theano, source, space) for source in sources()})
