"""theano.gradient and theano.grad: arguments, forms and errors are Theano's. Values are from Theano 1.0.5."""

import numpy as np
import pytest
import scipy.sparse

import symae.theano as theano
import symae.theano.sparse as sparse
import symae.theano.tensor as T

ARRAY = np.arange(4.0)
gradient = theano.gradient


@pytest.fixture
def x():
    return T.vector("x")


def at(expression, x, values=ARRAY):
    return theano.function([x], expression, on_unused_input="ignore")(values).tolist()


def test_gradients_come_in_the_form_of_what_they_are_by(x):
    w = theano.shared(np.ones((2, 2)))
    cost = (w**2).sum() + x.sum()
    assert at(T.grad(cost, w), x) == [[2, 2], [2, 2]]
    assert type(T.grad(cost, [w, x])) is list
    assert type(T.grad(cost, (w, x))) is tuple
    assert type(T.grad(cost, {"w": w, "x": x}.values())) is list


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (lambda x: T.switch(x > 1, x**2, x).sum(), [1, 1, 4, 6]),
        (lambda x: ((x > 1) * x**2).sum(), [0, 0, 4, 6]),
        (lambda x: (x * gradient.disconnected_grad(x)).sum(), [0, 1, 2, 3]),
        (lambda x: (x * gradient.zero_grad(x)).sum(), [0, 1, 2, 3]),
        (lambda x: (x * gradient.consider_constant(x)).sum(), [0, 1, 2, 3]),
        (lambda x: (gradient.grad_clip(x, -1, 1) ** 2).sum(), [0, 1, 1, 1]),
        (lambda x: gradient.grad_scale(x, 3.0).sum(), [3, 3, 3, 3]),
        (lambda x: x[x > 1].sum(), [0, 0, 1, 1]),
        (lambda x: T.max(x), [0, 0, 0, 1]),
    ],
)
def test_gradients(x, cost, expected):
    assert at(T.grad(cost(x), x), x) == expected


def test_the_gradient_of_a_comparison_has_the_dtype_of_what_it_is_by():
    x = T.fvector("x")
    found = theano.function([x], T.grad((T.neq(x, T.dscalar().zeros_like()) * 1.0).sum(), x))([1, 0])
    assert (found.dtype, found.tolist()) == ("float32", [0, 0])


def test_a_gradient_broadcasts_where_its_variable_does():
    row, matrix = T.row(), T.matrix()
    gradients = T.grad(T.dot(matrix, row).sum(), [matrix, row])  # the matrix is a column, which its type does not say
    assert [g.broadcastable for g in gradients] == [(False, False), (True, False)]
    of_matrix, of_row = theano.function([matrix, row], gradients)([[1], [2]], [[3, 4]])
    assert (of_matrix.tolist(), of_row.tolist()) == ([[7], [7]], [[3, 3]])


@pytest.mark.parametrize("floatX", ["float32", "float64"])
@pytest.mark.parametrize(
    ("cost", "of_float32"),  # the dtype of the gradient by a vector of float32; by one of float64 it is float64 (Theano 1.0.5)
    [
        (lambda x: T.gt(x, 0) * 1.0, "float32"),
        (lambda x: T.gt(x, 0) * x * np.ones(3), "float32"),
        (lambda x: T.argmax(x) * 1.0, "float32"),
        (lambda x: np.float64(0.1) * np.ones(3) * x, "float64"),
        (lambda x: T.switch(T.gt(x, 0), x, np.array([1.0, 2.0, 3.0])), "float64"),
        (lambda x: T.nnet.relu(x, np.float64(0.1)), "float64"),
        (lambda x: T.cast(x, "float64") * 2, "float64"),
    ],
)
def test_a_gradient_has_the_dtype_that_theano_gives_it(cost, of_float32, floatX):
    x, y = T.fvector("x"), T.dvector("y")
    with theano.change_flags(floatX=floatX):
        assert [T.grad(T.sum(cost(v)), v).dtype for v in (x, y)] == [of_float32, "float64"]


def test_the_gradient_of_sparse_matrices_that_are_joined_in_another_dtype_is_sparse():
    x = sparse.csr_matrix("x", dtype="float32")
    joined = sparse.dense_from_sparse(sparse.hstack([x, x], format="csr", dtype="float64"))
    found = theano.function([x], T.grad((joined**2).sum(), x), mode="FAST_COMPILE")(
        scipy.sparse.csr_matrix([[0.0, 3.0]], dtype="float32")
    )
    assert found.toarray().tolist() == [[0, 12]]


def test_parts_of_a_cost_are_considered_constant(x):
    scale = x.sum()
    assert at(T.grad((x * scale).sum(), x, consider_constant=[scale]), x) == [6, 6, 6, 6]


def test_a_cost_that_does_not_hang_on_something_says_so(x):
    cost = T.scalar() ** 2
    with pytest.raises(gradient.DisconnectedInputError):
        T.grad(cost, x)
    assert at(T.grad(cost, x, disconnected_inputs="ignore"), x) == [0, 0, 0, 0]


@pytest.mark.parametrize("kind", [dict, list])
def test_gradients_go_on_from_known_ones(x, kind):
    double = x * 2
    known = {double: T.ones_like(x)}
    assert at(T.grad(None, x, known_grads=known if kind is dict else list(known.items())), x) == [2, 2, 2, 2]


