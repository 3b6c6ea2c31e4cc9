"""Programs become graphs, graphs functions, functions outcomes. Runs under real Theano on Python 3.8 too.

A program is data: ``leaves`` (typed values), ``steps`` (an operation of `vocabulary`, the places of its operands among leaves
and steps, its settings), ``results`` (places), perhaps ``gradient`` (the leaves to differentiate by) and ``update`` (the shared
leaf that makes a step down that gradient). Its outcome is what two calls give, or which kind of exception is raised.
"""

import warnings

import numpy as np

from random_graphs.vocabulary import Absent, Library, apply

CALLS = 2


def _value(leaf):
    value = np.array(leaf["values"], dtype=float if leaf["dtype"].startswith("float") else None)
    value = value.astype(leaf["dtype"]).reshape(leaf["shape"])
    if "sparse" in leaf:
        import scipy.sparse

        return scipy.sparse.csr_matrix(value) if leaf["sparse"] == "csr" else scipy.sparse.csc_matrix(value)
    return value


class Graph:
    """The variables of a program: `inputs` with their `values`, `outputs` and `updates`."""

    def __init__(self, lib, program):
        self.inputs, self.values, self.outputs, self.updates, self.shared = [], [], [], [], []
        lib.streams = {}
        variables = [self._leaf(lib, leaf, "p%s_%d" % (program["seed"], i)) for i, leaf in enumerate(program["leaves"])]
        leaves = list(variables)
        for step in program["steps"]:
            made = apply(lib, step["op"], [variables[i] for i in step["in"]], step.get("args", {}))
            if step["op"] == "scan":
                made, updates = made
                if not step.get("drop_updates"):
                    self.updates += list(updates.items())
            variables.append(made)
        for place in program["results"]:
            made = variables[place]
            self.outputs += list(made) if isinstance(made, (list, tuple)) else [made]
        if program.get("gradient"):
            self._differentiate(lib, [leaves[i] for i in program["gradient"]], leaves, program.get("update"))

    def _leaf(self, lib, leaf, name):
        value = _value(leaf)
        if leaf["kind"] == "constant":
            return lib.T.constant(value)
        if leaf["kind"] == "shared":
            return self._kept(lib.theano.shared(value, name=name), value)
        if "sparse" in leaf:
            variable = (
                lib.sparse.csr_matrix(name, dtype=leaf["dtype"])
                if leaf["sparse"] == "csr"
                else lib.sparse.csc_matrix(name, dtype=leaf["dtype"])
            )
        else:
            variable = lib.T.TensorType(leaf["dtype"], [bool(b) for b in leaf["broadcastable"]])(name)
        self.inputs.append(variable)
        self.values.append(value)
        return variable

    def _kept(self, variable, value):
        self.shared.append((variable, value))
        return variable

    def _differentiate(self, lib, wrt, leaves, update):
        floatX = lib.theano.config.floatX
        dense = [
            lib.sparse.dense_from_sparse(v) if not hasattr(v, "ndim") or not hasattr(v.type, "broadcastable") else v
            for v in self.outputs
        ]
        floats = [lib.T.cast(v, floatX) for v in dense if v.dtype.startswith("float")]
        cost = sum([(v * v + v).sum() for v in floats[1:]], (floats[0] * floats[0] + floats[0]).sum())
        gradients = lib.theano.grad(cost, wrt, disconnected_inputs="ignore")
        self.outputs += gradients
        if update is not None:
            p = leaves[update]
            step = lib.T.cast(gradients[wrt.index(p)], p.dtype)
            self.updates.append((p, p - lib.T.cast(0.125, p.dtype) * step))


def in_single_precision(program):
    """Return the program with float32 for float64."""

    def changed(thing):
        if isinstance(thing, dict):
            return {key: changed(value) for key, value in thing.items()}
        if isinstance(thing, list):
            return [changed(value) for value in thing]
        return "float32" if thing == "float64" else thing

    return changed(program)


def family(error):
    """Return the kinds of an exception, as far as one of them has to be the same everywhere."""
    kinds = (Absent, NotImplementedError, IndexError, TypeError, np.linalg.LinAlgError, ValueError, AssertionError)
    return " or ".join(base.__name__ for base in kinds if isinstance(error, base)) or type(error).__name__


def called(function, graphs):
    """Return what each of `graphs`, all outputs of one compiled function, gives in each call."""
    values = [value for graph in graphs for value in graph.values]
    calls = []
    for _ in range(CALLS):
        results = function(*values)
        # what a backend hands out may be changed by the next call
        calls.append([np.array(r.toarray() if hasattr(r, "toarray") else r) for r in results])
    outcomes, start = [], 0
    for graph in graphs:
        stop = start + len(graph.outputs)
        outcomes.append([results[start:stop] for results in calls])
        start = stop
    return outcomes


def compiled(lib, graphs, mode):
    return lib.theano.function(
        [v for g in graphs for v in g.inputs],
        [v for g in graphs for v in g.outputs],
        updates=[u for g in graphs for u in g.updates],
        mode=mode,
        on_unused_input="ignore",
    )


def alone(lib, program, mode):
    """Return the outcome of one program: ("values", calls) or ("raises", family, stage, message)."""
    stage = "build"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = Graph(lib, program)
            stage = "compile"
            function = compiled(lib, [graph], mode)
            stage = "call"
            return ("values", called(function, [graph])[0])
        except Exception as error:  # whatever it is, it is the outcome
            return ("raises", family(error), stage, f"{type(error).__name__}: {str(error)[:500]}")


def together(lib, programs, mode):
    """Outcomes of many programs, compiled as few functions as go through: halves where something raises."""
    if len(programs) == 1:
        return [alone(lib, programs[0], mode)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graphs = [Graph(lib, program) for program in programs]
            return [("values", calls) for calls in called(compiled(lib, graphs, mode), graphs)]
        except Exception:
            half = len(programs) // 2
    return together(lib, programs[:half], mode) + together(lib, programs[half:], mode)


def library(name):
    return Library(name)


def recorded(outcome):
    """Return an outcome as data for JSON."""
    if outcome[0] == "raises":
        return [*list(outcome[:3]), outcome[3][:200]]
    calls = [[[str(r.dtype), list(r.shape), _rounded(r)] for r in results] for results in outcome[1]]
    return ["values", calls if calls[1] != calls[0] else calls[:1]]


def _rounded(r):
    return [float(f"{v:.12g}") for v in r.ravel().tolist()] if r.dtype.kind == "f" else r.ravel().tolist()


def read(data):
    """Return an outcome from its data."""
    if data[0] == "raises":
        return tuple(data)
    calls = [[np.array(values, dtype).reshape(shape) for dtype, shape, values in results] for results in data[1]]
    return ("values", calls * (CALLS if len(calls) == 1 else 1))
