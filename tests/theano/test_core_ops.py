"""Ops and rewrites that a script defines work as they were written for Theano."""

import numpy as np
import pytest
from pytensor.compile.mode import Mode

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano import gof
from symae.theano._impl.variables import is_marked

ARRAY = np.arange(4.0)


class Double(theano.Op):
    """Written as the tutorial on Ops did."""

    def __eq__(self, other):
        return type(self) is type(other)

    def __hash__(self):
        return hash(type(self))

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * 2

    def infer_shape(self, node, i0_shapes):
        return i0_shapes

    def grad(self, inputs, output_grads):
        # PyTensor's bool could not be negated
        nowhere = -T.lt(output_grads[0], 0)
        return [output_grads[0] * (nowhere + 1) * 2]

    def R_op(self, inputs, eval_points):
        return eval_points if eval_points[0] is None else self.grad(inputs, eval_points)


class Scaled(theano.Op):
    """With types and properties told, two inputs and an L_op."""

    __props__ = ("by",)
    itypes = [T.dvector, T.dscalar]  # noqa: RUF012
    otypes = [T.dvector]  # noqa: RUF012

    def __init__(self, by):
        self.by = by

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * inputs[1] * self.by

    def L_op(self, inputs, outputs, output_grads):
        x = inputs[0]
        return [output_grads[0] * outputs[0] / x, (output_grads[0] * x).sum() * self.by]


class OneOf(gof.PureOp):
    """Compute only the case that is asked for: without perform, and with a thunk that names the inputs that it waits for."""

    __props__ = ()

    def make_node(self, which, *cases):
        return gof.Apply(self, [which, *cases], [cases[0].type()])

    def make_thunk(self, node, storage_map, compute_map, _, impl=None):  # as Theano's own, which it called by place
        which, (output,) = node.inputs[0], node.outputs

        def thunk():
            if not compute_map[which][0]:
                return [0]
            index = int(storage_map[which][0]) + 1
            if not compute_map[node.inputs[index]][0]:
                return [index]
            storage_map[output][0] = storage_map[node.inputs[index]][0].copy()
            return []

        thunk.lazy = True
        thunk.inputs, thunk.outputs = [storage_map[v] for v in node.inputs], [storage_map[output]]
        return thunk


@pytest.fixture
def x():
    return T.vector("x")


def test_an_op_computes_and_has_a_gradient(x):
    y = Double()(x)
    assert is_marked(y)
    assert theano.function([x], y)(ARRAY).tolist() == [0, 2, 4, 6]
    assert theano.function([x], T.grad(y.sum(), x))(ARRAY).tolist() == [2, 2, 2, 2]
    assert theano.function([x], T.Rop(y, x, T.ones_like(x)))(ARRAY).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("mode", [None, "FAST_COMPILE"])
def test_an_op_may_have_a_thunk_in_the_place_of_perform(x, mode):
    which = T.lscalar()
    f = theano.function([which, x], OneOf()(which, x * 2, x**3), mode=mode)
    np.testing.assert_array_equal(f(0, ARRAY), ARRAY * 2)
    np.testing.assert_array_equal(f(1, ARRAY), ARRAY**3)


def test_all_ops_are_theanos(x):
    assert isinstance(T.exp(x).owner.op, theano.Op)
    assert isinstance(T.exp(x).owner.op, gof.PureOp)
    assert isinstance(Double(), gof.op.PureOp)
    assert not isinstance(T.exp(x).owner.op, Double)
    assert not isinstance(x, theano.Op)


def test_a_shape_is_known_without_computing(x):
    f = theano.function([x], Double()(x).shape, mode=Mode("py", "fast_run"))
    assert f(ARRAY).tolist() == [4]
    assert not any(isinstance(node.op, Double) for node in f.maker.fgraph.toposort())


def test_types_of_inputs_and_an_l_op(x):
    k = T.dscalar()
    y = Scaled(3.0)(x, k)
    assert theano.function([x, k], y)(ARRAY, 2.0).tolist() == [0, 6, 12, 18]
    gradients = theano.function([x, k], T.grad(y.sum(), [x, k]))(ARRAY + 1, 2.0)
    assert [g.tolist() for g in gradients] == [[6, 6, 6, 6], 30]
    with pytest.raises(TypeError):
        Scaled(3.0)(T.imatrix(), k)


