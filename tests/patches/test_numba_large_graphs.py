"""A graph of many nodes is compiled in parts, computes the same, and holds nothing longer than in one part."""

from __future__ import annotations

import re
from pathlib import Path

import numba
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba.core.runtime import _nrt_python, rtsys
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch import basic
from pytensor.link.utils import compile_function_src

from symae import RandomStreams, function
from symae.kernels import loans
from symae.patches import numba_large_graphs as large
from symae.patches.numba_deferred_codegen import whole_programs


@pytest.fixture
def cut_small(monkeypatch):
    """Cut graphs of a dozen nodes, for tests that compile in a second; return the number of parts of each."""
    parts, cut = [], large.cut
    for name, value in {"SIZE": 6, "LEAST": 12, "WINDOW": 2, "LARGE": 64}.items():
        monkeypatch.setattr(large, name, value)

    def counted(whole, njit):
        made = []
        result = cut(whole, lambda part: made.append(part) or njit(part))
        parts.append(len(made))
        return result

    monkeypatch.setattr(large, "cut", counted)
    with pytensor.config.change_flags(numba__cache=False):  # a whole graph has the key of one that is cut
        yield parts


def both(monkeypatch, compiled):
    """Return what `compiled` makes with graphs cut and whole."""
    in_parts = compiled()
    monkeypatch.setattr(large, "LEAST", 10**6)
    return in_parts, compiled()


def chain(x, length):
    """Return an expression of many nodes that no rewrite makes one of."""
    for k in range(length):
        x = pt.cumsum(x, axis=k % 2)[:: -1 if k % 3 else 1]
    return x


@pytest.mark.default_mode
def test_results_are_the_same_bits_random_numbers_updates_and_loops_too(cut_small, monkeypatch):
    def compiled():
        x, w = pt.dmatrix("x"), pytensor.shared(np.eye(4), "w")
        noise = RandomStreams(7).normal(size=(3, 4))
        rest = {"outputs_info": [x[0]], "return_updates": False}
        hidden = chain(pt.tanh(x @ w) + noise, 4)
        looped = pytensor.scan(lambda row, h: chain(row[None, :] + h[None, :], 4)[0], sequences=[hidden], **rest)
        cost = (looped**2).mean() / 1e6
        return function([x], [cost, hidden, hidden[0]], updates=[(w, w - 0.1 * pt.grad(cost, w))], backend="numba"), w

    (cut, w), (whole, v) = both(monkeypatch, compiled)
    assert len(cut_small) >= 2  # the graph and its loops
    assert min(cut_small) >= 2
    X = np.random.default_rng(0).normal(size=(3, 4)) / 9
    for _ in range(3):
        for got, wanted in zip(cut(X), whole(X), strict=True):
            np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(w.get_value(), v.get_value())


@pytest.fixture
def counted_arrays():
    """Let Numba count the arrays that it allocates and frees."""
    _nrt_python.memsys_enable_stats()
    yield
    _nrt_python.memsys_disable_stats()


class Alive(Op):
    """Note how many arrays Numba's functions hold when the node is computed."""

    __props__ = ("noted",)

    def __init__(self, noted):
        self.noted = noted

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        stats = rtsys.get_allocation_stats()
        self.noted.append(stats.mi_alloc - stats.mi_free)
        outputs[0][0] = inputs[0].copy()


class Notes(list):
    __hash__ = object.__hash__


def fan(x, note):
    """Return a sum of arrays that are all there before the first is used, and used one after the other."""
    many = [pt.cumsum(x + k, axis=0) for k in range(8)]
    total = note(many[0])
    for one in many[1:]:
        total = note(pt.cumsum(total * one, axis=1))
    return total


