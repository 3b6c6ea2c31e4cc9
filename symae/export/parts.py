"""Which graph is exported: the encoder of a model, its decoder, the whole, or expressions of one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors, graph_inputs, io_toposort
from pytensor.tensor.elemwise import DimShuffle

from symae.errors import InputError
from symae.export import arrays as _arrays
from symae.export import elementwise as _elementwise
from symae.export import images as _images
from symae.export import indexing as _indexing
from symae.export.conversion import Conversion, retyped, shared_arrays
from symae.export.graph import Graph
from symae.export.layers import make_layers
from symae.export.names import give_names
from symae.keras.model import Model as KerasModel
from symae.models.base import Model
from symae.nn.layers import layers_of
from symae.nn.phases import deterministic, running_updates
from symae.ops.pooling.pool import MaxPool

PARTS = ("encoder", "decoder", "whole")
FLOATS = ("float32", "float64")
CONVERTERS = (_arrays, _elementwise, _images, _indexing)  # imported so that they register what they convert


@dataclass(frozen=True, eq=False)
class Part:
    """Hold a graph that is to be exported.

    Attributes
    ----------
    name : str
        "encoder", "decoder", "whole" or "graph".
    inputs, outputs : dict of str to symbolic variable
    nodes : dict of str to symbolic variable
        What people know by a name on the way.
    parameters : dict of str to shared variable
    state : frozenset of str
        Which of these are no parameters that training changes by gradients: running averages.
    of : str
        What it is part of, for people: the model's class.
    facts : dict of str to text
        What else there is to say of it.
    """

    name: str
    inputs: dict[str, Variable]
    outputs: dict[str, Variable]
    nodes: dict[str, Variable] = field(default_factory=dict)
    parameters: dict[str, Variable] = field(default_factory=dict)
    state: frozenset[str] = frozenset()
    of: str = "graph"
    facts: dict[str, str] = field(default_factory=dict)


def part_of(what: Any, part: str = "whole", inputs: Sequence[Variable] | Mapping[str, Variable] | None = None) -> Part:
    """Return the graph to export.

    `what`, `part` and `inputs` are as in `symae.export.export_onnx`.

    Raises
    ------
    InputError
        There is no such part, or something else is not as there.
    """
    if part not in PARTS:
        raise InputError("part", repr(part), f"one of {', '.join(PARTS)}")
    if isinstance(what, Model | KerasModel):
        if inputs is not None:
            raise InputError("inputs", "inputs beside a model", "none: the model has its own; or expressions in its place")
        return _of_model(what, part) if isinstance(what, Model) else _of_keras(what, part)
    if part != "whole":
        raise InputError("part", repr(part), "'whole', of expressions")
    return _of_expressions(what, inputs)


def _of_model(model: Model, part: str) -> Part:
    known = model.describe()
    kind = type(model).__name__
    x = model.x
    nodes = {name: v for name, v in known.nodes.items() if v is not x}
    nodes = dict(zip(nodes, deterministic(list(nodes.values())), strict=True))
    # rows of pixels that the input is not declared with
    wide = x
    if x.owner is None and x.type.ndim == 2 and x.type.shape[1] is None and known.pixels is not None:
        wide = pt.tensor(x.name, dtype=x.type.dtype, shape=(x.type.shape[0], known.pixels))
    become = retyped({x: wide}, list(nodes.values()))
    nodes = {name: become.get(v, v) for name, v in nodes.items()}
    for layer, v in layers_of([wide], list(nodes.values())):
        nodes.setdefault(layer.name, v)
    code = None if known.code is None else nodes.get(known.code)
    output = None if known.output is None else nodes.get(known.output)
    averages = {str(v.name): v for v in model.state}
    parameters = dict(zip(model.parameter_names, model.params, strict=True)) | averages
    facts = {"symae_model": kind, "configuration": json.dumps(model.configuration())} if _is_known(model) else {}
    common: dict[str, Any] = {"parameters": parameters, "state": frozenset(averages), "of": kind, "facts": facts}
    given = {_name_of(x, "input"): wide}
    if part == "whole":
        drawn, name = (code, known.code) if output is None else (output, known.output)
        if drawn is None or name is None:
            raise InputError(kind, "no code and no output in its description", "a model that names them")
        return Part(part, given, {name: drawn}, nodes, **common)
    if code is None or known.code is None:
        raise InputError("part", repr(part), f"'whole': a {kind} names no code")
    between = {} if output is None else _between(wide, output, known.code, nodes)
    if part == "encoder":
        return Part(part, given, {known.code: code, **between}, nodes, **common)
    if output is None or known.output is None:
        raise InputError("part", repr(part), f"'encoder' or 'whole': a {kind} draws nothing")
    taken = {known.code: code, **between}
    of_decoder = {name: v for name, v in nodes.items() if name not in taken and set(ancestors([v])) & set(taken.values())}
    return Part(part, taken, {known.output: output}, of_decoder, **common)


def _is_known(model: Model) -> bool:
    """Return True unless a class of somebody's own has no configuration."""
    return type(model).configuration is not Model.configuration


