"""A graph whose machine code is on the disk is not rewritten, unless somebody asks for what it became."""

from __future__ import annotations

import functools
import json
import pickle
import subprocess
import sys
import threading
import time
import types
import warnings

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba.core.compiler_lock import global_compiler_lock
from pytensor.compile.io import In, Out
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.mode import optdb
from pytensor.compile.ops import as_op
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.graph.rewriting.basic import PatternNodeRewriter, SubstitutionNodeRewriter, in2out, node_rewriter, out2in
from pytensor.graph.rewriting.db import SequenceDB
from pytensor.link.numba.cache import NUMBA_CACHE_PATH
from pytensor.link.numba.dispatch import basic as dispatch
from pytensor.raise_op import assert_op

from symae import compile as symae_compile
from symae import function
from symae.compile import known_graphs
from symae.compile.described_rewrites import described_rewrites, refuse_foreign_conversions
from symae.compile.exact_description import Describer, Indescribable
from symae.compile.loops.select import loop_over
from symae.errors import InputError
from symae.kernels import kept_code
from symae.rewrites.lazy_branches import surrounding_mode


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
    with pytest.raises(Indescribable, match="MaskedArray"):
        Describer().text(np.ma.array([1.0, 2.0], mask=[True, False]))
    for wrap in (as_op, pytensor.wrap_py):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the first is deprecated
            y = wrap([pt.dvector], [pt.dvector])(lambda v: v)(x)
        with pytest.raises(Indescribable, match="lambda"):
            key([x], [y])


def test_an_array_is_described_by_its_memory_and_order():
    text, rows = Describer().text, np.arange(6.0).reshape(2, 3)
    assert text(rows) == text(rows.copy()) != text(rows + 1)
    assert text(np.asfortranarray(rows)) == text(np.asfortranarray(rows.copy()))
    different = (rows, np.asfortranarray(rows), rows.reshape(3, 2), rows.astype("f4"), rows[:, ::2], rows[:0], np.array(1.0))
    assert len({text(array) for array in different}) == len(different)


def test_a_function_is_described_by_its_constants_and_what_it_encloses():
    def of_pytensor(source, **values):
        names = {"__name__": "pytensor", **values}
        exec(f"def outer(value):\n  def inner(x): return {source}\n  return inner", names)
        return names["outer"]

    text = Describer().text
    assert text(of_pytensor("x * 2")(1)) == text(of_pytensor("x * 2")(1)) != text(of_pytensor("x * 3")(1))
    assert text(of_pytensor("x * value")(2)) != text(of_pytensor("x * value")(3))


def test_a_rewrite_of_the_users_is_never_left_out(rewritten):
    @node_rewriter(None)
    def of_the_user(fgraph, node):
        return None

    training_step()
    optdb.register("of_the_user", out2in(of_the_user), "fast_run", position=1.7)
    try:
        with pytest.raises(Indescribable, match="of_the_user"):
            described_rewrites()
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
    described_rewrites()


@node_rewriter(None)
def _of_the_user(fgraph, node):
    return None


@node_rewriter(None)
def _another(fgraph, node):
    return None


def rewrites(*rewriters, tags=("fast_run",), position=1.5):
    """Describe a database of these rewrites."""
    database = SequenceDB()
    for number, rewriter in enumerate(rewriters):
        database.register(f"rewrite {number}", rewriter, *tags, position=position)
    return described_rewrites(database)


def pattern(factor):
    return PatternNodeRewriter((pt.exp, "x"), (pt.mul, factor, "x"))


def disguised():
    @functools.wraps(pt.exp.make_node)
    def of_the_user(fgraph, node):
        return None

    return node_rewriter(None)(of_the_user)