def test_gradients_of_ops_are_verified():
    theano.gradient.verify_grad(Scaled(2.0), [np.ones(3), np.float64(2.0)], rng=np.random.RandomState(0))


def test_functions_become_ops(x):
    @theano.compile.ops.as_op(itypes=[T.dvector], otypes=[T.dvector, T.dscalar])
    def both(a):
        return a + 1, a.sum()

    assert [r.tolist() for r in theano.function([x], both(x))(ARRAY)] == [[1, 2, 3, 4], 6]
    with pytest.raises(TypeError, match="otypes"):
        theano.as_op([T.dvector], ["float64"])


def test_functions_become_ops_with_shapes(x):
    op = theano.as_op(T.dvector, T.dvector, infer_shape=lambda node, shapes: shapes)(lambda a: a + 1)
    f = theano.function([x], op(x).shape, mode=Mode("py", "fast_run"))
    assert f(ARRAY).tolist() == [4]
    assert all("lambda" not in str(node.op) for node in f.maker.fgraph.toposort())


def test_rewrites_take_a_node(x):
    @gof.local_optimizer([T.exp])
    def no_exponentials(node):
        return [node.inputs[0] * 0] if node.op == T.exp else False

    rewritten = gof.FunctionGraph([x], [T.exp(x) + 1], clone=True)
    gof.TopoOptimizer(no_exponentials).rewrite(rewritten)
    assert T.exp not in [node.op for node in rewritten.toposort()]


def test_rewrites_are_classes_too(x):
    class NoExponentials(gof.LocalOptimizer):
        def tracks(self):
            return [T.exp]

        def transform(self, node):
            return [node.inputs[0] * 0] if node.op == T.exp else False

    rewritten = gof.FunctionGraph([x], [T.exp(x) + 1], clone=True)
    gof.TopoOptimizer(NoExponentials()).optimize(rewritten)
    assert T.exp not in [node.op for node in rewritten.toposort()]
    assert all(map(is_marked, rewritten.outputs))


def test_the_rewrites_of_a_mode_are_applied_by_hand(x):
    graph = gof.FunctionGraph([x], [T.log(T.exp(x)) * 1], clone=True)
    theano.compile.get_mode("FAST_RUN").optimizer.optimize(graph)
    assert graph.outputs == graph.inputs


def test_graphs_are_searched(x):
    w, two = theano.shared(ARRAY, name="w"), T.constant(2.0)
    cost = ((x - w) * two).sum()
    assert gof.graph.inputs([cost])[:2] == [x, w]
    assert [v for v in gof.graph.inputs([cost]) if isinstance(v, theano.compile.SharedVariable)] == [w]
    assert cost in gof.graph.ancestors([cost])
    assert len(gof.graph.list_of_nodes([x, w], [cost])) >= 3
    assert gof.graph.is_same_graph(x + w, x + w)
    assert not gof.graph.is_same_graph(x + w, x - w)
    rows = np.array([0, 1])
    assert gof.graph.is_same_graph(w[rows], w[T.constant(rows)])
    assert not gof.graph.is_same_graph(w[rows], w[T.constant(rows + 1)])
    inputs, outputs = gof.graph.clone([x], [cost])
    assert inputs[0] is not x
    assert is_marked(outputs[0])


def test_small_tools_of_gof():
    assert gof.utils.uniq([1, 2, 1]) == [1, 2]
    assert not gof.utils.unique([1, 1])
    assert gof.utils.difference([1, 2, 3], [2]) == [1, 3]
    assert gof.utils.flatten([1, [2, (3,)]]) == [1, 2, 3]
    assert gof.utils.hist("aab") == {"a": 2, "b": 1}
    names = [v.name for v in gof.utils.give_variables_names([T.scalar(), T.scalar("a"), T.scalar("b"), T.scalar("b")])]
    assert len(set(names)) == 4


def test_raising_is_an_expression(x):
    from symae.theano.raise_op import Assert, Raise

    with pytest.raises(KeyError, match="boom"):
        theano.function([x], Raise("boom", KeyError)(x))(ARRAY)
    with pytest.raises(AssertionError, match="small"):
        theano.function([x], Assert("small")(x, x.sum() > 100))(ARRAY)


def test_an_op_runs_among_machine_code(x):
    with pytest.warns(UserWarning, match="object mode"):
        f = theano.function([x], (Double()(x) > 3).sum(), mode="numba")
    assert f(ARRAY) == 2
