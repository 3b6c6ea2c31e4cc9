"""Write theano_tensor.json: what real Theano 1.0.5 makes of EXPRESSIONS.

Needs a Python 3.8 as make_random_streams.py does::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_theano_tensor.py
"""

import json
from pathlib import Path

import theano
import theano.tensor
from theano_tensor_cases import EXPRESSIONS, evaluate

golden = {text: evaluate(theano, text) for text in EXPRESSIONS}
lines = ",\n".join(f"{json.dumps(text)}: {json.dumps(entry)}" for text, entry in golden.items())
Path(__file__).with_name("theano_tensor.json").write_text(f"{{\n{lines}\n}}\n")
