"""A graph whose machine code is on the disk is not rewritten, unless somebody asks for what it became."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
import time

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.io import In, Out
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import node_rewriter, out2in
from pytensor.raise_op import assert_op

from symae import compile as symae_compile
from symae import function
from symae.compile import known_graphs
from symae.compile.exact_description import Describer, Indescribable, names_of_rewrites
from symae.compile.loops.select import loop_over
from symae.errors import InputError


@pytest.fixture(autouse=True)
def on(monkeypatch):
    monkeypatch.setenv(known_graphs.VARIABLE, "on")
    monkeypatch.setattr(known_graphs, "LEAST", 0.0)


@pytest.fixture
def rewritten(monkeypatch):
    """Return a list that has an entry for each graph that is rewritten."""
    graphs = []
    stock = FunctionMaker.prepare_fgraph
    monkeypatch.setattr(FunctionMaker, "prepare_fgraph", staticmethod(lambda *given: (graphs.append(1), stock(*given))[1]))
    return graphs


def training_step(factor=0.5, **keywords):
    """Compile a step of a small regression: a cost, and an update of its weights, which are returned too."""
    x, w = pt.dmatrix("x"), pytensor.shared(np.arange(3.0), name="w")
    cost = ((pt.tanh(x @ w) - 1) ** 2).mean()
    return function([x], cost, updates=[(w, w - factor * pt.grad(cost, w))], backend="numba", **keywords), w


X = np.arange(6.0).reshape(2, 3) / 7


def unique():
    """Return a number a little above 0.5, for which no process has compiled yet."""
    return 0.5 + time.time_ns() / 1e20


def expected_step(factor=0.5):
    w = np.arange(3.0)
    y = np.tanh(X @ w)
    return ((y - 1) ** 2).mean(), w - factor * X.T @ ((y - 1) * (1 - y**2))


def known_step():
    """Compile the same step twice, and return the second one with its weights."""
    training_step()
    return training_step()


def test_a_graph_that_is_known_is_not_rewritten_and_computes_the_same(rewritten):
    training_step()
    before = len(rewritten)
    f, w = training_step()
    cost, weights = expected_step()
    np.testing.assert_allclose(f(X), cost, rtol=1e-12)
    np.testing.assert_allclose(w.get_value(), weights, rtol=1e-12)
    assert len(rewritten) == before


def test_who_asks_for_its_graph_gets_the_rewritten_one(rewritten):
    first, _ = training_step()
    expected = [str(node.op) for node in first.maker.fgraph.toposort()]
    f, w = training_step()
    before = len(rewritten)
    assert [str(node.op) for node in f.maker.fgraph.toposort()] == expected
    assert len(rewritten) == before + 1
    assert type(f.maker) is FunctionMaker
    assert set(f.vm.storage_map) >= set(f.maker.fgraph.variables)
    np.testing.assert_allclose(f(X), expected_step()[0], rtol=1e-12)
    np.testing.assert_allclose(w.get_value(), expected_step()[1], rtol=1e-12)


def test_arguments_of_another_layout_are_compiled_for(rewritten):
    factor = unique()
    training_step(factor)
    f, w = training_step(factor)
    before = len(rewritten)
    np.testing.assert_allclose(f(np.asfortranarray(X)), expected_step()[0], rtol=1e-12)
    np.testing.assert_allclose(w.get_value(), expected_step(factor)[1], rtol=1e-12)
    assert len(rewritten) == before + 1


def test_an_error_names_the_node_that_would_have_been_named_without(monkeypatch):
    messages = []
    for switch in ("off", "on", "on"):
        monkeypatch.setenv(known_graphs.VARIABLE, switch)
        x = pt.dvector("x")
        f = function([x], pt.exp(assert_op(x, pt.gt(x.sum(), 0))) * 7.5, backend="numba")
        with pytensor.config.change_flags(exception_verbosity="medium"), pytest.raises(AssertionError) as caught:
            f(-np.ones(2))
        messages.append(str(caught.value))
    assert "Apply node that caused the error" in messages[0]
    assert messages[1:] == messages[:1] * 2


def test_it_can_be_copied_and_pickled():
    f, w = known_step()
    value = f.copy(share_memory=False)(X)
    np.testing.assert_allclose(value, expected_step()[0], rtol=1e-12)
    w.set_value(np.arange(3.0))
    g, _ = known_step()
    np.testing.assert_allclose(pickle.loads(pickle.dumps(g))(X), expected_step()[0], rtol=1e-12)


def test_loops_over_it_are_compiled_without_its_graph(rewritten):
    def step():
        i, w = pt.lscalar("i"), pytensor.shared(1.0, name="w")
        return function([i], w * i, updates=[(w, w + pt.sqrt(w))], backend="numba")

    expected = [row for k in range(3) for row in loop_over(step(), "python").run(k, 1)]
    f = step()
    before = len(rewritten)
    assert loop_over(f).run(0, 3)[0] == expected[0]
    assert len(rewritten) == before


def test_outputs_that_are_inputs_or_twice_there_are_copies():
    x = pt.dvector("x")
    for _ in range(2):
        value = np.ones(3)
        same, twice, again = function([x], [x, x * 3.5, x * 3.5], backend="numba")(value)
        assert not np.shares_memory(same, value)
        y = x * 4.5
        one, other = function([x], [y, y], backend="numba")(value)
        assert not np.shares_memory(one, other)
        assert not np.shares_memory(twice, again)


def key(inputs, outputs):
    return Describer().graph(inputs, outputs)


def test_a_description_does_not_depend_on_names_or_on_when_a_graph_was_made():
    def made(name):
        x = pt.dmatrix(name)
        loop = pytensor.scan(lambda row, total: pt.tanh(total + row), x, pt.zeros(3), return_updates=False)
        return [x], [loop.sum() + pt.exp(x).mean(axis=0)]

    assert key(*made("x")) == key(*made("y"))


X_, I_ = pt.dmatrix("x"), pt.lscalar("i")
DIFFERENT = {
    "a constant": (lambda: X_ * 2.0, lambda: X_ * 2.5),
    "a constant of another dtype": (lambda: X_ * np.float64(2), lambda: X_ * np.float32(2)),
    "an operation": (lambda: pt.exp(X_), lambda: pt.log(X_)),
    "a setting": (lambda: X_.sum(axis=0), lambda: X_.sum(axis=1)),
    "the order of operands": (lambda: X_ - X_.T, lambda: X_.T - X_),
    "a slice": (lambda: X_[I_:], lambda: X_[:I_]),
    "a slice of constants": (lambda: X_[1:3], lambda: X_[1:4]),
    "a node that is there twice": (lambda: pt.exp(X_) + pt.exp(X_), lambda: (lambda y: y + y)(pt.exp(X_))),
    "what a loop does": (lambda: loop(pt.tanh), lambda: loop(pt.exp)),
    "how far a loop goes back": (lambda: loop(pt.tanh, truncate_gradient=3), lambda: loop(pt.tanh)),
    "one of many fused functions": (lambda: composite(2.0), lambda: composite(3.0)),
}


def loop(function, **keywords):
    return pytensor.scan(lambda row: function(row), X_, return_updates=False, **keywords)


def composite(factor):
    from pytensor.scalar.basic import Composite, constant, float64
    from pytensor.tensor.elemwise import Elemwise

    a = float64("a")
    return Elemwise(Composite([a], [a * constant(factor)]))(X_)


@pytest.mark.parametrize("what", DIFFERENT)
def test_a_description_has(what):
    one, other = DIFFERENT[what]
    assert key([X_, I_], [one()]) == key([X_, I_], [one()])
    assert key([X_, I_], [one()]) != key([X_, I_], [other()])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pt.dmatrix(), pt.fmatrix()),
        (pt.dmatrix(), pt.matrix(dtype="float64", shape=(None, 3))),
        (pt.dmatrix(), pt.dvector()),
    ],
)
def test_a_description_has_the_types_of_inputs(one, other):
    assert key([one], [pt.cast(one.sum(), "float64")]) != key([other], [pt.cast(other.sum(), "float64")])


def test_a_file_depends_on_how_inputs_and_outputs_may_be_used(rewritten):
    x = pt.dvector("x")

    def rewritten_for(**keywords):
        before = len(rewritten)
        function(**keywords, backend="numba")
        return len(rewritten) - before

    y = pt.exp(x) * 5.5
    for arguments in (
        {"inputs": [x], "outputs": y},
        {"inputs": [In(x, mutable=True)], "outputs": y},
        {"inputs": [In(x, borrow=True)], "outputs": y},
        {"inputs": [x], "outputs": Out(y, borrow=True)},
    ):
        rewritten_for(**arguments)
        assert rewritten_for(**arguments) == 0
    with symae_compile.options(exclude=["vectorised_functions"]):
        excluded = function([x], pt.exp(pt.exp(x)) * 6.5, backend="numba")
    plain = function([x], pt.exp(pt.exp(x)) * 6.5, backend="numba")
    assert str(excluded.maker.fgraph.outputs[0].owner.op) != str(plain.maker.fgraph.outputs[0].owner.op)


class Doubled(Op):
    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = inputs[0] * 2


def test_what_is_not_of_pytensor_or_symae_is_not_described():
    x = pt.dvector("x")
    with pytest.raises(Indescribable, match="Doubled"):
        key([x], [Doubled()(x)])
    with pytest.raises(Indescribable, match="lambda"):
        Describer().text(functools.partial(sum, key=lambda v: v))
    with pytest.raises(Indescribable, match="objects"):
        Describer().text(np.array([object()]))


def test_a_rewrite_of_the_users_is_never_left_out(rewritten):
    @node_rewriter(None)
    def of_the_user(fgraph, node):
        return None

    training_step()
    optdb.register("of_the_user", out2in(of_the_user), "fast_run", position=1.7)
    try:
        with pytest.raises(Indescribable, match="of_the_user"):
            names_of_rewrites()
        before = len(rewritten)
        training_step()
        assert len(rewritten) == before + 1
    finally:
        rewriter = optdb.__db__.pop("of_the_user")
        optdb._names.remove("of_the_user")
        optdb.__position__.pop("of_the_user")
        for tagged in optdb.__db__.values():
            for r in rewriter:
                tagged.discard(r)
    assert "of_the_user" not in " ".join(names_of_rewrites())


def test_it_can_be_switched_off(rewritten, monkeypatch):
    training_step()
    monkeypatch.setenv(known_graphs.VARIABLE, "off")
    before = len(rewritten)
    f, _ = training_step()
    assert len(rewritten) == before + 1
    assert type(f.maker) is FunctionMaker
    monkeypatch.setenv(known_graphs.VARIABLE, "of")
    with pytest.raises(InputError, match=r"SYMAE_KNOWN_GRAPHS.*'of'.*on or off"):
        training_step()


def test_a_damaged_file_is_one_that_is_not_there(rewritten, monkeypatch):
    files = []
    stock = known_graphs._file
    monkeypatch.setattr(known_graphs, "_file", lambda *given: (files.append(stock(*given)), files[-1])[1])
    training_step()
    files[0].write_bytes(b"{")
    before = len(rewritten)
    training_step()
    assert len(rewritten) == before + 1
    training_step()
    assert len(rewritten) == before + 1


PROGRAM = """
import sys
import numpy as np, pytensor, pytensor.tensor as pt
from pytensor.compile.maker import FunctionMaker
from symae import function
from symae.compile import known_graphs

count, stock, known_graphs.LEAST = [], FunctionMaker.prepare_fgraph, 0.0
FunctionMaker.prepare_fgraph = staticmethod(lambda *given: (count.append(1), stock(*given))[1])
x, w = pt.dvector("x"), pytensor.shared(0.5, name="w")
total = pytensor.scan(lambda v, total: total + w * v, x, pt.zeros(()), return_updates=False)[-1] * float(sys.argv[1])
f = function([x], total, updates=[(w, w * total)], backend="numba")
print([float(f(np.ones(4))) for _ in range(3)])
print(len(count))
"""


@pytest.mark.default_mode
def test_a_second_process_computes_with_a_loop_without_rewriting_it():
    factor = str(unique())

    def printed():
        return subprocess.run([sys.executable, "-c", PROGRAM, factor], capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )

    values, first, _ = printed()
    assert first == "1"
    assert printed() == [values, "0", ""]
