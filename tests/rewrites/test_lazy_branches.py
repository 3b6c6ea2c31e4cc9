"""What only one branch needs is computed if that branch is asked for, and else not; what both need, once."""

from __future__ import annotations

import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.op import Op
from pytensor.graph.traversal import ancestors

from symae import function
from symae.compile import compile_time, options
from symae.ops.lazy_ifelse import LazyIfElse
from symae.rewrites.lazy_branches import IfElse, LazyBranches, surrounding_mode

N_GRAPHS = 200


class Noted(Op):
    """A number made of two, which the tests can tell to have been computed."""

    __props__ = ("number",)

    def __init__(self, number):
        self.number = number

    def make_node(self, a, b):
        return Apply(self, [a, b], [pt.lscalar()])

    def value(self, a, b):
        return (31 * a + 17 * b + self.number) % 101

    def perform(self, node, inputs, storage):
        storage[0][0] = np.asarray(self.value(*inputs))


def chosen(v):
    """Whether a choice is among what `v` is made of."""
    return any(isinstance(getattr(a.owner, "op", None), IfElse) for a in ancestors([v]))


def random_graph(rng, shared_choices):
    """Numbers and choices between them; with `shared_choices`, of which several others may be made."""
    inputs = [pt.lscalar() for _ in range(4)]
    variables = list(inputs)
    for i in range(rng.randint(4, 24)):
        if rng.random() < 0.6:
            found = [Noted(i)(*(used := rng.choices(variables[-8:], k=2)))]
        else:
            n = rng.choice([1, 1, 2])
            condition = rng.choice(inputs[:2] if rng.random() < 0.7 else variables)
            used = [condition, *rng.choices(variables[-8:], k=2 * n)]
            found = IfElse(n)(*used, return_list=True)
        if not shared_choices:
            variables = [v for v in variables if v.owner not in {u.owner for u in used} or not chosen(v)]
        variables += found
    return FunctionGraph(inputs, rng.sample(variables[-8:], 2), clone=True)


def on_demand(fgraph, given):
    """Compute the outputs, and how often each number, as one who asks for nothing that is not needed."""
    known = dict(zip(fgraph.inputs, given, strict=True))
    computed = Counter()

    def value(v):
        if v not in known:
            op, inputs = v.owner.op, v.owner.inputs
            if isinstance(op, IfElse):
                branch = inputs[1:][: op.n_outs] if value(inputs[0]) else inputs[1 + op.n_outs :]
                known.update(zip(v.owner.outputs, map(value, branch), strict=True))  # all of it, as Theano does
            else:
                computed[op.number] += 1
                known[v] = op.value(*map(value, inputs))
        return known[v]

    return [value(v) for v in fgraph.outputs], computed


def in_turn(fgraph, given, computed):
    """Compute the outputs, everything in the graph in turn."""
    known = dict(zip(fgraph.inputs, given, strict=True))
    for node in fgraph.toposort():
        inputs = [v.data.item() if v not in known else known[v] for v in node.inputs]
        if isinstance(node.op, LazyIfElse):
            found = in_turn(node.op.then if inputs[0] else node.op.otherwise, inputs[1:], computed)
        elif isinstance(node.op, IfElse):
            found = inputs[1:][: node.op.n_outs] if inputs[0] else inputs[1 + node.op.n_outs :]
        else:
            computed[node.op.number] += 1
            found = [node.op.value(*inputs)]
        known.update(zip(node.outputs, found, strict=True))
    return [known[v] for v in fgraph.outputs]


@pytest.fixture
def only_lazy_branches():
    """Return a mode without other rewrites."""
    mode = SimpleNamespace(linker=None, optimizer=SimpleNamespace(rewrite=LazyBranches().rewrite))
    token = surrounding_mode.set(mode)
    yield LazyBranches().rewrite
    surrounding_mode.reset(token)


@pytest.mark.parametrize("shared_choices", [False, True])
def test_random_graphs_compute_what_is_needed(only_lazy_branches, shared_choices):
    needless = 0
    for seed in range(N_GRAPHS):
        rng = random.Random(seed)
        before = random_graph(rng, shared_choices)
        after = before.clone()
        only_lazy_branches(after)
        for _ in range(4):
            given = [rng.randint(0, 1), rng.randint(0, 1), rng.randint(0, 100), rng.randint(0, 100)]
            expected, needed = on_demand(before, given)
            computed = Counter()
            assert in_turn(after, given, computed) == expected, seed
            needless += bool(set(computed) - set(needed))
    # choices that several conditions share are made in any case, or there might be as many copies of them as ways to them
    assert needless <= (N_GRAPHS * 4 // 25 if shared_choices else 0)


def test_a_long_chain_of_choices_stays_small(only_lazy_branches):
    """Each of them is needed by both branches of the next, or there would be 2**60 copies of the first."""
    x, conditions = pt.lscalar(), [pt.lscalar() for _ in range(60)]
    h = x
    for i, condition in enumerate(conditions):
        (h,) = IfElse(1)(condition, Noted(i)(h, h), h, return_list=True)
    graph = FunctionGraph([x, *conditions], [h])
    only_lazy_branches(graph)
    assert len(graph.apply_nodes) == 60
    computed = Counter()
    in_turn(graph, [1, *([0] * 59), 1], computed)
    assert computed == Counter({59: 1})


def test_machine_code_of_other_branches_is_other_code():
    """The key under which it is kept knows what is in the branches."""
    c, x = pt.iscalar("c"), pt.dvector("x")
    twice, thrice, again = (function([c, x], pt.exp(IfElse(1)(c, x[0] * k, x.sum())), backend="numba") for k in (2.0, 3.0, 2.0))
    assert [f(1, [1.0, 2.0]) for f in (twice, thrice, again)] == [np.exp(2.0), np.exp(3.0), np.exp(2.0)]
    assert [f(0, []) for f in (twice, thrice, again)] == [1.0] * 3
    assert compile_time(again).cached


def test_branches_do_not_work_in_place_on_what_others_need():
    c, x = pt.iscalar("c"), pt.dvector("x")
    y = pt.exp(x)
    f = function([c, x], [IfElse(1)(c, pt.set_subtensor(y[0], 5.0) + x[1], y * 2), y], backend="numba")
    x = np.zeros(2)
    assert [v.tolist() for v in f(1, x)] == [[5.0, 1.0], [1.0, 1.0]]
    assert [v.tolist() for v in f(0, x)] == [[2.0, 2.0], [1.0, 1.0]]


def test_it_can_be_left_out():
    c, x = pt.iscalar("c"), pt.dvector("x")
    y = IfElse(1)(c, x[0] * 2, x.sum())

    def ops():
        return {type(node.op) for node in function([c, x], y, backend="jax").maker.fgraph.apply_nodes}

    pytest.importorskip("jax")
    assert LazyIfElse in ops()
    with options(exclude=["lazy_branches"]):
        assert LazyIfElse not in ops()
