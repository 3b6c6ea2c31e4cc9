"""Write theano_ifelse.json: what real Theano 1.0.5 makes of the branches of theano_ifelse_cases.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_ifelse.py
"""

import json
from pathlib import Path

import theano
import theano.tensor.nlinalg
from theano_ifelse_cases import CASES, evaluate

golden = {name: evaluate(theano, name) for name in CASES}
lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in golden.items())
Path(__file__).with_name("theano_ifelse.json").write_text(f"{{\n{lines}\n}}\n")
