"""What Theano's names are called today, in PyTensor and in symae: the tables of ``symae port --modern``."""

from __future__ import annotations

import functools
import importlib
import operator
import types

# By today's name Theano's, without the word theano. A colon stands before a name that has to be imported by itself:
# pytensor.scan is a function that hides its package.
_OLD_NAMES = {
    "symae.function": "function compile.function",
    "pytensor.printing.pp": "pp",
    "pytensor.printing.pprint": "pprint",
    "pytensor.graph.clone_replace": "clone",
    "pytensor.scan.utils:until": "scan_module.until scan_module.scan_utils.until",
    "pytensor.scan": "scan_module.scan",
    "pytensor.scan:reduce": "reduce",
    "pytensor.scan:foldl": "foldl",
    "pytensor.scan:foldr": "foldr",
    "pytensor.graph.Op": "Op gof.Op",
    "pytensor.graph.Apply": "Apply gof.Apply gof.graph.Apply",
    "pytensor.graph.Variable": "Variable gof.Variable gof.graph.Variable",
    "pytensor.graph.Constant": "Constant gof.Constant gof.graph.Constant",
    "pytensor.graph.Type": "Type gof.Type",
    "pytensor.graph.FunctionGraph": "gof.FunctionGraph",
    "pytensor.graph.ancestors": "gof.graph.ancestors",
    "pytensor.graph.graph_inputs": "gof.graph.inputs",
    "pytensor.In": "Param",
    "pytensor.ifelse": "ifelse.ifelse",
    "pytensor.compile.ops.as_op": "as_op",
    "pytensor.graph.rewriting.basic.node_rewriter": "gof.local_optimizer gof.opt.local_optimizer",
    "pytensor.raise_op:Assert": "tensor.opt.Assert",
    "pytensor.sparse.type:SparseTensorType": "sparse.SparseType sparse.basic.SparseType",
    "pytensor.sparse.variable:SparseVariable": "sparse.SparseVariable sparse.basic.SparseVariable",
    "pytensor.sparse.sign": "sparse.sgn sparse.basic.sgn",
    "pytensor.tensor.math.Dot": "tensor.Dot",
    "pytensor.tensor.elemwise.Elemwise": "tensor.Elemwise",
    "pytensor.gradient.verify_grad": "tensor.verify_grad",
    "pytensor.compile.debug.nanguardmode:NanGuardMode": "compile.nanguardmode.NanGuardMode",
    "pytensor.compile.MonitorMode": "compile.monitormode.MonitorMode",
    "pytensor.compile.SharedVariable": "compile.sharedvalue.SharedVariable",
    "pytensor.tensor.sharedvar.TensorSharedVariable": "tensor.TensorSharedVariable",
    "collections:OrderedDict": "compat.OrderedDict compat.python2x.OrderedDict",
    "pytensor.gradient.zero_grad": "gradient.consider_constant tensor.consider_constant",
    "numpy.asarray": "_asarray",
    "pytensor.shared": "tensor._shared tensor.shared",
    "pytensor.tensor.abs": "tensor.abs_",
    "pytensor.tensor.reciprocal": "tensor.inv",
    "pytensor.tensor.sign": "tensor.sgn",
    "pytensor.tensor.matmul": "tensor.batched_dot",
    "pytensor.tensor.specify_broadcastable": "tensor.addbroadcast",
    "pytensor.gradient.Rop": "tensor.Rop",
    "pytensor.gradient.Lop": "tensor.Lop",
    "symae.nn.elu": "tensor.elu tensor.nnet.elu",
    "pytensor.tensor.diag": "tensor.diag tensor.nlinalg.alloc_diag",
    "symae.RandomStreams": "tensor.RandomStreams tensor.shared_randomstreams.RandomStreams sandbox.rng_mrg.MRG_RandomStreams",
    "symae.ops.images2neibs": "tensor.nnet.images2neibs",
    "symae.ops.neibs2images": "tensor.nnet.neibs2images",
    "pytensor.tensor.sigmoid": "tensor.nnet.sigmoid tensor.nnet.ultra_fast_sigmoid",
    "pytensor.tensor.softplus": "tensor.nnet.softplus",
    "symae.ops.conv2d": "tensor.nnet.conv2d tensor.nnet.conv.conv2d sandbox.cuda.dnn.dnn_conv gpuarray.dnn.dnn_conv",
    "symae.ops.pool2d": "tensor.signal.pool.pool_2d tensor.signal.pool.max_pool_2d tensor.signal.downsample.max_pool_2d"
    " sandbox.cuda.dnn.dnn_pool gpuarray.dnn.dnn_pool",
}
_NAMES = {f"theano.{old}": new for new, olds in _OLD_NAMES.items() for old in olds.split()}
_NAMES |= {f"theano.tensor.opt.register_{kind}": f"pytensor.tensor.rewriting.basic.register_{kind}" for kind in (
    "canonicalize", "specialize", "stabilize", "useless",
)}  # fmt: skip
_NAMES |= {f"theano.tensor.{name}": f"pytensor.tensor.type.{name}" for name in (
    "all_dtypes", "complex_dtypes", "continuous_dtypes", "discrete_dtypes", "float_dtypes", "int_dtypes", "integer_dtypes",
    "uint_dtypes",
)}  # fmt: skip

