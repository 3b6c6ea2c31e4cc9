"""A large graph becomes several functions on Numba, one after the other.

PyTensor makes a single function of a graph, however large it is. Numba's passes over it, and LLVM's even more, take more than
twice as long for twice the nodes, and several gigabytes. So a graph of many nodes is cut where few results are still needed,
into functions that are called in the order of the nodes. What one computes and others read is lent to them
(`symae.kernels.loans`), so that it is freed as early as in one function.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from pytensor.link.utils import compile_function_src
from pytensor.scalar.basic import ScalarType

from symae.patches.changes import Changes
from symae.patches.numba_deferred_codegen import compiling_whole_programs
from symae.patches.patch import NUMBA_NJIT, Expected, Patch

SIZE = 50  # nodes of a function
LEAST = 400  # nodes of a graph that is cut: below, what parts cost by themselves is as much as they save
WINDOW = 12  # by so many nodes a function may be shorter or longer than another
LARGE = 64  # bytes from which on a constant is made part of one function alone
MOST = 400  # results that are handed on at a cut; with more the graph stays whole


def apply(_: Any, changes: Changes) -> None:
    from pytensor.link.numba.dispatch import basic

    stock = basic.fgraph_to_python

    @functools.wraps(stock)
    def fgraph_to_python(fgraph: Any, *given: Any, **named: Any) -> Callable[..., Any]:
        whole = stock(fgraph, *given, **named)
        # what is computed for each number of an array must stay where LLVM can see through it
        of_numbers = all(isinstance(v.type, ScalarType) for v in (*fgraph.inputs, *fgraph.outputs))
        if of_numbers or len(fgraph.apply_nodes) < LEAST or not compiling_whole_programs() or not _fit_frames(fgraph):
            return whole
        return cut(whole, basic.numba_njit) or whole

    changes.replace(basic, "fgraph_to_python", fgraph_to_python)


def cut(whole: Callable[..., Any], njit: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return a function that does the same as `whole`, of which PyTensor has the source, by calling parts of it.

    None if it is of another form than PyTensor's: an assignment a node, and a return.
    """
    program = _Program.read(getattr(whole, "__source__", ""))
    if program is None:
        return None
    ends = program.ends()
    if max(len(program.live(end)) for end in ends[:-1]) > MOST:
        return None
    namespace = dict(whole.__globals__) | _loans(program)
    lines = [f"{program.frame} = {program.function_name('frame')}({program.places(ends)})"]
    for number, (first, end) in enumerate(zip([0, *ends], ends, strict=False)):
        part = _Part(program, f"{program.name}_{number}", first, end, namespace)
        # with the source in a file, as PyTensor's: Numba's errors show its lines
        function = compile_function_src(part.source(), part.name, dict(whole.__globals__) | _loans(program))
        namespace[part.name] = njit(function)
        lines.append(part.call())
    take = program.function_name("take")
    lines += [f"{name} = {take}({program.frame}, {program.loan_name(name)})" for name in program.results]
    source = "\n    ".join([f"def {program.name}({', '.join(program.inputs)}):", *lines, program.last])
    return compile_function_src(source, program.name, namespace)


def _loans(program: _Program) -> dict[str, Any]:
    """Return the functions of `symae.kernels.loans` by the names under which the lines find them."""
    from symae.kernels import loans

    return {program.function_name(name): getattr(loans, name) for name in ("frame", "lend", "borrow", "take")}


def _fit_frames(fgraph: Any) -> bool:
    """Return True if there is room in a frame for every variable: not for arrays of 14 axes."""
    from symae.kernels.loans import MOST_DIMENSIONS

    return all(getattr(v.type, "ndim", 0) <= MOST_DIMENSIONS for node in fgraph.apply_nodes for v in node.outputs)


