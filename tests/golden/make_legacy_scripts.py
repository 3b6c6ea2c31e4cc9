"""Write legacy_scripts/*.txt: what the scripts of tests/legacy/scripts print under real Theano 1.0.5, interpreted.

What they print in Theano's default mode, compiled by g++ with all of Theano's rewrites, goes into
legacy_scripts/default_mode/*.txt where it differs by more than the last digits, unless it is wrong (`WRONG_COMPILED`).

Needs a Python 3.8 as make_random_streams.py does, with Pillow, and for the default mode a BLAS that ``blas.ldflags`` in
.theanorc names; names of scripts run only those again::

    python tests/golden/make_legacy_scripts.py [NAME ...]

Most of the scripts are Python 2, which that Python no longer reads: its own lib2to3 converts them, and ``/`` means in them
what it meant in Python 2. What they ask of the standard library, NumPy, SciPy, PIL and pylab that is gone is put back by
`missing`, and modules of older Theanos by `modules_of_older_theanos`. None of that is code of symae's: the values are to be
independent of it.

In one thing Theano 1.0.5 is no witness for the time of the scripts. Up to 0.9 its comparisons gave int8, since 1.0 they give
bool, of which ``-T.neq(a, b)`` and ``T.neq(a, b) - T.neq(c, d)`` are errors and ``x[mask]`` another selection. So the scripts
run with the type of comparisons, and of all and any, put back to int8 (`int8_comparisons`); everything else is 1.0.5's.
"""

import ast
import builtins
import collections
import copy
import functools
import math
import os
import pickle
import re
import string
import struct
import subprocess
import sys
import tempfile
import time
import types
from importlib.util import spec_from_loader
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "legacy" / "scripts"
FLAGS = "floatX=float64,mode=FAST_COMPILE,cxx="
DEFAULT_MODE = "floatX=float64"
# Theano's nnet.conv2d has no Python for all it can do: it needs a compiler.
COMPILED = {"conv2d_flips_filters": DEFAULT_MODE}
GOLDEN = Path(__file__).with_name("legacy_scripts")
# Theano's compiled sum and product of a sparse and a dense matrix take the dense one for contiguous, also m.T.
WRONG_COMPILED = {"sparse_inputs"}
SINCE_1_0 = {"boolean_masks_of_2017"}  # compares as 1.0.5 does
SIBLINGS = {"layers_of_2012"}  # what a script imports from beside itself


def is_python2(source):
    """Whether Python 3 cannot read it: such a script's ``/`` is Python 2's."""
    try:
        ast.parse(source)
    except SyntaxError:
        return True
    return False


class PythonTwosDivision(ast.NodeTransformer):
    """``a / b`` becomes ``python2_division(a, b)``."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return self._call(node, node.left, node.right) if isinstance(node.op, ast.Div) else node

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        target = copy.deepcopy(node.target)
        target.ctx = ast.Load()
        return ast.copy_location(ast.Assign([node.target], self._call(node, target, node.value)), node)

    def _call(self, node, left, right):
        return ast.copy_location(ast.Call(ast.Name("python2_division", ast.Load()), [left, right], []), node)


def python2_division(a, b):
    import numpy as np
    import theano

    if isinstance(a, theano.Variable):
        return a.__div__(b)
    if isinstance(b, theano.Variable):
        return b.__rdiv__(a)
    whole = all(np.asarray(v).dtype.kind in "biu" for v in (a, b))
    return a // b if whole else a / b


def converted(source, name):
    """Return the tree of a script as Python 3.8 runs it."""
    from lib2to3 import refactor

    if not is_python2(source):
        return ast.parse(source, name)
    untabbed = re.sub("^[\t ]+", lambda indent: indent[0].expandtabs(), source, flags=re.MULTILINE)
    divides = "from __future__ import division" not in source
    # has_key of a class of one's own, and the like, would need a human; the scripts have none of it.
    tool = refactor.RefactoringTool(refactor.get_fixers_from_package("lib2to3.fixes"))
    tree = ast.parse(str(tool.refactor_string(untabbed + "\n", name)), name)
    return ast.fix_missing_locations(PythonTwosDivision().visit(tree)) if divides else tree


def python2_sorted(values, cmp=None, key=None, reverse=False):
    return sorted(values, key=functools.cmp_to_key(cmp) if cmp else key, reverse=reverse)


PYTHON_2 = {
    "file": open,
    "cmp": lambda a, b: (a > b) - (a < b),
    "sorted": python2_sorted,
    "round": lambda a, digits=0: math.copysign(math.floor(abs(a) * 10**digits + 0.5) / 10**digits, a),
}


def source_of(path):
    return path.read_bytes().decode("utf-8").replace("\r\n", "\n")


class Siblings:
    """Imports a script's neighbours, converted like itself."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        path = SCRIPTS / f"{name}.py"
        return spec_from_loader(name, Siblings, origin=str(path)) if path.exists() else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        path = SCRIPTS / f"{module.__name__}.py"
        module.__dict__["python2_division"] = python2_division
        exec(compile(converted(source_of(path), str(path)), str(path), "exec"), module.__dict__)