def test_only_scalars_have_gradients(x):
    with pytest.raises(TypeError, match=r"(?i)cost must be a scalar"):
        T.grad(x * 2, x)


def test_products_with_jacobians(x):
    assert at(T.Rop(x**2, x, T.ones_like(x)), x) == [0, 2, 4, 6]
    assert at(T.Lop(x**2, x, T.ones_like(x)), x) == [0, 2, 4, 6]
    assert type(T.Rop([x**2], [x], [T.ones_like(x)])) is list


def test_jacobians_and_hessians(x):
    assert at(T.jacobian(x**2, x), x) == np.diag(2 * ARRAY).tolist()
    assert at(T.hessian((x**3).sum(), x), x) == np.diag(6 * ARRAY).tolist()
    assert type(T.jacobian(x**2, [x])) is list


def test_gradients_are_verified():
    rng = np.random.RandomState(0)
    gradient.verify_grad(lambda v: T.switch(v > 0.5, v**2, v), [rng.rand(3)], rng=rng)
    with pytest.raises(gradient.GradientError):
        gradient.verify_grad(lambda v: v * gradient.disconnected_grad(v), [rng.rand(3)], rng=rng)
    with pytest.raises(T.verify_grad.E_grad):
        theano.tests.unittest_tools.verify_grad(lambda v: v * gradient.disconnected_grad(v), [rng.rand(3)])


def test_parts_of_graphs_have_gradients(x):
    w = theano.shared(2.0)
    middle = x + 1
    by_w, by_middle = gradient.subgraph_grad([w], [middle], cost=((middle * w) ** 2).sum())
    assert at(by_w[0], x) == 2 * 2 * float(((ARRAY + 1) ** 2).sum())
    assert at(by_middle[0], x) == (2 * 4 * (ARRAY + 1)).tolist()


def test_one_of_two_expressions_is_computed(x):
    from symae.theano.ifelse import ifelse

    y = T.scalar("y")
    f = theano.function([x, y], ifelse(T.gt(y, 0), x, -x))
    assert f(ARRAY, 1.0).tolist() == ARRAY.tolist()
    assert f(ARRAY, -1.0).tolist() == (-ARRAY).tolist()
    both = ifelse(y, [x, x * 2], [x * 3, x * 4])
    assert [r.tolist() for r in theano.function([x, y], both)(ARRAY, 0.0)] == [(3 * ARRAY).tolist(), (4 * ARRAY).tolist()]


def test_clones_have_replacements(x):
    y = T.vector("y")
    assert at(theano.clone((x - 1).sum(), {x: y * 2}), y) == 8
    assert len(theano.clone([x, x + 1], replace=[(x, y)])) == 2


class Tripled(theano.Op):
    """Twice its input, with an R_op that says three times, so that one sees who was asked."""

    __props__ = ()

    def make_node(self, x):
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = 2 * inputs[0]

    def grad(self, inputs, gradients):
        return [2 * gradients[0]]

    def R_op(self, inputs, points):
        return [None if points[0] is None else 3 * points[0]]


class Broken(Tripled):
    def R_op(self, inputs, points):
        return [None]


POINT = [1.0, 1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: T.dot(x, np.diag([1.0, 2, 3, 4])), [1, 2, 0, 8]),
        (lambda x: Tripled()(x**2) * x, [0, 8, 0, 144]),
        (lambda x: x + T.cast(x, "int32"), POINT),
        (lambda x: T.grad(x.sum() * 3, x), [0, 0, 0, 0]),
        (lambda x: T.max(x.reshape((2, 2)), axis=0), [0, 2]),
    ],
)
@pytest.mark.parametrize("mode", ["FAST_COMPILE", pytest.param("FAST_RUN", marks=pytest.mark.default_mode)])
def test_derivatives_in_a_direction(x, f, expected, mode):
    v = T.vector("v")
    assert theano.function([x, v], T.Rop(f(x), x, v), mode=mode)(ARRAY, POINT).tolist() == expected


@pytest.mark.parametrize("f", [lambda x: Broken()(x) * 2, lambda x: x.shape[0], T.argmax, lambda x: theano.shared(1.0) * 2])
def test_what_has_no_derivative_in_a_direction_says_so(x, f):
    with pytest.raises(gradient.DisconnectedInputError, match=r"Rop: .* depends on none of the variables"):
        T.Rop(f(x), x, T.vector())
    assert not np.any(at(T.Rop(f(x), x, T.vector(), disconnected_outputs="ignore"), x))
    assert T.Rop(f(x), x, T.vector(), "ignore", "None") is None


def test_a_point_has_as_many_dimensions_as_its_variable(x):
    with pytest.raises(ValueError, match="point 0, expected as many dimensions"):
        T.Rop(x * 2, x, T.matrix())


def test_an_operation_without_perform_has_a_gradient(x):
    class OnlyInC(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def c_code(self, *args):
            return ""

        def grad(self, inputs, gradients):
            return [gradients[0] * 5]

    assert at(T.grad(None, x, known_grads={OnlyInC()(x): T.ones_like(x)}), x) == [5, 5, 5, 5]