class _Program:
    """Hold the lines of a function: which names each line sets and reads, and where each name is set and read last.

    Attributes
    ----------
    lines : list of str
        Each below the comments that stand above it.
    sets, reads : list of list of str
        Of each line, in the order in which they stand there.
    last : str
        The line that returns.
    results : list of str
        What that reads of what the lines have set, each once.
    """

    def __init__(self, name: str, inputs: Sequence[str], lines: Sequence[Any], last: Any, source: str):
        self.name, self.inputs, self.last = name, list(inputs), ast.unparse(last)
        self.lines = _with_comments(lines, source)
        self.sets = [_names(line, ast.Store) for line in lines]
        self.reads = [_names(line, ast.Load) for line in lines]
        self.set_at = {name: number for number, names in enumerate(self.sets) for name in names}
        self.read_last = {name: number for number, names in enumerate(self.reads) for name in names}
        self.results = [name for name in dict.fromkeys(_names(last, ast.Load)) if name in self.set_at]
        self.read_last |= dict.fromkeys(self.results, len(lines))
        names = {*inputs, *(node.id for line in (*lines, last) for node in ast.walk(line) if isinstance(node, ast.Name))}
        self.place_of: dict[str, int] = {}
        # The ends of names of our own, which no name has, and of which none is the other's: loans have those of variables, and
        # variables may have those of functions.
        self._of_loans, self._of_functions = _unused_end("_lent", names), _unused_end("_loans", names)
        self.frame = self.function_name("memory")

    @classmethod
    def read(cls, source: str) -> _Program | None:
        """Return the program of a source text; None if it has something else than assignments of calls."""
        body = ast.parse(source).body
        function = body[0] if len(body) == 1 else None
        if not isinstance(function, ast.FunctionDef):
            return None
        *lines, last = function.body
        described = function.args
        only_names = not (described.vararg or described.kwarg or described.kwonlyargs or described.defaults)
        if not only_names or not isinstance(last, ast.Return) or not all(map(_is_call, lines)):
            return None
        program = cls(function.name, [a.arg for a in described.args], lines, last, source)
        return program if len(program.set_at) == sum(map(len, program.sets)) else None

    def loan_name(self, name: str) -> str:
        """Return the name of the loan of the variable of that name."""
        return name + self._of_loans

    def function_name(self, function: str) -> str:
        """Return the name under which the lines find a function of `symae.kernels.loans`, or the frame."""
        return function + self._of_functions

    def live(self, end: int) -> list[str]:
        """Return what the lines before `end` set and others read."""
        return [name for name, number in self.set_at.items() if number < end <= self.read_last.get(name, -1)]

    def places(self, ends: Sequence[int]) -> int:
        """Give each value that is handed on, where parts end at `ends`, a place in the frame; return how many there are."""
        free: list[int] = []
        for end, before in zip(ends, [0, *ends], strict=False):
            # a part takes what it takes before it lends, so that places are free again by then
            free += [place for name, place in self.place_of.items() if before <= self.read_last[name] < end]
            for name in self.live(end):
                if self.set_at[name] >= before:
                    self.place_of[name] = free.pop() if free else len(set(self.place_of.values()))
        return len(set(self.place_of.values()))

    def ends(self) -> list[int]:
        """Return where each part ends: at about `SIZE` lines, where the least is handed on."""
        n, count = len(self.lines), round(len(self.lines) / SIZE)
        changes = [0] * (n + 2)
        for name, number in self.set_at.items():
            if self.read_last.get(name, -1) > number:
                changes[number + 1] += 1
                changes[self.read_last[name] + 1] -= 1
        handed_on = np.cumsum(changes)
        ends = []
        for middle in (round(n * k / count) for k in range(1, count)):
            places = range(middle - WINDOW, middle + WINDOW + 1)
            ends.append(min(places, key=lambda place: (handed_on[place], abs(place - middle))))
        return [*ends, n]