def missing():
    """Put back what scripts of the time take from elsewhere."""
    import numpy as np
    import PIL.Image
    import scipy.misc
    import scipy.special

    time.clock = time.process_time
    string.join, string.upper = lambda words, separator=" ": separator.join(words), str.upper
    sys.modules["Image"] = PIL.Image
    np.set_printoptions(legacy="1.13")  # how arrays were printed until 2017
    fromstring = np.fromstring
    np.fromstring = lambda text, *args, **kwargs: fromstring(text.encode("latin-1"), *args, **kwargs)

    # Python 2's strings in pickles are bytes, and NumPy's arrays are read from them in no other encoding.
    # Files that were opened without a b were the same there.
    load, loads, dump = pickle.load, pickle.loads, pickle.dump
    pickle.load = lambda file: load(getattr(file, "buffer", file), encoding="latin1")
    pickle.loads = lambda data: loads(data, encoding="latin1")
    pickle.dump = lambda value, file, protocol=0: dump(value, getattr(file, "buffer", file), protocol)

    def bytescale(a):
        low, high = float(a.min()), float(a.max())
        return ((a - low) * 255.0 / ((high - low) or 1) + 0.5).clip(0, 255).astype("uint8")

    def toimage(a):
        return PIL.Image.fromarray(a if a.dtype == "uint8" else bytescale(np.asarray(a)))

    scipy.misc.toimage = toimage
    scipy.misc.imsave = lambda file, a: toimage(a).save(file)
    scipy.misc.imread = lambda file: np.array(PIL.Image.open(file))
    scipy.misc.logsumexp, scipy.misc.comb = scipy.special.logsumexp, scipy.special.comb
    scipy.misc.factorial = lambda n, exact=0: math.factorial(n) if exact else scipy.special.gamma(np.asarray(n) + 1.0)

    class Silent(types.ModuleType):
        """A pylab that draws nothing, and whatever else is only to be imported."""

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Silent(name)

        def __call__(self, *args, **kwargs):
            return self

    # Sage's names, of which the pictures and tables go nowhere here.
    builtins.DATA, builtins.html = os.curdir, lambda text: None
    builtins.html.table = lambda rows, header=None: None

    unneeded = "nose nose.tools nose.plugins nose.plugins.attrib nose.plugins.skip parameterized"  # by Theano's own tests
    for name in ("pylab", "matplotlib", "matplotlib.pyplot", *unneeded.split()):
        sys.modules[name] = Silent(name)
    sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]


def int8_comparisons():
    """Let Theano compare as it did up to 0.9."""
    import theano.tensor as T
    from theano.scalar import basic

    def as_int8(reduction):
        return lambda *args, **kwargs: T.cast(reduction(*args, **kwargs), "int8")

    T.all, T.any = as_int8(T.all), as_int8(T.any)
    for cls in (basic.LogicalComparison, basic.FixedLogicalComparison):
        cls.output_types = lambda self, *types: [basic.int8]
        cls.L_op = lambda self, inputs, outputs, gradients: [v.zeros_like().astype("float64") for v in inputs]


def modules_of_older_theanos():
    """Put back what 1.0 no longer had, and 0.7 had under these names."""
    import theano.sandbox
    from theano.tensor.signal import pool

    downsample = types.ModuleType("theano.tensor.signal.downsample")
    downsample.max_pool_2d, downsample.DownsampleFactorMax = pool.pool_2d, pool.Pool
    theano.tensor.signal.downsample = sys.modules[downsample.__name__] = downsample

    python2x = types.ModuleType("theano.compat.python2x")
    python2x.OrderedDict = collections.OrderedDict
    theano.compat.python2x = sys.modules[python2x.__name__] = python2x

    for name in ("theano.sandbox.cuda", "theano.sandbox.cuda.dnn"):
        sys.modules[name] = types.ModuleType(name)
    cuda = theano.sandbox.cuda = sys.modules["theano.sandbox.cuda"]
    cuda.cuda_available = cuda.cuda_enabled = False
    cuda.dnn = sys.modules["theano.sandbox.cuda.dnn"]
    cuda.dnn.dnn_available = lambda: False