FOREIGN = {
    "several in one": lambda: in2out(_of_the_user, _another),
    "one of several": lambda: in2out(pattern(2.0), _of_the_user),
    "one within another": lambda: in2out(in2out(_of_the_user).node_rewriter),
    "a constraint of a pattern": lambda: PatternNodeRewriter(
        (pt.exp, {"pattern": "x", "constraint": lambda v: True}), (pt.mul, 2.0, "x")
    ),
    "an operation of a pattern": lambda: PatternNodeRewriter((pt.exp, "x"), (Doubled(), "x")),
    "an operation to put": lambda: SubstitutionNodeRewriter(pt.exp, Doubled()),
    "one under another's name": lambda: in2out(disguised()),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_rewrites_with_a_part_of_the_users_are_refused(what):
    with pytest.raises(Indescribable, match="rewrite 0"):
        rewrites(FOREIGN[what]())


DIFFERENT_REWRITES = {
    "a constant of a pattern": (lambda: rewrites(pattern(2.0)), lambda: rewrites(pattern(3.0))),
    "a pattern within another": (lambda: rewrites(in2out(pattern(2.0))), lambda: rewrites(in2out(pattern(3.0)))),
    "an operation to put": (
        lambda: rewrites(SubstitutionNodeRewriter(pt.exp, pt.log)),
        lambda: rewrites(SubstitutionNodeRewriter(pt.exp, pt.sqrt)),
    ),
    "tags": (lambda: rewrites(pattern(2.0)), lambda: rewrites(pattern(2.0), tags=("fast_run", "stable"))),
    "when": (lambda: rewrites(pattern(2.0)), lambda: rewrites(pattern(2.0), position=2.5)),
}


@pytest.mark.parametrize("what", DIFFERENT_REWRITES)
def test_rewrites_are_described_with(what):
    one, other = DIFFERENT_REWRITES[what]
    assert one() == one()
    assert one() != other()


def test_a_rewrite_that_is_edited_is_described_anew():
    rewriter = in2out(pattern(2.0))
    before = rewrites(rewriter)
    rewriter.node_rewriter = pattern(3.0)
    assert rewrites(rewriter) != before
    rewriter.node_rewriter.fn = lambda fgraph, node: None
    with pytest.raises(Indescribable):
        rewrites(rewriter)


def test_rewriting_does_not_change_how_rewrites_are_described():
    before = described_rewrites()
    training_step(unique())
    assert described_rewrites() == before


def test_conversions_of_the_users_are_refused(monkeypatch):
    refuse_foreign_conversions()
    registry = {type(pt.exp): lambda op, **_: None}
    monkeypatch.setattr(dispatch, "numba_funcify", types.SimpleNamespace(registry=registry))
    with pytest.raises(Indescribable, match="a conversion of Elemwise"):
        refuse_foreign_conversions()
    training_step()
    assert type(training_step()[0].maker) is FunctionMaker


def test_a_rewrite_that_cannot_be_looked_at_is_no_error_of_the_users(monkeypatch):
    class Odd(dict):
        def items(self):
            raise RuntimeError("odd")

    rewriter = in2out(pattern(2.0))
    rewriter.odd = Odd()
    with pytest.raises(RuntimeError, match="odd"):
        rewrites(rewriter)
    monkeypatch.setattr(known_graphs, "described_rewrites", lambda: rewrites(rewriter))
    for _ in range(2):
        f, _ = training_step()
        assert type(f.maker) is FunctionMaker
    np.testing.assert_allclose(f(X), expected_step()[0], rtol=1e-12)


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


@pytest.fixture
def files(monkeypatch):
    """Return a list that gets the file of each graph."""
    found = []
    stock = known_graphs._file
    monkeypatch.setattr(known_graphs, "_file", lambda *given: (found.append(stock(*given)), found[-1])[1])
    return found


def test_a_damaged_file_is_one_that_is_not_there(rewritten, files):
    training_step()
    files[0].write_bytes(b"{")
    before = len(rewritten)
    training_step()
    assert len(rewritten) == before + 1
    training_step()
    assert len(rewritten) == before + 1


@pytest.mark.parametrize(
    "content",
    [
        {"name": "f(*_): 0\nprint('run')\ndef f", "key": "00"},
        {"name": "import", "key": "00"},
        {"name": "f", "key": "../00"},
        {"name": 1, "key": "00"},
        {"name": "f"},
        ["f", "00"],
        None,
    ],
    ids=str,
)
def test_no_code_runs_from_a_file(content, rewritten, files, capsys):
    training_step()
    kept_code.keep(files[0], json.dumps(content).encode())
    before = len(rewritten)
    f, _ = training_step()
    np.testing.assert_allclose(f(X), expected_step()[0], rtol=1e-12)
    assert len(rewritten) == before + 1
    assert not capsys.readouterr().out


def test_a_graph_is_rewritten_as_when_its_function_was_made(monkeypatch):
    seen, stock = [], FunctionMaker.prepare_fgraph

    def prepare(*given):
        c = pytensor.config
        seen.append((c.floatX, c.cast_policy, c.numba__fastmath, surrounding_mode.get() is None))
        return stock(*given)

    monkeypatch.setattr(FunctionMaker, "prepare_fgraph", staticmethod(prepare))
    other = {"floatX": "float32", "cast_policy": "numpy+floatX", "numba__fastmath": not pytensor.config.numba__fastmath}
    with pytensor.config.change_flags(**other), symae_compile.options(exclude=["lazy_branches"]):
        f, _ = known_step()
    assert len(seen) <= 1
    f.maker.fgraph  # noqa: B018
    assert seen[-1] == (*other.values(), True)
    assert pytensor.config.cast_policy != "numpy+floatX"


def test_a_file_depends_on_settings_and_on_the_environment_of_now(files, monkeypatch):
    training_step()
    for setting in ({"mode": "FAST_RUN"}, {"mode": "JAX"}, {"linker": "py"}):  # a loop without a mode of its own has these
        with pytensor.config.change_flags(**setting):
            training_step()
    monkeypatch.setenv("SYMAE_SOMETHING", "new")
    training_step()
    assert len(set(files)) == len(files) == 5


def interrupted(stock):
    """Return what rewrites the first graph halfway, when Ctrl-C comes, and later ones as they should be."""
    before = []

    def prepare(inputs, outputs, more, graph, mode, profile):
        stock(inputs, outputs, more, graph, mode, profile)
        if not before:
            before.append(1)
            raise KeyboardInterrupt

    return staticmethod(prepare)


def test_an_interrupt_leaves_the_graph_as_it_was_written_and_it_is_rewritten_again(monkeypatch):
    first, _ = training_step()
    expected = [str(node.op) for node in first.maker.fgraph.toposort()]
    f, w = training_step()
    written = known_graphs.written_graph(f)
    nodes = list(written.toposort())
    with monkeypatch.context() as patch:
        patch.setattr(FunctionMaker, "prepare_fgraph", interrupted(FunctionMaker.prepare_fgraph))
        with pytest.raises(KeyboardInterrupt):
            f.maker.fgraph  # noqa: B018
        assert known_graphs.written_graph(f) is written
        assert list(written.toposort()) == nodes
        np.testing.assert_allclose(f(np.asfortranarray(X)), expected_step()[0], rtol=1e-12)
    assert [str(node.op) for node in f.maker.fgraph.toposort()] == expected
    w.set_value(np.arange(3.0))
    np.testing.assert_allclose(f.copy()(X), expected_step()[0], rtol=1e-12)
    np.testing.assert_allclose(w.get_value(), expected_step()[1], rtol=1e-12)


def test_threads_that_ask_at_once_get_one_graph_that_is_finished(rewritten, monkeypatch):
    f, _ = known_step()
    before, stock, graphs = len(rewritten), FunctionMaker.prepare_fgraph, []

    def prepare(*given):
        stock(*given)
        time.sleep(0.2)

    def ask():
        graph = f.maker.fgraph
        graphs.append((graph, len(graph.apply_nodes)))

    monkeypatch.setattr(FunctionMaker, "prepare_fgraph", staticmethod(prepare))
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.03)
    for thread in threads:
        thread.join()
    assert graphs == [(f.maker.fgraph, len(f.maker.fgraph.apply_nodes))] * 4
    assert len(rewritten) == before + 1