class _Part:
    """Describe a part of a program, from line `first` to before line `end`, as a function."""

    def __init__(self, program: _Program, name: str, first: int, end: int, namespace: dict[str, Any]):
        while name in namespace or name in program.set_at or name in program.inputs:
            name += "_"
        self.program, self.name, self.first, self.end = program, name, first, end
        read = dict.fromkeys(v for variables in program.reads[first:end] for v in variables)
        self.loans = [v for v in read if program.set_at.get(v, first) < first]
        self.arguments = [v for v in read if v in program.inputs or self._is_shared(v, namespace.get(v))]
        self.results = [v for v in program.live(end) if program.set_at[v] >= first]

    def _is_shared(self, variable: str, value: Any) -> bool:
        """Return True for a large constant that other parts read, too: it is handed to them, so that there is one of it."""
        if not isinstance(value, np.ndarray) or value.nbytes < LARGE:
            return False
        others = self.program.reads[: self.first] + self.program.reads[self.end :]
        return any(variable in variables for variables in others)

    def source(self) -> str:
        """Return the source text of the function."""
        program, taken = self.program, []
        for variable in self.loans:
            how = program.function_name("take" if program.read_last[variable] < self.end else "borrow")
            taken.append(f"{variable} = {how}({program.frame}, {program.loan_name(variable)})")
        given = ", ".join([program.frame, *self.arguments, *map(program.loan_name, self.loans)])
        lend = f"{program.function_name('lend')}({program.frame}"
        lent = "".join(f"{lend}, {program.place_of[variable]}, {variable}), " for variable in self.results)
        lines = [*taken, *program.lines[self.first : self.end], f"return ({lent})"]
        return "\n    ".join([f"def {self.name}({given}):", *lines])

    def call(self) -> str:
        """Return the line that calls the function."""
        results = "".join(f"{self.program.loan_name(variable)}, " for variable in self.results)
        given = ", ".join([self.program.frame, *self.arguments, *map(self.program.loan_name, self.loans)])
        return f"{results}{'= ' if results else ''}{self.name}({given})"


def _unused_end(end: str, names: Iterable[str]) -> str:
    """Return `end`, with as many underscores as it takes for no name to end with it."""
    while any(name.endswith(end) for name in names):
        end += "_"
    return end


def _with_comments(lines: Sequence[ast.stmt], source: str) -> list[str]:
    """Return the text of each line below the comments above it: PyTensor's say which node it is, for errors of Numba."""
    texts, whole, before = [], source.splitlines(), 0
    for line in lines:
        above = (text.strip() for text in whole[before : line.lineno - 1])
        texts.append("\n    ".join([*(text for text in above if text.startswith("#")), ast.unparse(line)]))
        before = line.end_lineno or line.lineno
    return texts


def _names(line: ast.AST, context: type) -> list[str]:
    """Return the names of variables that are read or set in a line; the function that is called is none."""
    called = {id(node.func) for node in ast.walk(line) if isinstance(node, ast.Call)}
    names = (node for node in ast.walk(line) if isinstance(node, ast.Name) and isinstance(node.ctx, context))
    return [node.id for node in names if id(node) not in called]


def _is_call(line: ast.stmt) -> bool:
    """Return True for ``a, b = f(c, d)``, of names alone."""
    if not isinstance(line, ast.Assign) or len(line.targets) != 1 or not isinstance(line.value, ast.Call):
        return False
    (target,) = line.targets
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    call = line.value
    return not call.keywords and all(isinstance(part, ast.Name) for part in (*targets, call.func, *call.args))


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="pytensor.link.numba.dispatch.basic.fgraph_to_python",
    why="a graph of a thousand nodes takes a third longer to compile",
    upstream="not proposed: numba_funcify_FunctionGraph could emit a function for each 50 nodes or so; the work of Numba and "
    "LLVM for a function grows faster than its length.",
    delete_when="PyTensor makes several functions of a large graph",
    apply=apply,
    expects=(
        Expected("pytensor.link.numba.dispatch.basic", "fgraph_to_python", ("fgraph", "op_conversion_fn"), others=True),
        Expected("numba.core.datamodel.models", "PrimitiveModel"),
        Expected("pytensor.link.utils", "compile_function_src", ("src", "function_name", "global_env"), others=True),
        NUMBA_NJIT,
    ),
)
