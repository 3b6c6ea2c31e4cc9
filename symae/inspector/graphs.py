"""The graphs of a model before and after rewriting, as nodes to draw, and what each node costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor
from pytensor.compile.mode import Mode
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import io_toposort
from pytensor.link.vm import VMLinker
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from symae.compile import function, mode_for
from symae.compile.backends import BY_NAME, DEFAULT
from symae.errors import InputError
from symae.inspector.array_sizes import array_words, as_run, as_written, with_own_values
from symae.inspector.functions import COMPILING
from symae.inspector.graph_layout import layered
from symae.inspector.graph_model import GraphModel
from symae.inspector.layout import image_layout
from symae.inspector.subject import Subject, title_of
from symae.inspector.svg import GraphNode, graph_svg
from symae.models.description import ModelDescription

STAGES = ("before", "after")
# A graph is shown as it is rewritten for what compiles ahead; nodes that are machine code of their own can be timed.
REWRITTEN_FOR = tuple(name for name, backend in BY_NAME.items() if backend.compiles_ahead)
TIMED = tuple(name for name in REWRITTEN_FOR if not BY_NAME[name].one_program)
CALLS = 5  # of a profiled function
MINIBATCH = 20  # images in each
COUNTS = (2, 3)  # of images, by which sizes that are theirs are known from others


@dataclass
class Graph:
    """Hold a graph to draw."""

    title: str
    nodes: list[GraphNode]  # sources come before what they lead to
    note: str = ""  # how its costs were measured, where they were

    @property
    def operations(self) -> int:
        return sum(node.kind == "operation" for node in self.nodes)

    def svg(self, *, styled: bool = True) -> str:
        """Draw the graph, without Graphviz; with `styled` it has colours."""
        places = layered([(n.label, n.kind, n.sources) for n in self.nodes], [n.arrays for n in self.nodes])
        return graph_svg(self.title, self.nodes, places, styled=styled)

    def _repr_html_(self) -> str:
        return f'<div style="max-height: 40rem; overflow: auto">{self.svg()}</div>'


class ModelGraphs:
    """Draw what is compiled of a model from a copy of it, so that measuring a training step changes nothing.

    `names` are ``reconstruction`` and ``code`` where there are, and ``training step``.
    """

    def __init__(self, model: Subject):
        self.model = model
        described = model.describe()
        self.names = [*_expressions(described), *([] if described.training_step is None else ["training step"])]

    def graph(self, name: str, stage: str = "after", *, backend: str | None = None, profile: bool = False) -> Graph:
        """Return the graph `name`, as written (``before``) or as rewritten for a backend (``after``), or raise InputError.

        With `profile` it is run, and what each node costs is noted, by default in machine code of the C++ compiler, where there
        is one. The other backends make one program of the whole graph, in which nodes cannot be timed; so for them each node is
        run by its NumPy definition, and element-wise operations are not fused, which NumPy could not do.
        """
        if name not in self.names:
            raise InputError("graph", repr(name), f"one of {', '.join(self.names)}")
        if stage not in STAGES:
            raise InputError("stage", repr(stage), f"one of {', '.join(STAGES)}")
        if profile and stage == "before":
            raise InputError("--profile", "the graph before rewriting", "the one after it, which is run")
        copy, described = _copied(self.model)
        outputs: list[Variable]
        updates: list[tuple[Any, Variable]] = []
        if name == "training step" and described.training_step is not None:
            cost, changes = described.training_step()
            outputs, updates = [cost], list(dict(changes).items())
        else:
            outputs = _expressions(described)[name]
        inputs = [copy.x, *getattr(copy, "targets", ())]
        if isinstance(copy, GraphModel):  # somebody may be training it right now
            outputs, updates = with_own_values(outputs, updates)
        words = f"{title_of(copy)}, {name}"
        if stage == "before":
            results = [*outputs, *(new for _, new in updates)]
            order = io_toposort(inputs, results)
            sizes = as_written(inputs, order, _probes(copy, described))
            nodes = collect(order, results, inputs, [v for v, _ in updates], name, sizes=sizes)
            return Graph(f"{words}, as written", nodes)
        known = backend or next((n for n in TIMED if profile and BY_NAME[n].missing() is None), DEFAULT)
        compiled = _compiled(inputs, outputs, updates, known, profile)
        title = f"{words}, as rewritten for {known}"
        fgraph = compiled.maker.fgraph
        sizes = {} if profile else as_run(compiled, _probes(copy, described))
        costs: dict[Any, float] = {}
        note = ""
        if profile:
            probe = _probe(copy, described, MINIBATCH)
            if probe is None:
                raise InputError("--profile", "a graph whose input is of unknown size", "image_shape, or images")
            compiled(*probe)
            sizes = as_run(compiled, [])
            vm = compiled.vm
            vm.time_thunks = True
            started = time.perf_counter()
            for _ in range(CALLS):
                compiled(*probe)
            whole = (time.perf_counter() - started) / CALLS
            costs = {node: seconds / CALLS for node, seconds in zip(vm.nodes, vm.call_times, strict=True)}
            how = (
                "each node in machine code"
                if known in TIMED
                else (
                    f"each node by itself in NumPy and not fused, because {known} makes one program of all, in which they "
                    f"cannot be timed; rewritten for {' or '.join(TIMED)}, they can"
                )
            )
            numbers = f"in {pytensor.config.floatX}"
            note = f"Mean of {CALLS} calls with {MINIBATCH} images, {1000 * whole:.2f} ms each, {numbers}: {how}."
        free = [v for v, given in zip(fgraph.inputs, compiled.maker.inputs, strict=True) if not given.implicit]
        nodes = collect(fgraph.toposort(), fgraph.outputs, free, [v for v, _ in updates], name, costs, sizes)
        return Graph(title, nodes, note)


def _copied(model: Subject) -> tuple[Subject, ModelDescription]:
    """Return a model of the same values, and what it says of itself; a graph stays the one that it is."""
    if isinstance(model, GraphModel):
        return model, model.describe()
    copy = type(model).from_configuration(model.configuration())  # type: ignore[attr-defined]
    copy.set_parameters(model.parameters())
    return copy, copy.describe()


def _probe(model: Subject, described: ModelDescription, count: int) -> list[np.ndarray] | None:
    """Return so many images, and what else a training step takes; None where their size is not known."""
    if isinstance(model, GraphModel):
        return model.probe(count)
    images = np.random.RandomState(0).uniform(size=(count, image_layout(described).size))
    return [model.checked_input("images", images)]


def _probes(model: Subject, described: ModelDescription) -> list[list[np.ndarray]]:
    """Return images of two counts, which show which sizes are theirs."""
    return [probe for count in COUNTS if (probe := _probe(model, described, count)) is not None]


def _expressions(model: ModelDescription) -> dict[str, list[Variable]]:
    """Return the outputs of the graphs that are drawn of a model, apart from its training step, by name."""
    if model.graphs is not None:
        return {name: list(outputs) for name, outputs in model.graphs.items()}
    if model.drawn_from is not None:
        code, output = model.drawn_from
        return {"reconstruction": [model.nodes[output]], "code": [model.nodes[code]]}
    return {name: [variable] for name, variable in list(model.nodes.items())[1:]}


def _compiled(
    inputs: Sequence[Variable],
    outputs: Sequence[Variable],
    updates: Sequence[tuple[Any, Variable]],
    backend: str,
    profile: bool,
) -> Any:
    """Compile with the rewrites of a backend, but run node by node: by NumPy, without a compiler, or to measure C by C."""
    given = mode_for(backend)
    # of a backend's rewrites some come with its linker, which is not the one that runs this function
    query = given.provided_optimizer.including(*given.linker.required_rewrites).excluding(*given.linker.incompatible_rewrites)
    timed = profile and backend in TIMED
    if profile and not timed:
        query = query.excluding("fusion")
    mode = Mode(VMLinker(use_cloop=False, c_thunks=timed, allow_gc=False), query)
    with COMPILING:
        return function(list(inputs), list(outputs), mode=mode, updates=list(updates), on_unused_input="ignore")


def collect(
    order: Sequence[Any],
    outputs: Sequence[Variable],
    free: Sequence[Variable],
    updated: Sequence[Variable],
    name: str,
    costs: Mapping[Any, float] | None = None,
    sizes: Mapping[Variable, str] | None = None,
) -> list[GraphNode]:
    """Collect the boxes of a graph: its operations in their order, a box for each use of an input, and one for each output.

    Inputs and parameters stand beside what uses them, again for each use: one box each would draw lines through everything.
    Constants are no boxes; the operations list them.

    `order` has each node after those whose results it takes; the last of `outputs` are the new values of `updated`. Variables
    that nothing computes are parameters, unless they are `free`. The first output is called `name`, or cost where there are
    updates. `sizes` are those of variables in words, where they are known.
    """
    known = sizes or {}
    nodes: list[GraphNode] = []
    place: dict[Variable, int] = {}
    for apply in order:
        sources: dict[int, list[str]] = {}
        constants = []
        for variable in apply.inputs:
            if isinstance(variable, Constant):
                constants.append(_constant(variable))
                continue
            if variable.owner is None:
                kind = "input" if variable in free else "parameter"
                nodes.append(GraphNode(kind, variable.name or kind, [array_words(variable, known), str(variable.type)]))
                source = len(nodes) - 1
            else:
                source = place[variable]
            sources.setdefault(source, []).append(array_words(variable, known))
        label = _label(apply.op)
        named = [v.name for v in apply.outputs if v.name and v.name != label]
        made = [f"makes {array_words(v, known)}" for v in apply.outputs]
        details = [str(apply.op), *made, *(f"constant {c}" for c in constants)]
        words = f"{label} → {named[0]}" if named else label
        arrays = [", ".join(dict.fromkeys(texts)) for texts in sources.values()]
        node = GraphNode("operation", words, details, list(sources), arrays=arrays)
        node.seconds = None if costs is None else costs.get(apply)
        nodes.append(node)
        place.update(dict.fromkeys(apply.outputs, len(nodes) - 1))
    first_update = len(outputs) - len(updated)
    for i, variable in enumerate(outputs):
        result = "cost" if updated else name
        label = f"new {updated[i - first_update].name or 'state'}" if i >= first_update else result
        array = array_words(variable, known)
        if variable in place:
            nodes.append(GraphNode("output", label, [array], [place[variable]], arrays=[array]))
        else:
            nodes.append(GraphNode("output", label, [array, "as it came in"]))
    return nodes


def _label(op: Any) -> str:
    """Return an op in one or two words."""
    if isinstance(op, Elemwise):
        scalar = op.scalar_op
        inner = getattr(scalar, "inner_fgraph", None) or getattr(scalar, "fgraph", None)
        if inner is not None:
            words = [_scalar_name(node.op) for node in inner.toposort()]
            shown = ", ".join(dict.fromkeys(words))
            return f"fused: {shown if len(shown) <= 30 else shown[:29] + '…'}"
        return _scalar_name(scalar)
    if isinstance(op, DimShuffle):
        return "transpose" if getattr(op, "is_transpose", False) else "dimshuffle"
    text = str(op)
    name = text.split("{")[0].split("(")[0] or type(op).__name__
    return name if len(name) <= 28 else name[:27] + "…"


def _scalar_name(op: Any) -> str:
    return str(getattr(op, "name", None) or type(op).__name__).lower()


def _constant(variable: Constant) -> str:
    data = np.asarray(variable.data) if not isinstance(variable.data, slice) else None
    if data is not None and data.size == 1 and data.dtype.kind in "biuf":
        return f"{data.reshape(-1)[0]:g}"
    return variable.name or str(variable.type)