def test_who_waits_for_symaes_lock_does_not_hold_numbas():
    factor = unique()
    training_step(factor)
    f, _ = training_step(factor)
    values = []
    thread = threading.Thread(target=lambda: values.append(f(np.asfortranarray(X))))
    with symae_compile.COMPILING:  # as another thread has it that compiles
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        free = global_compiler_lock._lock.acquire(timeout=5)
        if free:
            global_compiler_lock._lock.release()
    thread.join()
    assert free
    np.testing.assert_allclose(values, [expected_step()[0]], rtol=1e-12)


def test_its_maker_makes_another_function():
    f, _ = known_step()
    np.testing.assert_allclose(f.maker.create()(X), expected_step()[0], rtol=1e-12)
    assert type(f.maker) is FunctionMaker


def test_a_copy_may_have_other_shared_variables_or_no_updates():
    f, w = known_step()
    other = pytensor.shared(np.arange(3.0), name="other")
    np.testing.assert_allclose(f.copy(swap={w: other})(X), expected_step()[0], rtol=1e-12)
    np.testing.assert_allclose(other.get_value(), expected_step()[1], rtol=1e-12)
    np.testing.assert_allclose(f.copy(delete_updates=True)(X), expected_step()[0], rtol=1e-12)
    np.testing.assert_array_equal(w.get_value(), np.arange(3.0))


def remove_machine_code(file):
    """Remove the machine code of the graph that a file knows."""
    known = json.loads(kept_code.read_kept(file))
    gone = list(NUMBA_CACHE_PATH.glob(f"*{known['key']}*"))
    assert gone
    for code in gone:
        code.unlink()


def test_machine_code_that_is_gone_is_compiled_again_also_with_an_input_of_no_use(files):
    factor, index, w = unique(), pt.lscalar("index"), pytensor.shared(np.arange(3.0), name="w")

    def compiled():
        return function([index], factor * w.sum(), on_unused_input="ignore", backend="numba")

    compiled()(0)
    remove_machine_code(files[0])
    assert compiled()(0) == factor * 3.0


def test_machine_code_that_is_gone_is_compiled_again(rewritten, files):
    factor = unique()
    training_step(factor)
    before = len(rewritten)
    remove_machine_code(files[0])
    f, w = training_step(factor)
    np.testing.assert_allclose(f(X), expected_step()[0], rtol=1e-12)
    np.testing.assert_allclose(w.get_value(), expected_step(factor)[1], rtol=1e-12)
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