def _between(x: Variable, output: Variable, code: str, nodes: Mapping[str, Variable]) -> dict[str, Variable]:
    """Return what a decoder needs beside the code: other nodes, such as a pose, and where maxima were."""
    from_x = {v for v in ancestors([output]) if x in set(ancestors([v]))}
    named = {v: name for name, v in nodes.items() if name != code and v is not output and code not in _above(v, nodes)}
    # symae's unpooling finds the maxima again: these are nodes beside those of the layers that have pooled
    pooled = {(v.owner.op, v.owner.inputs[0]): name for name, v in nodes.items() if v.owner and isinstance(v.owner.op, MaxPool)}
    found: dict[str, Variable] = {}

    def look(v: Variable) -> None:
        if v not in from_x or v is nodes[code] or v in found.values():
            return
        if v.owner is not None and isinstance(v.owner.op, MaxPool) and v.owner.outputs[1] is v:
            found[f"{pooled.get((v.owner.op, v.owner.inputs[0]), 'maxima')}_switches"] = v
        elif v in named:
            found[named[v]] = v
        elif v.owner is None:
            raise InputError("part", "a decoder that sees the input itself", "'whole'")
        else:
            for below in v.owner.inputs:
                look(below)

    look(output)
    return found


def _above(v: Variable, nodes: Mapping[str, Variable]) -> set[str]:
    """Return the names of the nodes that `v` depends on."""
    on = set(ancestors([v])) - {v}
    return {name for name, node in nodes.items() if node in on}


def _of_keras(model: KerasModel, part: str) -> Part:
    if part != "whole":
        raise InputError("part", repr(part), "'whole': Model(x, code) and Model(code, drawn) are the two parts")
    learned = deterministic(model.outputs, model.inputs)
    nodes = {str(v.name): v for _, v in layers_of(model.inputs, learned)}
    inputs = {_name_of(v, "input"): v for v in model.inputs}
    outputs = dict(zip(_named(model.outputs, "output"), learned, strict=True))
    parameters = {str(v.name): v for v in model.weights}
    averages = frozenset(name for name, v in parameters.items() if v not in model.params)
    return Part("whole", inputs, outputs, nodes, parameters, averages, "keras.Model")


def _of_expressions(what: Any, inputs: Sequence[Variable] | Mapping[str, Variable] | None) -> Part:
    expected = "a model of symae.models or symae.keras, an expression, a list of them, or a dict of them by name"
    if isinstance(what, Variable):
        what = [what]
    if not isinstance(what, Mapping | Sequence) or isinstance(what, str) or not what:
        raise InputError("what to export", f"a {type(what).__name__}", expected)
    outputs = dict(what) if isinstance(what, Mapping) else _named(what, "output")
    for v in outputs.values():
        if not isinstance(v, Variable):
            raise InputError("what to export", f"a {type(v).__name__}", expected)
    if inputs is None:
        free = graph_inputs(list(outputs.values()))
        inputs = [v for v in dict.fromkeys(free) if not isinstance(v, Constant | SharedVariable)]
    given = dict(inputs) if isinstance(inputs, Mapping) else _named(inputs, "input")
    for v in given.values():
        if not isinstance(v, Variable) or isinstance(v, Constant | SharedVariable):
            raise InputError("inputs", f"a {type(v).__name__}", "symbolic variables")
    averages = [v for v, _ in running_updates(list(outputs.values()))]
    outputs = dict(zip(outputs, deterministic(list(outputs.values()), list(given.values())), strict=True))
    on_the_way = [v for v in ancestors(list(outputs.values()), blockers=list(given.values())) if v.name]
    nodes: dict[str, Variable] = {}
    for v in on_the_way:
        if v.owner is not None and v not in given.values():
            nodes.setdefault(str(v.name), v)
    shared = shared_arrays(list(outputs.values()), list(given.values()))
    parameters = _named(list(shared), "parameter")
    state = frozenset(name for name, v in parameters.items() if v in averages)
    return Part("graph", given, outputs, nodes, parameters, state)


def _named(variables: Sequence[Variable], otherwise: str) -> dict[str, Variable]:
    """Return variables by their names; those without one, or with another's, get numbers."""
    found: dict[str, Variable] = {}
    for v in variables:
        name = _name_of(v, otherwise)
        number = 1
        while name in found:
            number += 1
            name = f"{_name_of(v, otherwise)}_{number}"
        found[name] = v
    return found