@pytest.mark.default_mode
@pytest.mark.usefixtures("counted_arrays")
@pytest.mark.filterwarnings("ignore:Numba will use object mode")
def test_arrays_are_freed_behind_their_last_use_whichever_part_that_is_in(cut_small, monkeypatch):
    X, noted = np.random.default_rng(1).normal(size=(5, 6)), []

    def compiled():
        x, notes = pt.dmatrix("x"), Notes()
        noted.append(notes)
        return function([x], fan(x, Alive(notes)), backend="numba")

    cut, whole = both(monkeypatch, compiled)
    assert cut_small[0] >= 3
    for f in (cut, whole):
        before = rtsys.get_allocation_stats()
        f(X)
        after = rtsys.get_allocation_stats()
        assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free
    np.testing.assert_array_equal(cut(X), whole(X))
    in_parts, in_one = (np.diff(notes[: len(notes) // 2]) for notes in noted)
    assert len(in_one) == 7
    assert in_parts.tolist() == in_one.tolist()
    assert in_parts.sum() < 0  # there are fewer and fewer


@pytest.mark.default_mode
def test_a_large_constant_that_several_parts_read_is_handed_to_them(cut_small):
    table = np.random.default_rng(2).normal(size=(4, 4))
    x = pt.dmatrix("x")
    y = x
    for k in range(12):
        y = chain(y, 1) * 0.01 + pt.cumsum(pt.as_tensor(table)[:: 1 - 2 * (k % 2)], axis=0)
    got = function([x], y, backend="numba")(np.ones((4, 4)))
    assert cut_small[0] >= 2
    wanted = np.ones((4, 4))
    for k in range(12):
        wanted = np.cumsum(wanted, axis=0) * 0.01 + np.cumsum(table[:: 1 - 2 * (k % 2)], axis=0)
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.default_mode
def test_an_error_says_the_same_in_whichever_part_it_is(cut_small, monkeypatch):
    x, y = pt.dmatrices("x", "y")
    said = []
    for f in both(monkeypatch, lambda: function([x, y], chain(chain(x, 5) @ y, 2), backend="numba")):
        with pytest.raises(ValueError, match="4") as raised:
            f(np.ones((3, 4)), np.ones((5, 4)))
        said.append(str(raised.value))
        assert f(np.ones((3, 4)), np.ones((4, 4))).shape == (3, 4)
    assert len(cut_small) == 1
    assert cut_small[0] >= 2
    assert said[0] == said[1]


OURS = ("memory", "frame", "lend", "borrow", "take")


@pytest.mark.default_mode
def test_variables_may_have_the_names_of_our_own_functions(cut_small):
    x = pt.dmatrix("x")
    named = [pt.cumsum(x if k % 2 else x[::-1], axis=k // 2 % 2) for k in range(4)]
    named.append(pt.cumsum(named[0], axis=1))
    for variable, name in zip(named, OURS, strict=True):
        variable.name = name
    got = function([x], [*named, chain(named[4], 6)], backend="numba")(np.ones((3, 4)))
    assert cut_small[0] >= 2
    np.testing.assert_array_equal(got[4], np.cumsum(np.cumsum(np.ones((3, 4)), axis=0), axis=1))


@pytest.mark.parametrize("end", ["", "_lent", "_loans", "_lent_", "_loans_"])
def test_each_name_of_our_own_is_new(end):
    names = [f"{name}{end}" for name in OURS]
    source = (
        f"def program(x):\n    {', '.join(names)} = f(x)\n    y = f({', '.join(names)})\n    return ({', '.join(names)}, y)"
    )
    program = large._Program.read(source)
    functions = {*large._loans(program), program.frame}
    loans = {program.loan_name(name) for name in names}
    assert len(functions) == len(loans) == 5
    assert not functions & loans
    assert not (functions | loans) & {*names, "f", "x", "y"}


@pytest.mark.default_mode
def test_a_graph_with_arrays_of_more_axes_than_a_frame_has_room_for_stays_whole(cut_small):
    x = pt.dmatrix("x")
    deep = x.dimshuffle(0, *["x"] * (loans.MOST_DIMENSIONS - 1), 1)
    got = function([x], [deep, chain(x, 6)], backend="numba")(np.ones((3, 4)))
    assert cut_small == []
    assert got[0].shape == (3, *[1] * 12, 4)


def test_a_graph_of_as_many_nodes_as_are_cut_is_cut_where_it_should_be():
    x = pt.dvector("x")
    y = x
    for _ in range(large.LEAST):
        y = pt.cumsum(y)
    negative = numba.njit(lambda a: -a)
    with whole_programs():
        graph = FunctionGraph([x], [y], clone=True)
        program = basic.fgraph_to_python(graph, lambda op, **_: negative)
        np.testing.assert_array_equal(numba.njit(program)(np.arange(3.0))[0], np.arange(3.0))
        assert sum("fgraph_to_python_" in line for line in program.__source__.splitlines()) == 8  # of 50 nodes
        graph = FunctionGraph([x], [y.owner.inputs[0]], clone=True)
        assert "frame" not in basic.fgraph_to_python(graph, lambda op, **_: negative).__source__


def test_an_error_of_numba_shows_the_line_and_which_node_it_is(cut_small):
    lines = [f"    # Node{k}\n    #  of a graph\n    v{k + 1} = {'wrong' if k == 9 else 'f'}(v{k})\n" for k in range(14)]
    source = f"def program(v0):\n{''.join(lines)}    return (v14, v3)\n"
    wrong = numba.njit(lambda a: a.nothing_of_that_name)
    whole = compile_function_src(source, "program", {"f": numba.njit(lambda a: -a), "wrong": wrong})
    with pytest.raises(numba.TypingError) as raised:
        numba.njit(large.cut(whole, numba.njit))(np.ones(3))
    assert cut_small == [2]
    said = str(raised.value)
    assert "#  of a graph\n    v10 = wrong(v9)\n" in said
    file = re.search(r"def program_1.*", said) and re.findall(r"typing of call at (\S+) \(", said)
    assert any("# Node9\n" in Path(name).read_text() for name in file)


def test_small_graphs_and_functions_of_numbers_stay_whole(monkeypatch):
    cut = []
    monkeypatch.setattr(large, "cut", lambda whole, njit: cut.append(whole.__name__))
    x = pt.dmatrix("x")
    function([x], chain(x, 20), backend="numba")
    monkeypatch.setattr(large, "LEAST", 3)
    numbers = pt.dvector("numbers")
    function([numbers], pt.tanh(pt.exp(numbers * 2) + pt.log1p(numbers)), backend="numba")
    assert cut == []


SOURCE = """
def program(x, y):
    # a comment
    a, unused = f(x)
    b = g(a, y)
    c = h(b, constant)
    d = h(c, a)
    return (d, a)
"""


def test_a_part_takes_what_no_other_reads_and_borrows_the_rest():
    program = large._Program.read(SOURCE)
    assert program.results == ["d", "a"]
    assert program.live(2) == ["a", "b"]
    constant = np.zeros(100)
    assert program.places([2, 4]) == 2  # d has that of b
    part = large._Part(program, "part", 2, 4, {"constant": constant})
    assert part.source().splitlines() == [
        "def part(memory_loans, b_lent, a_lent):",
        "    b = take_loans(memory_loans, b_lent)",
        "    a = borrow_loans(memory_loans, a_lent)",
        "    c = h(b, constant)",
        "    d = h(c, a)",
        "    return (lend_loans(memory_loans, 1, d), )",
    ]
    assert part.call() == "d_lent, = part(memory_loans, b_lent, a_lent)"
    again = large._Program.read(SOURCE.replace("h(c, a)", "h(c, constant)"))
    again.places([2, 3, 4])
    assert large._Part(again, "part", 2, 3, {"constant": constant}).call() == "c_lent, = part(memory_loans, constant, b_lent)"
    assert large._Part(again, "part", 2, 3, {"constant": np.zeros(2)}).call() == "c_lent, = part(memory_loans, b_lent)"


def test_parts_end_where_little_is_handed_on(monkeypatch):
    monkeypatch.setattr(large, "SIZE", 10)
    monkeypatch.setattr(large, "WINDOW", 3)
    lines = []
    for group in range(3):  # 9 lines that the tenth makes one of
        lines += [f"v{group}_{k} = f(x)" for k in range(9)]
        lines.append(f"s{group} = g({', '.join(f'v{group}_{k}' for k in range(9))})")
    lines.insert(0, "first = f(x)")
    program = large._Program.read("def p(x):\n    " + "\n    ".join([*lines, "return (s0, s1, s2, first)"]))
    assert program.ends() == [11, 21, 31]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("c = h(b, constant)", "c = b + 1"),
        ("c = h(b, constant)", "a = h(b, constant)"),
        ("c = h(b, constant)", "c = h(b, k=constant)"),
        ("c = h(b, constant)", "if a:\n        c = h(b)"),
        ("(x, y)", "(x, *y)"),
        ("return (d, a)", "d = h(a)"),
    ],
)
def test_a_program_of_another_form_stays_whole(old, new):
    assert old in SOURCE
    assert large._Program.read(SOURCE.replace(old, new)) is None
    assert large._Program.read("") is None
