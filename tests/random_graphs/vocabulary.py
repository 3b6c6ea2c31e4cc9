"""What a step of a program is in a graph: each operation's name, and how it is written in Theano's names.

The same source for real Theano and for symae.theano; runs on Python 3.8 too.
"""

import importlib

import numpy as np


class Absent(Exception):
    """The library has no such operation, so that it says nothing about the program."""


class Library:
    """Theano or what answers for it, with the modules that a script imports."""

    def __init__(self, name):
        self.name = name
        self.theano = importlib.import_module(name)
        for part in ("tensor", "tensor.nnet", "tensor.nlinalg", "tensor.extra_ops", "tensor.signal.pool", "sparse", "ifelse"):
            setattr(self, part.rpartition(".")[2], importlib.import_module(name + "." + part))
        for part in ("tensor.nnet.neighbours", "tensor.nnet.abstract_conv", "tensor.shared_randomstreams", "sandbox.rng_mrg"):
            setattr(self, part.rpartition(".")[2], importlib.import_module(name + "." + part))
        self.T = self.tensor
        self.ops = importlib.import_module("symae.ops") if name == "symae.theano" else OpsOfTheano(self)
        self.streams = {}

    def stream(self, kind, seed):
        """Return the random stream of that seed: one for all draws of a program."""
        if (kind, seed) not in self.streams:
            module = self.shared_randomstreams if kind == "numpy" else self.rng_mrg
            maker = module.RandomStreams if kind == "numpy" else module.MRG_RandomStreams
            self.streams[kind, seed] = maker(seed)
        return self.streams[kind, seed]


class OpsOfTheano:
    """symae.ops in Theano's own operations."""

    def __init__(self, library):
        self.lib = library

    def conv2d(self, x, W, border_mode, subsample, flip, dilation, groups):
        return self.lib.nnet.conv2d(
            x, W, None, None, border_mode, subsample, filter_flip=flip, filter_dilation=dilation, num_groups=groups
        )

    def deconv2d(self, y, W, border_mode, subsample, flip, dilation, groups, output_shape):
        return self.lib.abstract_conv.conv2d_grad_wrt_inputs(
            y, W, (None, None, output_shape[0], output_shape[1]), None, border_mode, subsample, flip, dilation, groups
        )

    def pool2d(self, x, ws, stride, pad, mode, ignore_border):
        return self.lib.pool.pool_2d(x, ws, ignore_border, stride, pad, mode)

    def max_unpool2d(self, pooled, x, ws):
        constant = self.lib.theano.gradient.disconnected_grad(x)
        return self.lib.theano.grad((self.pool2d(constant, ws, None, (0, 0), "max", True) * pooled).sum(), constant)

    def upsample2d(self, x, factor, mode):
        if mode != "nearest":
            raise Absent(mode)
        return x.repeat(factor[0], 2).repeat(factor[1], 3)

    def rectified(self, x, b):
        y = x + (b.dimshuffle("x", 0) if x.ndim == 2 else b.dimshuffle("x", 0, "x", "x"))
        return self.lib.T.switch(y > 0, y, y.zeros_like())  # a maximum's gradient at 0 would be a half


# operations that are functions of one or two variables, by where they are
FUNCTIONS = {
    "T": "neg abs_ sqr exp exp2 log log2 log10 log1p expm1 sqrt tanh sin cos arctan arcsinh erf erfc sgn floor ceil trunc inv "
    "gammaln psi invert isnan isinf cosh sinh tan arcsin arccosh arctanh deg2rad diag add sub mul true_div int_div mod pow "
    "maximum minimum arctan2 eq neq lt le gt ge and_ or_ xor dot outer batched_dot",
    "nnet": "sigmoid softplus hard_sigmoid ultra_fast_sigmoid softsign relu elu selu softmax logsoftmax binary_crossentropy "
    "categorical_crossentropy sigmoid_binary_crossentropy softmax_with_bias",
    "nlinalg": "matrix_inverse det trace",
    "sparse": "dense_from_sparse csr_from_dense csc_from_dense structured_dot true_dot col_scale row_scale",
}
NAMED = {name: (place, name) for place, names in FUNCTIONS.items() for name in names.split()}
NAMED.update({"sparse_" + name: ("sparse", name) for name in "transpose dot add mul sub".split()})
ANSWERS = {"eq", "neq", "lt", "le", "gt", "ge", "isnan", "isinf", "any", "all"}


def apply(lib, op, x, a):
    """Return the variable, or the list of variables, of a step: operation `op` of the variables `x` with the settings `a`."""
    if op in NAMED:
        place, name = NAMED[op]
        made = getattr(getattr(lib, place), name)(*x)
    else:
        made = OPERATIONS[op](lib, *x, **a)
    # Theano 1.0.5's comparisons are bool; those of the scripts' time, and symae.theano's, int8.
    return lib.T.cast(made, "int8") if op in ANSWERS else made


