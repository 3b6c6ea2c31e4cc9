"""Write mrg_streams.json: what real Theano 1.0.5's MRG_RandomStreams draw.

Needs a Python 3.8 of its own, a C++ compiler, and a processor with a fused multiply-add::

    pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8"
    THEANO_FLAGS=floatX=float64 python tests/golden/make_mrg_streams.py
    THEANO_FLAGS=floatX=float32 python tests/golden/make_mrg_streams.py

Each run adds its floatX to the file.
"""

import json
from pathlib import Path

import theano
import theano.tensor as T
from mrg_streams_cases import SEED, draws, states
from theano.sandbox.rng_mrg import MRG_RandomStreams, guess_n_streams

path = Path(__file__).with_name("mrg_streams.json")
golden = json.loads(path.read_text()) if path.exists() else {}
golden[theano.config.floatX] = draws(MRG_RandomStreams(SEED), T, theano.function)
golden["states"] = states(MRG_RandomStreams, lambda size: guess_n_streams(size))
path.write_text(json.dumps(golden, sort_keys=True) + "\n")