# Modules whose names were also those of the package above
_SAME = {
    "theano.tensor.nnet.nnet.": "theano.tensor.nnet.",
    "theano.tensor.nnet.sigm.": "theano.tensor.nnet.",
    "theano.tensor.nnet.neighbours.": "theano.tensor.nnet.",
    "theano.tensor.nnet.bn.": "theano.tensor.nnet.",
    "theano.tensor.nnet.abstract_conv.": "theano.tensor.nnet.",
    "theano.tensor.basic.": "theano.tensor.",
    "theano.tensor.raw_random.RandomStreams": "theano.tensor.shared_randomstreams.RandomStreams",
    "theano.theano.": "theano.",
    "theano.compile.pfunc.": "theano.",
    "theano.compile.io.": "theano.",
}

# What was int8 and is bool
COMPARISONS = {f"theano.tensor.{name}" for name in ("eq", "neq", "lt", "gt", "le", "ge", "all", "any")}
ITERATORS = {"theano.gof.graph.ancestors", "theano.gof.graph.inputs"}  # what gave a list and yields one by one now

MEANINGS = {
    "theano.tensor.nnet.ultra_fast_sigmoid": "ultra_fast_sigmoid was an approximation; this is the sigmoid itself",
    "theano.sandbox.rng_mrg.MRG_RandomStreams": "symae.RandomStreams draws other numbers of the same distributions than"
    " MRG_RandomStreams; symae.theano.sandbox.rng_mrg draws the same, in programs ported without --modern",
    "theano.__version__": "this is PyTensor's version now, not Theano's",
    "theano.Param": "inputs with default values are gone: give the value in each call, or keep it in a shared variable",
    "theano.tensor.batched_dot": "matmul is batched_dot for two stacks of matrices; a stack of vectors needs [..., None]",
    "theano.tensor.round": "before Theano 0.10 halves were rounded away from 0, mode='half_away_from_zero'; now to even",
    "theano.tensor.signal.pool.pool_2d": "where pixels share a maximum, Theano gave the gradient to each, symae to the first",
}
for _name in ("theano.tensor.signal.pool.max_pool_2d", "theano.tensor.signal.downsample.max_pool_2d"):
    MEANINGS[_name] = MEANINGS["theano.tensor.signal.pool.pool_2d"]
for _name in ITERATORS:
    MEANINGS[_name] = "this yields variables one by one now, in an order of its own: list(…) of it has a length and entries"
for _name in ("pp", "pprint", "printing.pp", "printing.pprint", "printing.debugprint", "printing.min_informative_str"):
    MEANINGS[f"theano.{_name}"] = "PyTensor prints expressions in other words than Theano did"
for _name in ("theano.Op", "theano.gof.Op"):
    MEANINGS[_name] = "an Op of your own: PyTensor asks it for pullback where Theano asked for grad, and for other C code"

