"""Write random_streams.json: what real Theano 1.0.5 draws.

Needs a Python 3.8 of its own::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    THEANO_FLAGS=floatX=float64 python tests/golden/make_random_streams.py
    THEANO_FLAGS=floatX=float32 python tests/golden/make_random_streams.py

Each run adds its floatX to the file.
"""

import json
import os

import theano
import theano.tensor as T
from random_streams_cases import SEED, draws
from theano.tensor.shared_randomstreams import RandomStreams

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "random_streams.json")
golden = json.load(open(path)) if os.path.exists(path) else {}
golden[theano.config.floatX] = draws(RandomStreams(SEED), T, theano.function)
with open(path, "w") as file:
    json.dump(golden, file, sort_keys=True)
    file.write("\n")
