"""A process that uses symae stays as it was: what is for the whole process is asked for, or lasts as long as a call."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from backend_params import each

from symae.compile.backends import BY_NAME

# What PyTensor itself sets as it is imported, of which JAX's 64 bits by floatX are a part, is not symae's doing.
PROGRAM = """
import gc, importlib, json, logging, os, sys, warnings
backend, floatX = sys.argv[1:]
import pytensor
pytensor.config.floatX = floatX
import pytensor.tensor as pt
import numpy as np
if backend != "c":
    importlib.import_module(f"pytensor.link.{backend}.dispatch")
if backend == "pytorch":
    import torch, torch._dynamo
import scipy.sparse, threadpoolctl

def state():
    umask = os.umask(0o22)
    os.umask(umask)
    found = {
        "gc": gc.get_threshold(),
        "levels": {n: l.level for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)},
        "root": (logging.root.level, len(logging.root.handlers)),
        "filters": [str(f) for f in warnings.filters],
        "umask": umask,
        "threads": sorted((i["filepath"], i["num_threads"]) for i in threadpoolctl.threadpool_info()),
        "pytensor": {n: str(getattr(pytensor.config, n)) for n in ("mode", "linker", "floatX", "optimizer", "cxx")},
        "hook": repr(sys.excepthook),
    }
    if "numba" in sys.modules:
        import numba
        from numba.np import arrayobj
        config = {n: str(v) for n, v in vars(numba.config).items() if n.isupper()}
        found["numba"] = (config, numba.get_num_threads(), arrayobj.raise_with_shape_context.__module__)
    if "jax" in sys.modules:
        import jax
        found["jax"] = {n: str(v) for n, v in jax.config.values.items()}
    return found

before = state()
import symae
x = pt.matrix("x")
hidden = pt.tanh(x / 3)
total = pytensor.shared(np.zeros((2, 3), floatX))
f = symae.function([x], hidden, updates=[(total, total + hidden)], backend=backend)
for _ in range(2):
    np.testing.assert_allclose(f(np.ones((2, 3), floatX)), np.tanh(np.full((2, 3), 1 / 3)), rtol=1e-6)
after = state()
new = set(after["levels"]) - set(before["levels"])
assert not any(after["levels"].pop(n) for n in new if n.startswith("symae")), "a level of a logger of symae's"
for name in new - {n for n in new if n.startswith("symae")}:
    after["levels"].pop(name)  # of modules that were imported meanwhile
known = {path for path, _ in before["threads"]}
after["threads"] = [entry for entry in after["threads"] if entry[0] in known]
for key, value in before.items():
    assert after[key] == value, (key, value, after[key])
"""


@pytest.mark.parametrize(
    ("backend", "floatX"),
    [  # on JAX what PyTensor sets depends on floatX
        pytest.param(*parameter.values, floatX, marks=parameter.marks)
        for parameter in each(backends=["pytorch"])
        for floatX in BY_NAME[parameter.values[0]].floats[:: 1 if parameter.values[0] == "jax" else -2]
    ],
)
def test_importing_compiling_and_calling_leaves_the_process_as_it_was(backend, floatX):
    own = {name: value for name, value in os.environ.items() if name != "SYMAE_PATCHES"}
    command = [sys.executable, "-c", PROGRAM, backend, floatX]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=own)
    assert done.returncode == 0, done.stderr[-3000:]