def _reduction(name):
    def reduced(lib, x, axis=None, keepdims=False, **more):
        axis = tuple(axis) if isinstance(axis, list) else axis
        return getattr(lib.T, name)(x, axis=axis, keepdims=keepdims, **more)

    return reduced


def index(lib, parts, x):
    """Return the index that `parts` describes: numbers, slices, None, variables by their position among `x`."""

    def number(part):
        return x[part["var"]] if isinstance(part, dict) else part

    made = []
    for part in parts:
        if isinstance(part, dict) and "slice" in part:
            made.append(slice(*(number(end) for end in part["slice"])))
        elif isinstance(part, dict) and "array" in part:
            made.append(np.array(part["array"], "int64"))
        else:
            made.append(number(part))
    return tuple(made) if len(made) > 1 else made[0]


def _set_subtensor(lib, x, y, *more, parts, add, twice=False):
    write = lib.T.inc_subtensor if add else lib.T.set_subtensor
    written = write(x[index(lib, parts, more)], y)
    return write(written[index(lib, parts, more)], y) if twice else written


def _draw(lib, *x, kind, seed, stream, size, params, dtype=None):
    drawn = getattr(lib.stream(stream, seed), kind)
    more = {} if dtype is None else {"dtype": dtype}
    if kind == "permutation":
        return drawn(size=tuple(size), n=params[0])
    if kind == "multinomial":
        return drawn(size=tuple(size) if stream == "numpy" else None, n=1, pvals=x[0] if x else np.array(params), **more)
    return drawn(tuple(size), *(x or params), **more)


def _one_hot_likelihood(lib, p, y, form):
    rows = lib.T.arange(y.shape[0])
    if form == "tutorial":
        return -lib.T.mean(lib.T.log(p)[rows, y])
    return lib.T.sum(p[rows, y])


def _batch_normalization(lib, x, gamma, beta, mean, std, mode):
    return lib.nnet.bn.batch_normalization(x, gamma, beta, mean, std, mode=mode)


def _conv2d(lib, x, W, border_mode, subsample, flip, dilation, groups, own):
    mode = border_mode if isinstance(border_mode, str) else tuple(border_mode)
    if own:
        return lib.ops.conv2d(x, W, mode, tuple(subsample), flip, tuple(dilation), groups)
    return OpsOfTheano(lib).conv2d(x, W, mode, tuple(subsample), flip, tuple(dilation), groups)


def _deconv2d(lib, y, W, border_mode, subsample, flip, dilation, groups, output_shape, own):
    mode = border_mode if isinstance(border_mode, str) else tuple(border_mode)
    ops = lib.ops if own else OpsOfTheano(lib)
    return ops.deconv2d(y, W, mode, tuple(subsample), flip, tuple(dilation), groups, output_shape=tuple(output_shape))


def _pool2d(lib, x, ws, stride, pad, mode, ignore_border, own):
    ops = lib.ops if own else OpsOfTheano(lib)
    return ops.pool2d(x, tuple(ws), stride and tuple(stride), tuple(pad), mode, ignore_border)


def body(lib, steps, results, local):
    """Return the results of a scan's inner steps, of which `local` are the arguments."""
    values = list(local)
    for step in steps:
        values.append(apply(lib, step["op"], [values[i] for i in step["in"]], step.get("args", {})))
    return [values[i] for i in results]


def _scan(lib, *x, sequences, states, others, closed, steps, results, n_steps=None, backwards=False, form="scan"):
    """`x` in that order: sequences, initial states, non-sequences and what the inner function closes over."""
    x = list(x)
    parts = [[x.pop(0) for _ in range(n)] for n in (sequences, states, others, closed)]
    seqs, init, nonseqs, free = parts

    def inner(*local):
        made = body(lib, steps, results, [*local, *free])
        return made if len(made) > 1 else made[0]

    if form == "map":
        out, updates = lib.theano.map(inner, sequences=seqs, non_sequences=nonseqs, go_backwards=backwards)
    elif form in ("reduce", "foldl", "foldr"):
        out, updates = getattr(lib.theano, form)(inner, sequences=seqs, outputs_info=init, non_sequences=nonseqs)
    else:
        info = init if init else None
        out, updates = lib.theano.scan(
            inner, sequences=seqs, outputs_info=info, non_sequences=nonseqs, n_steps=n_steps, go_backwards=backwards
        )
    return (out if isinstance(out, (list, tuple)) else [out]), updates


def _max_unpool2d(lib, pooled, x, ws):
    return lib.ops.max_unpool2d(pooled, x, tuple(ws))


def _inner_function(lib, *x, steps, results):
    arguments = [v.type() for v in x]
    return lib.theano.OpFromGraph(arguments, body(lib, steps, results, arguments))(*x)


