"""Write random_streams.json: what real Theano 1.0.5 draws.

Needs a Python 3.8 of its own::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    THEANO_FLAGS=floatX=float64 python tests/golden/make_random_streams.py
    THEANO_FLAGS=floatX=float32 python tests/golden/make_random_streams.py

Each run adds its floatX to the file.
"""

import json
from pathlib import Path

import theano
import theano.tensor as T
from random_streams_cases import SEED, draws
from theano.tensor.shared_randomstreams import RandomStreams

path = Path(__file__).with_name("random_streams.json")
golden = json.loads(path.read_text()) if path.exists() else {}
golden[theano.config.floatX] = draws(RandomStreams(SEED), T, theano.function)
path.write_text(json.dumps(golden, sort_keys=True) + "\n")