def run(path):
    """Run one script in this process."""
    # The flags that a script sets before it imports Theano have to reach it, so nothing here may import Theano earlier.
    missing()
    sys.meta_path.insert(0, Siblings)
    sys.argv = [str(path)]

    ordinary_import = builtins.__import__

    def import_and_patch(name, importer=None, *args, **kwargs):
        module = ordinary_import(name, importer, *args, **kwargs)
        if name.startswith("theano") and importer is names:
            builtins.__import__ = ordinary_import
            if path.stem not in SINCE_1_0:
                int8_comparisons()
            modules_of_older_theanos()
        return module

    module = sys.modules["__main__"] = types.ModuleType("__main__")
    names = module.__dict__
    names.update(__file__=str(path), python2_division=python2_division)
    if is_python2(source_of(path)):
        names.update(PYTHON_2)
    builtins.__import__ = import_and_patch
    exec(compile(converted(source_of(path), str(path)), str(path), "exec"), names)


def write_pickles():
    """Write the two pickles that pickle_written_by_python2.py reads, byte for byte as Python 2 would have."""
    import numpy as np
    import theano

    class Pickler(pickle._Pickler):
        """Writes all strings as Python 2's."""

        def save_string(self, text):
            data = text if isinstance(text, bytes) else text.encode("latin-1")
            code, size = (pickle.SHORT_BINSTRING, "<B") if len(data) < 256 else (pickle.BINSTRING, "<i")
            self.write(code + struct.pack(size, len(data)) + data)
            self.memoize(text)

        dispatch = {**pickle._Pickler.dispatch, str: save_string, bytes: save_string}  # noqa: RUF012

    weights = {"W": np.linspace(-1, 1, 60).reshape(20, 3), "b": np.array([1, 2, 300], dtype="int32")}
    history = {"epochs": 12, "name": "dA", "author": b"Ren\xe9", "seen": [True, False], "big": 2**40, "none": None}
    history.update(costs=(0.5, 0.25), scalar=np.float64(1.5))
    with (SCRIPTS / "weights_of_2012.pkl").open("wb") as file:
        for value in (weights, history):
            Pickler(file, 2).dump(value)
    W = theano.shared(np.arange(6.0).reshape(2, 3), name="W")
    b = theano.shared(np.array([0.5, -1.0, 2.0]), name="b", borrow=True)
    with (SCRIPTS / "shared_of_2012.pkl").open("wb") as file:
        Pickler(file, 2).dump([W, b])


def main(names):
    GOLDEN.mkdir(exist_ok=True)
    if not names or "pickle_written_by_python2" in names:
        write_pickles()
    with tempfile.TemporaryDirectory() as caches:
        write_printed(names, caches)


def write_printed(names, caches):
    for path in sorted(SCRIPTS.glob("*.py")):
        if path.stem in SIBLINGS or (names and path.stem not in names):
            continue
        # Theano finds compiled code again by the types of its inputs alone: comparisons of the two kinds must not meet.
        cache = f",base_compiledir={caches}/{'bool' if path.stem in SINCE_1_0 else 'int8'}"
        printed = [of_one(path, flags + cache) for flags in (COMPILED.get(path.stem, FLAGS), DEFAULT_MODE)]
        if None in printed:
            continue
        interpreted, compiled = printed
        (GOLDEN / f"{path.stem}.txt").write_bytes(interpreted)
        other = GOLDEN / "default_mode" / f"{path.stem}.txt"
        if rounded(interpreted) != rounded(compiled) and path.stem not in WRONG_COMPILED:
            other.parent.mkdir(exist_ok=True)
            other.write_bytes(compiled)
        else:
            other.unlink(missing_ok=True)
        print(path.stem, "ok, another in the default mode" if other.exists() else "ok")


def of_one(path, flags):
    """Return what one script prints in a process of its own, or None if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--one", str(path)]
        done = subprocess.run(command, cwd=folder, env=dict(os.environ, THEANO_FLAGS=flags), capture_output=True)
    if done.returncode:
        print(path.stem, flags, done.stderr.decode()[-600:], sep="\n")
        return None
    return done.stdout


def rounded(printed):
    """Round a text's decimals to nine digits, and nothing to nothing: -0.0, and 1e-17 beside numbers of ordinary size."""

    def short(match):
        return f"{round(float(match[0]), 9) + 0.0:.9g}"

    return re.sub(r"(?<![\w.])[-+]?\d+\.\d*(?:e[-+]?\d+)?(?![\w])", short, printed.decode()).split()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        sys.dont_write_bytecode = True
        run(Path(sys.argv[2]))
    else:
        main(sys.argv[1:])
