"""What counts up the minibatches and draws random numbers, computed before PyTorch's program is entered.

A slice whose place is known only at run time, ``data[i * 20 : (i + 1) * 20]``, ends what ``torch.compile`` can make one program
of, and so does a draw, which NumPy makes: what is before and what is after would be programs of their own, each entered and
left at every call. `split` takes them out, with the whole numbers that they are made of. Here these are Python's integers, for
some microseconds; the program gets tensors. All values are NumPy's: integers wrap around, and a slice that reaches over the
end is shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.scalar import basic as scalar
from pytensor.tensor.basic import ScalarFromTensor, TensorFromScalar
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.shape import Shape_i
from pytensor.tensor.subtensor import Subtensor, indices_from_subtensor
from pytensor.tensor.type import TensorType

from symae.ops.arguments import FIRST_SIZE
from symae.ops.random.draws import Draw

# of functions of whole numbers, what they are in Python; those of the first kind can leave the range of their dtype
_ARITHMETIC: dict[type, str] = {scalar.Add: " + ", scalar.Mul: " * ", scalar.Sub: " - "}
_OTHERS: dict[type, str] = {
    scalar.LT: "{0} < {1}",
    scalar.GT: "{0} > {1}",
    scalar.LE: "{0} <= {1}",
    scalar.GE: "{0} >= {1}",
    scalar.EQ: "{0} == {1}",
    scalar.NEQ: "{0} != {1}",
    scalar.Switch: "{1} if {0} else {2}",
    scalar.Maximum: "max({0}, {1})",
    scalar.Minimum: "min({0}, {1})",
    scalar.Identity: "{0}",
}


class Split(NamedTuple):
    """Hold a graph in two parts."""

    prologue: Callable[..., Sequence[Any]]  # the graph's inputs -> what was computed, one value for each of `made`
    numbers: frozenset[int]  # which inputs `prologue` takes as Python's integers; the others are tensors
    made: tuple[Variable, ...]
    program: FunctionGraph  # takes `given`, gives those outputs of the graph that are not among `made`
    given: tuple[Variable, ...]  # inputs of the graph, and some of `made`
    sizes: tuple[Variable, ...]  # those of `given` that it takes once more behind them, as Python's integers


def split(
    fgraph: FunctionGraph, convert: Callable[[Apply], Callable[..., Any]], constant: Callable[[np.ndarray], Any]
) -> Split | None:
    """Return the two parts of a graph; None if there is nothing to be computed before.

    `convert` makes a function of a draw, and `constant` of an array what is sliced.
    """
    lines = _lines(fgraph)
    wanted = {node for node in lines if isinstance(node.op, Subtensor | Draw)}
    if not wanted:
        return None
    taken = wanted | _counting(fgraph, lines)
    pending = list(taken)
    while pending:
        for v in pending.pop().inputs:
            if v.owner is not None and v.owner not in taken:
                taken.add(v.owner)
                pending.append(v.owner)
    # what the rest of the graph reads, or the caller gets
    rest = [node for node in fgraph.toposort() if node not in taken]
    read = {v for node in rest for v in node.inputs} | set(fgraph.outputs)
    made = tuple(v for node in fgraph.toposort() if node in taken for v in node.outputs if v in read)
    of_program = [v for v in fgraph.outputs if v not in made]
    needed = {v for node in rest for v in node.inputs} | set(of_program)
    given = tuple(v for v in (*fgraph.inputs, *made) if v in needed)
    program = FunctionGraph(list(given), of_program, clone=True)
    sizes = _sizes_apart(program, given)
    numbers = frozenset(i for i, v in enumerate(fgraph.inputs) if _is_number(v))
    prologue = _compiled(fgraph, [line for node, line in lines.items() if node in taken], made, convert, constant)
    return Split(prologue, numbers, made, program, given, sizes)


class _Line(NamedTuple):
    node: Apply
    expression: str  # with the names of variables, which `_compiled` gives, in braces
    variables: tuple[Variable, ...]


def _sizes_apart(program: FunctionGraph, given: Sequence[Variable]) -> tuple[Variable, ...]:
    """Let ops take sizes from inputs of their own, which the program gets behind the others; return which of `given`.

    Where a size is made of a tensor, what ``torch.compile`` makes one program of ends.
    """
    sizes = []
    for v, variable in zip(given, list(program.inputs), strict=True):
        clients = [(node, i) for node, i in program.clients[variable] if i >= FIRST_SIZE.get(type(node.op), i + 1)]
        if clients and _is_number(v):
            number = variable.type()
            program.add_input(number)
            for node, i in clients:
                program.change_node_input(node, i, number)
            sizes.append(v)
    return tuple(sizes)


def _lines(fgraph: FunctionGraph) -> dict[Apply, _Line]:
    """Return the nodes that can be computed before, in order."""
    known = {v for v in fgraph.inputs if isinstance(v.type, TensorType)}
    lines: dict[Apply, _Line] = {}
    for node in fgraph.toposort():
        if all(v in known or isinstance(v, Constant) for v in node.inputs):
            expression = _expression(node)
            if expression is not None:
                lines[node] = _Line(node, expression, tuple(node.inputs))
                known.update(node.outputs)
    return lines


def _is_number(v: Variable) -> bool:
    dtype = getattr(v.type, "dtype", "")
    return getattr(v.type, "ndim", None) == 0 and (dtype == "bool" or dtype.startswith(("int", "uint")))


def _expression(node: Apply) -> str | None:
    """Return a node as an expression of Python, with its inputs as {0}, {1}, …; None if there is none."""
    op = node.op
    if isinstance(op, Draw):  # which the host makes
        return "draw(" + ", ".join(f"{{{i}}}" for i in range(len(node.inputs))) + ")"
    if isinstance(op, Shape_i):
        return f"{{0}}.shape[{op.i}]"
    if isinstance(op, Subtensor):
        return _slice(node)
    if not all(map(_is_number, (*node.inputs, *node.outputs))):
        return None
    if isinstance(op, ScalarFromTensor | TensorFromScalar):
        return "{0}"
    function = op.scalar_op if isinstance(op, Elemwise) else op
    dtype = node.outputs[0].type.dtype
    if type(function) in _ARITHMETIC and dtype != "bool":
        return _wrapped(_ARITHMETIC[type(function)].join(f"{{{i}}}" for i in range(len(node.inputs))), dtype)
    if isinstance(function, scalar.Neg):
        return _wrapped("-{0}", dtype)
    if isinstance(function, scalar.Cast):
        return "{0} != 0" if dtype == "bool" else _wrapped("{0} + 0", dtype)
    return _OTHERS.get(type(function))


def _wrapped(expression: str, dtype: str) -> str:
    least, size = int(np.iinfo(dtype).min), 1 << np.dtype(dtype).itemsize * 8
    return f"w if {least} <= (w := {expression}) < {least + size} else (w - {least}) % {size} + {least}"


def _slice(node: Apply) -> str | None:
    if all(isinstance(v, Constant) for v in node.inputs[1:]) or not all(map(_is_number, node.inputs[1:])):
        return None  # torch.compile takes constants
    places = iter(range(1, len(node.inputs)))

    def entry(value: Any) -> str:
        return "" if value is None else f"{{{next(places)}}}"

    shown = []
    for index in indices_from_subtensor(node.inputs[1:], node.op.idx_list):
        if isinstance(index, slice):
            step = index.step
            if step is not None and not (isinstance(step, Constant) and step.data > 0):
                return None  # PyTorch has none that go backwards
            shown.append(f"{entry(index.start)}:{entry(index.stop)}:{entry(step)}")
        else:
            shown.append(entry(index))
    return f"{{0}}[{', '.join(shown)}]"


def _counting(fgraph: FunctionGraph, lines: dict[Apply, _Line]) -> set[Apply]:
    """Return the nodes that compute whole numbers from those among the graph's inputs."""
    found: set[Apply] = set()
    reached = {v for v in fgraph.inputs if _is_number(v)}
    for node in lines:
        if not isinstance(node.op, Draw | Subtensor | Shape_i) and any(v in reached for v in node.inputs):
            found.add(node)
            reached.update(node.outputs)
    return found