def _name_of(v: Variable, otherwise: str) -> str:
    return str(v.name) if getattr(v, "name", None) else otherwise


def converted(part: Part, floatX: str = "float32", of_parameters: bool = False) -> Graph:
    """Convert a graph; every float of it becomes `floatX`.

    With `of_parameters` what depends on parameters alone, such as their transposes, is computed now and is a parameter itself.

    Raises
    ------
    InputError
        It has an op without counterpart, or depends on something that is not listed; says where.
    """
    if floatX not in FLOATS:
        raise InputError("floatX", repr(floatX), " or ".join(FLOATS))
    to = Conversion(floatX)
    inputs, outputs = list(part.inputs.values()), list(part.outputs.values())
    names = {v: name for name, v in part.parameters.items()}
    # of the states of random streams their draws will tell
    found = {v: array for v, array in shared_arrays(outputs, inputs).items() if array.ndim == v.type.ndim}
    shared = {v: found[v] for v in [*(v for v in names if v in found), *(v for v in found if v not in names)]}
    # parameters are arrays of a known shape, which variables of them need not know
    known: dict[Variable, Variable] = {
        v: pt.tensor(names.get(v, v.name), dtype=v.type.dtype, shape=array.shape) for v, array in shared.items()
    }
    become = retyped(known, outputs, list(part.nodes.values()))
    # what is an input here may be computed elsewhere, and may itself depend on parameters: it is still where others begin
    given = [become.get(v, v) for v in inputs]
    for v, name in zip(given, part.inputs, strict=True):
        to.input(v, name)
    for v, array in shared.items():
        to.parameter(known[v], np.asarray(array), names.get(v) or str(v.name or "parameter"))
    begin = [*given, *known.values()]
    if of_parameters:
        begin += _computed_now(to, given, known, shared, [become.get(v, v) for v in outputs])
    goals = {become.get(v, v): name for name, v in {**part.nodes, **part.outputs}.items()}
    to.run(begin, [become.get(v, v) for v in outputs], goals)
    graph = to.graph
    for name, value in zip(part.outputs, graph.outputs, strict=True):
        graph.wanted[value] = graph.wanted.get(value, name)
    _copy_what_is_given(graph, list(part.outputs))
    make_layers(graph)
    give_names(graph)
    return graph


def _computed_now(
    to: Conversion,
    given: Sequence[Variable],
    known: Mapping[Variable, Variable],
    shared: Mapping[Any, np.ndarray],
    outputs: Sequence[Variable],
) -> list[Variable]:
    """Let the last of what depends on parameters and not on inputs be parameters, with the values that they have now."""
    of_input, of_parameters = set(given), set(known.values())
    last: dict[Variable, None] = {}
    for node in io_toposort([*given, *known.values()], list(outputs)):
        depends = any(v in of_input for v in node.inputs)
        if depends:
            of_input |= set(node.outputs)
        elif any(v in of_parameters for v in node.inputs):
            of_parameters |= set(node.outputs)
        if depends:
            last |= {_viewed(v): None for v in node.inputs if v in of_parameters}
    last |= {_viewed(v): None for v in outputs if v in of_parameters}
    last = {v: None for v in last if v.owner is not None}
    if not last:
        return []
    compute = pytensor.function(list(known.values()), list(last), mode="FAST_COMPILE", on_unused_input="ignore")
    for v, array in zip(last, compute(*(shared[w] for w in known)), strict=True):
        to.parameter(v, np.asarray(array), str(v.name or _of_whom(v, known)))
    return list(last)


def _viewed(v: Variable) -> Variable:
    """Return what `v` has with other axes of length one at most: a bias stays a vector."""
    while v.owner is not None and isinstance(v.owner.op, DimShuffle) and not v.owner.op.is_transpose:
        v = v.owner.inputs[0]
    return v


def _of_whom(v: Variable, known: Mapping[Variable, Variable]) -> str:
    """Return a name for what is computed of parameters: the first one's."""
    return next((f"{p.name}_computed" for p in known.values() if p in set(ancestors([v]))), "computed")


def _copy_what_is_given(graph: Graph, names: Sequence[str]) -> None:
    """Let results be values of their own: an input that is a result too, or one that is asked for twice, is copied."""
    seen: set[str] = set()
    for i, value in enumerate(graph.outputs):
        if value in seen or value in graph.inputs or graph.array(value) is not None:
            copy = graph.add("Identity", value)
            if value in graph.values:
                graph.values[copy] = graph.values[value]
            graph.outputs[i] = copy
            graph.wanted[copy] = names[i]
        seen.add(graph.outputs[i])
