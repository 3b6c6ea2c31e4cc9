"""Write random_graphs.json: what real Theano 1.0.5 makes of the first 200 of tests/random_graphs' programs.

Needs a Python 3.8 as make_random_streams.py does; without a compiler, because that interprets each operation::

    THEANO_FLAGS=floatX=float64,cxx= PYTHONPATH=tests python3.8 tests/golden/make_random_graphs.py
"""

import json
from pathlib import Path

from random_graphs.outcomes import alone, library, recorded
from random_graphs.programs import digest, program

theano = library("theano")
programs = [program(seed) for seed in range(200)]
entries = [[digest(p), recorded(alone(theano, p, "FAST_COMPILE"))] for p in programs]
lines = [f'"{p["seed"]}": {json.dumps(entry)}' for p, entry in zip(programs, entries)]
Path(__file__).with_name("random_graphs.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