OPERATIONS = {
    "cast": lambda lib, x, dtype: lib.T.cast(x, dtype),
    "scale": lambda lib, x, factor, shift: x * factor + shift,
    "power": lambda lib, x, exponent: x**exponent,
    "round": lambda lib, x, mode: lib.T.round(x, mode=mode),
    "clip": lambda lib, x, low, high: lib.T.clip(x, low, high),
    "leaky": lambda lib, x, alpha: lib.nnet.relu(x, alpha),
    "switch": lambda lib, c, x, y: lib.T.switch(c, x, y),
    "sum": _reduction("sum"),
    "mean": _reduction("mean"),
    "prod": _reduction("prod"),
    "max": _reduction("max"),
    "min": _reduction("min"),
    "argmax": _reduction("argmax"),
    "argmin": _reduction("argmin"),
    "var": _reduction("var"),
    "any": _reduction("any"),
    "all": _reduction("all"),
    "max_and_argmax": lambda lib, x, axis: lib.T.max_and_argmax(x, axis=axis),
    "norm": lambda lib, x, ord, axis: x.norm(ord, axis),
    "cumsum": lambda lib, x, axis: lib.extra_ops.cumsum(x, axis),
    "cumprod": lambda lib, x, axis: lib.extra_ops.cumprod(x, axis),
    "dimshuffle": lambda lib, x, pattern: x.dimshuffle(*pattern),
    "reshape": lambda lib, x, shape: x.reshape(tuple(shape)),
    "reshape_to": lambda lib, x, *sizes: x.reshape(sizes, ndim=len(sizes)),
    "flatten": lambda lib, x, ndim: x.flatten(ndim),
    "transpose": lambda lib, x, axes: x.transpose(*axes),
    "concatenate": lambda lib, *x, axis: lib.T.concatenate(list(x), axis=axis),
    "stack": lambda lib, *x, axis: lib.T.stack(list(x), axis=axis),
    "split": lambda lib, x, sizes, axis: lib.T.split(x, sizes, len(sizes), axis),
    "tile": lambda lib, x, reps: lib.T.tile(x, tuple(reps)),
    "repeat": lambda lib, x, n, axis: lib.T.repeat(x, n, axis),
    "repeat_each_by": lambda lib, x, n, axis: lib.T.repeat(x, n, axis),
    "roll": lambda lib, x, shift, axis: lib.T.roll(x, shift, axis),
    "triangle": lambda lib, x, k, upper: (lib.T.triu if upper else lib.T.tril)(x, k),
    "diagonal": lambda lib, x, offset: x.diagonal(offset),
    "shape": lambda lib, x: x.shape,
    "arange": lambda lib, n: lib.T.arange(n),
    "alloc": lambda lib, x, n, m: lib.T.alloc(x, n, m),
    "like": lambda lib, x, fill: lib.T.ones_like(x) * fill + lib.T.zeros_like(x),
    "tensordot": lambda lib, x, y, axes: lib.T.tensordot(x, y, axes),
    "read": lambda lib, x, *more, parts: x[index(lib, parts, more)],
    "mask": lambda lib, x, c: x[lib.T.neq(c, 0).nonzero()],
    "take": lambda lib, x, i, axis: lib.T.take(x, i, axis=axis),
    "choose": lambda lib, i, *x: lib.T.choose(i, lib.T.stack(list(x))),
    "write": _set_subtensor,
    "sort": lambda lib, x, axis: lib.T.sort(x, axis),
    "argsort": lambda lib, x, axis: lib.T.argsort(x, axis),
    "item": lambda lib, x, i: x[i],
    "likelihood": _one_hot_likelihood,
    "crossentropy_1hot": lambda lib, x, b, y: lib.nnet.crossentropy_softmax_argmax_1hot_with_bias(x, b, y),
    "crossentropy_max": lambda lib, x, b, y: lib.nnet.crossentropy_softmax_max_and_argmax_1hot_with_bias(x, b, y),
    "to_one_hot": lambda lib, y, n: lib.extra_ops.to_one_hot(y, n),
    "batch_normalization": _batch_normalization,
    "inverse_of_shifted": lambda lib, x, shift: lib.nlinalg.matrix_inverse(lib.T.dot(x, x.T) + shift * lib.T.eye(x.shape[0])),
    "conv2d": _conv2d,
    "deconv2d": _deconv2d,
    "pool2d": _pool2d,
    "max_unpool2d": _max_unpool2d,
    "upsample2d": lambda lib, x, factor, mode: lib.ops.upsample2d(x, tuple(factor), mode),
    "rectified": lambda lib, x, b: lib.ops.rectified(x, b),
    "images2neibs": lambda lib, x, shape, step, mode: lib.neighbours.images2neibs(x, tuple(shape), step and tuple(step), mode),
    "draw": _draw,
    "scan": _scan,
    "ifelse": lambda lib, c, x, y: lib.ifelse.ifelse(c, x, y),
    "inner_function": _inner_function,
    "sp_sum": lambda lib, x, axis: lib.sparse.sp_sum(x, axis),
    "sparse_rows": lambda lib, x, start, stop: x[start:stop],
    "sparse_entry": lambda lib, x, i, j: x[i, j],
    "sparse_structured": lambda lib, x, name: getattr(lib.sparse, "structured_" + name)(x),
    "sparse_stack": lambda lib, *x, name: getattr(lib.sparse, name)(list(x), format="csr", dtype="float64"),
}