# Functions that neither library has with Theano's semantics; {pt} is pytensor.tensor.
HELPERS = {
    "theano.tensor.nnet.relu": '''
def legacy_relu(x, alpha=0):
    """Theano's relu, whose gradient at 0 is (1 + alpha) / 2."""
    return 0.5 * (x + abs(x)) if isinstance(alpha, int) and alpha == 0 else 0.5 * ((1 + alpha) * x + (1 - alpha) * abs(x))
''',
    "theano.tensor.nnet.softmax": '''
def legacy_softmax(x):
    """Theano's softmax: of each row of a matrix, and (1, n) of a vector."""
    return {pt}.special.softmax({pt}.atleast_2d(x), axis=-1)
''',
    "theano.tensor.nnet.logsoftmax": '''
def legacy_logsoftmax(x):
    """Theano's logsoftmax: of each row of a matrix, and (1, n) of a vector."""
    return {pt}.special.log_softmax({pt}.atleast_2d(x), axis=-1)
''',
    "theano.tensor.nnet.binary_crossentropy": '''
def legacy_binary_crossentropy(output, target):
    """Theano's binary_crossentropy, elementwise."""
    return -(target * {pt}.log(output) + (1.0 - target) * {pt}.log(1.0 - output))
''',
    "theano.tensor.nnet.sigmoid_binary_crossentropy": '''
def legacy_sigmoid_binary_crossentropy(output, target):
    """Theano's sigmoid_binary_crossentropy, elementwise: `output` is what the sigmoid is taken of."""
    return {pt}.softplus(output) - target * output
''',
    "theano.tensor.nnet.categorical_crossentropy": '''
def legacy_categorical_crossentropy(coding_dist, true_dist):
    """Theano's categorical_crossentropy, a number for each row; `true_dist` holds distributions or whole numbers."""
    if true_dist.ndim == coding_dist.ndim:
        return -{pt}.sum(true_dist * {pt}.log(coding_dist), axis=coding_dist.ndim - 1)
    return -{pt}.log(coding_dist[{pt}.arange(true_dist.shape[0]), true_dist])
''',
    "theano.tensor.nnet.hard_sigmoid": '''
def legacy_hard_sigmoid(x):
    """Theano's hard_sigmoid: three straight lines."""
    return {pt}.clip(0.2 * x + 0.5, 0.0, 1.0)
''',
    "theano.tensor.nnet.softsign": '''
def legacy_softsign(x):
    """Theano's softsign."""
    return x / (1.0 + abs(x))
''',
    "theano.tensor.nnet.batch_normalization": '''
def legacy_batch_normalization(inputs, gamma, beta, mean, std, mode="low_mem"):
    """Theano's batch_normalization; `mode` was about memory on GPUs."""
    return (inputs - mean) * (gamma / std) + beta
''',
}
HELPERS["theano.tensor.nnet.crossentropy_categorical_1hot"] = HELPERS["theano.tensor.nnet.categorical_crossentropy"]
HELPERS["theano.tensor.nnet.softmax_graph"] = HELPERS["theano.tensor.nnet.softmax"]


def canonical(name: str) -> str:
    """Return one name for a thing that had several: ``theano.tensor.nnet.nnet.relu`` is ``theano.tensor.nnet.relu``."""
    for module, package in _SAME.items():
        if name.startswith(module):
            return canonical(package + name.removeprefix(module))
    return name


@functools.cache
def modern_name(name: str) -> str | None:
    """Return today's full name for a full name of Theano's; None if there is none, or if it needs more than a name."""
    name = canonical(name)
    if name in HELPERS:
        return None
    if name in _NAMES:
        return _NAMES[name]
    rest = name.partition(".")[2]
    if not rest:
        return "pytensor"
    parts = rest.split(".")
    if parts[0] == "config":
        return f"pytensor.{rest}"
    if parts[0] == "tensor" and len(parts) > 2 and parts[1] in ("nlinalg", "slinalg"):
        parts[1] = "linalg"
    for candidate in (".".join(parts), f"tensor.{parts[-1]}" if parts[0] == "tensor" and parts[1:2] != ["nnet"] else ""):
        if candidate and _is_there(f"pytensor.{candidate}"):
            return f"pytensor.{candidate}"
    return None


@functools.cache
def _is_there(name: str) -> bool:
    """Return True if PyTensor has the name, as an attribute that needs no further import."""
    first, *rest = name.split(".")
    found = importlib.import_module(first)
    for part in rest:
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


def config_is_gone(name: str) -> bool:
    """Return True if ``theano.config.x`` has no counterpart in PyTensor."""
    return not _is_there(".".join(["pytensor", *name.split(".")[1:3]]))


@functools.cache
def is_module(name: str) -> bool:
    """Return True if a name of today's is a module, whose names are looked up one by one."""
    first, _, rest = name.partition(".")
    if first != "pytensor" or ":" in name or not _is_there(name):
        return False
    found = importlib.import_module("pytensor")
    return isinstance(operator.attrgetter(rest)(found) if rest else found, types.ModuleType)
