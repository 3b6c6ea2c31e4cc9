"""Write lasagne.json: what programs on Lasagne 0.2.dev1 compute under real Theano 1.0.5.

Needs a Python 3.8 as make_random_streams.py does, and Lasagne of https://github.com/Lasagne/Lasagne at 5d3c63c beside it::

    THEANO_FLAGS=floatX=float64,optimizer=None,cxx= python tests/golden/make_lasagne.py
"""

from figures import write_json
from lasagne_cases import NAMES, figures

write_json("lasagne", {name: figures(name) for name in NAMES})
