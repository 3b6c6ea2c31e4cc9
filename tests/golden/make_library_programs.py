"""Write library_programs.json: what the programs of library_programs print on libraries that stand on real Theano 1.0.5.

Needs a Python 3.8 as make_random_streams.py does, with one of the libraries, and gets the figures of those programs that are
named::

    THEANO_FLAGS=floatX=float64 python tests/golden/make_library_programs.py blocks_autoencoder

The autoencoders of Keras are made for the version that is installed, under ``keras_autoencoders 1`` or ``… 2``;
names of some of them may follow.

Theano 1.0.5 and scikit-learn have lost things that PyLearn2 and nolearn import; `put_back` has them.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import tempfile
import types
from pathlib import Path

import six
import theano
import theano.compat
import theano.ifelse  # Keras 1 uses it and does not import it
import theano.sandbox
from figures import FOLDER, read_json, write_json

PROGRAMS = Path(__file__).with_name("library_programs")
SETTINGS = {"backend": "theano", "floatx": "float64", "image_dim_ordering": "tf", "epsilon": 1e-7}


def module_of(name, **names):
    module = types.ModuleType(name)
    module.__path__ = []
    vars(module).update(names)
    sys.modules[name] = module
    return module


def put_back():
    theano.compat.six = sys.modules["theano.compat.six"] = six
    sys.modules["theano.compat.six.moves"] = six.moves
    gpu_type = module_of("theano.sandbox.cuda.type", CudaNdarrayType=type("CudaNdarrayType", (), {}))
    dnn = module_of("theano.sandbox.cuda.dnn", dnn_available=lambda: False, dnn_pool=None)
    cuda = module_of("theano.sandbox.cuda", cuda_available=False, cuda_enabled=False, type=gpu_type, dnn=dnn)
    theano.sandbox.cuda = cuda
    with contextlib.suppress(ImportError):
        import numpy as np
        from sklearn import model_selection

        def folds(n, n_folds=3):
            return model_selection.KFold(int(n_folds)).split(np.zeros(n))

        module_of("sklearn.cross_validation", KFold=folds, StratifiedKFold=None)


def figures_of(name, *arguments):
    sys.argv = [name, *arguments]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        runpy.run_path(str(PROGRAMS / (name + ".py")), run_name="__main__")
    return json.loads(said.getvalue().splitlines()[-1])


if __name__ == "__main__":
    program, *arguments = sys.argv[1:]
    put_back()
    os.environ["HOME"] = tempfile.mkdtemp()
    Path("~/.keras").expanduser().mkdir()
    Path("~/.keras/keras.json").expanduser().write_text(json.dumps(SETTINGS))
    found = figures_of(program, *arguments)
    if program == "keras_autoencoders":
        import keras

        program += " " + keras.__version__[0]
    known = read_json("library_programs") if (FOLDER / "library_programs.json").exists() else {}
    known[program] = {**known.get(program, {}), **found}
    write_json("library_programs", dict(sorted(known.items())))