def _compiled(
    fgraph: FunctionGraph,
    lines: Sequence[_Line],
    made: Sequence[Variable],
    convert: Callable[[Apply], Callable[..., Any]],
    constant: Callable[[np.ndarray], Any],
) -> Callable[..., Sequence[Any]]:
    """Compile a function of the graph's inputs; all of its text comes from the tables above, and numbers."""
    names: dict[Variable, str] = {v: f"i{k}" for k, v in enumerate(fgraph.inputs)}
    scope: dict[str, Any] = {}
    body = []
    for node, expression, variables in lines:
        draw = isinstance(node.op, Draw)
        if draw:
            scope[f"draw{len(scope)}"] = convert(node)
            expression = expression.replace("draw", f"draw{len(scope) - 1}", 1)
        for v in variables:
            if v not in names and _is_number(v):
                names[v] = f"({int(v.data)})"
            elif v not in names:
                names[v] = f"c{len(scope)}"
                scope[names[v]] = constant(v.data) if isinstance(node.op, Subtensor) else v.data
        names.update({v: f"v{len(names) + k}" for k, v in enumerate(node.outputs)})
        results = ", ".join(names[v] for v in node.outputs)
        body.append(f"    {results} = {expression.format(*(names[v] for v in variables))}\n")
        if isinstance(node.op, Draw | Subtensor):  # tensors, whose whole numbers wrap around in their own dtype
            body += [f"    {names[v]} = int({names[v]})\n" for v in node.outputs if _is_number(v)]
    source = f"def prologue({', '.join(f'i{k}' for k in range(len(fgraph.inputs)))}):\n{''.join(body)}"
    source += f"    return [{', '.join(names[v] for v in made)}]\n"
    exec(compile(source, "<prologue of a PyTorch program>", "exec"), scope)
    function: Callable[..., Sequence[Any]] = scope["prologue"]
    return function
