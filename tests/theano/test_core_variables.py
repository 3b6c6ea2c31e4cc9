"""Variables of symae.theano mean what Theano's meant."""

import copy
import pickle

import numpy as np
import pytensor.tensor as pt
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import as_theano, behind, divided, is_marked, mark, plain, unmark

ARRAY = np.arange(4.0)


def value(expression, **given):
    return theano.function([], expression, givens=given)() if given else expression.eval()


@pytest.fixture
def x():
    return T.vector("x")


@pytest.mark.parametrize(
    "compare",
    [
        lambda x: x > 1,
        lambda x: x >= 1,
        lambda x: x < 1,
        lambda x: x <= 1,
        lambda x: 1 > x,  # noqa: SIM300  (a number that is compared with a variable)
        lambda x: T.eq(x, 1),
        lambda x: T.neq(x, 1),
        lambda x: T.isnan(x),
        lambda x: T.isinf(x),
        lambda x: T.isclose(x, 1.0),
        lambda x: T.any(x),
        lambda x: x.all(),
        lambda x: np.ones(4) < x,
    ],
)
def test_comparisons_are_int8(x, compare):
    answer = compare(x)
    assert answer.dtype == "int8"
    assert set(np.ravel(answer.eval({x: ARRAY}))) <= {0, 1}


def test_answers_can_be_added_negated_and_averaged(x):
    one, two = T.eq(x, 1), T.eq(x, 2)
    assert (one + two + one).eval({x: ARRAY}).tolist() == [0, 2, 1, 0]
    assert (-one).eval({x: ARRAY}).tolist() == [0, -1, 0, 0]
    assert (1 - one).eval({x: ARRAY}).tolist() == [1, 0, 1, 1]
    assert float(T.mean(T.neq(x, 1)).eval({x: ARRAY})) == 0.75


def test_not_of_an_answer_is_the_other_answer(x):
    assert (~(x > 1)).eval({x: ARRAY}).tolist() == [1, 1, 0, 0]
    assert (~~(x > 1)).dtype == "int8"
    assert ((x > 0) & (x < 2)).eval({x: ARRAY}).tolist() == [0, 1, 0, 0]
    assert T.xor(x > 0, x < 2).eval({x: ARRAY}).tolist() == [1, 0, 1, 1]


def test_not_of_whole_numbers_turns_bits():
    assert (~T.constant(np.array([0, 1]))).eval().tolist() == [-1, -2]


def test_an_answer_picks_what_it_says_yes_to(x):
    assert x[x > 1].eval({x: ARRAY}).tolist() == [2, 3]
    assert x[(x > 1).nonzero()].eval({x: ARRAY}).tolist() == [2, 3]


def test_whole_numbers_pick_by_position(x):
    assert x[T.cast(x > 1, "int32")].eval({x: ARRAY}).tolist() == [0, 0, 1, 1]


def test_a_variable_is_something_and_an_answer_is_not_known(x):
    assert x
    assert x.sum()
    with pytest.raises(TypeError, match="do not support boolean operations"):
        bool(x > 1)


@pytest.mark.parametrize(
    ("how", "dtype", "expected"), [("int", "int32", [-2, 1]), ("floatX", "float64", [-1.5, 1.5]), ("raise", None, None)]
)
def test_python_2s_division_follows_int_division(how, dtype, expected):
    i = T.constant(np.array([-3, 3], "int32"))
    with theano.change_flags(int_division=how):
        if how == "raise":
            with pytest.raises(TypeError, match="int_division"):
                divided(i, 2)
            return
        quotient = i.__div__(2)
    assert quotient.dtype == dtype
    assert quotient.eval().tolist() == expected


def test_python_2s_division_of_floats_is_division(x):
    assert divided(x, 2).eval({x: ARRAY}).tolist() == [0, 0.5, 1, 1.5]
    assert x.__rdiv__(6.0).eval({x: ARRAY[1:]}).tolist() == [6, 3, 2]


def test_python_3s_division_is_division():
    assert (T.constant(np.array([3])) / 2).eval().tolist() == [1.5]


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x.T,
        lambda x: x * 2,
        lambda x: 2 + x,
        lambda x: x.sum(),
        lambda x: x.dimshuffle("x", 0),
        lambda x: x[1:],
        lambda x: x.shape[0],
        lambda x: T.exp(x),
        lambda x: T.stack([x, x]),
        lambda x: next(iter(x.nonzero())),
        lambda x: x.reshape((2, 2)),
        lambda x: T.grad(x.sum(), x),
        lambda x: theano.clone(x + 1),
        lambda x: theano.scan(lambda a: a + 1, x)[0],
        lambda x: T.dvector(),
        lambda x: theano.shared(ARRAY),
        lambda x: T.constant(2),
        lambda x: copy.copy(x),
        lambda x: pickle.loads(pickle.dumps(x)),
    ],
)
def test_everything_that_legacy_code_gets_compares_as_theano_did(x, made):
    assert is_marked(made(x))


def test_pytensors_functions_see_pytensors_operators(x):
    seen = []

    def theirs(a):
        seen.append((a > 0).dtype)
        return a * 2

    assert is_marked(as_theano(theirs)(x))
    assert seen == ["bool"]
    assert is_marked(x)


def test_arguments_are_marked_again_after_an_error(x):
    with pytest.raises(ZeroDivisionError):
        as_theano(lambda a: 1 / 0)(x)
    assert is_marked(x)


def test_plain_reaches_all_that_an_expression_hangs_on(x):
    shared = theano.shared(1.0)
    shared.default_update = shared + T.exp(x).sum()
    cost = (x * shared).sum()
    with plain(cost):
        assert not any(is_marked(v) for v in behind((cost, shared.default_update)))
    assert is_marked(x)
    assert is_marked(shared)


def test_marking_leaves_other_things_alone():
    rest = [1, "two", None, {"three": 3.0}]
    assert mark(rest) is rest
    assert type(unmark(T.matrix())) is type(pt.matrix())


def test_default_updates_are_set_without_a_word():
    shared = theano.shared(0.0)
    shared.default_update = shared + 1
    theano.function([], shared)()
    assert shared.get_value() == 1
    shared.default_update = None
    theano.function([], shared)()
    assert shared.get_value() == 1


def test_values_are_read_and_set_as_in_theanos_first_years():
    shared = theano.shared(ARRAY)
    shared.value = ARRAY + 1
    assert shared.value.tolist() == [1, 2, 3, 4]
    assert T.constant(3).value == 3


def test_eval_compiles_once(x):
    double = x * 2
    assert double.eval({x: ARRAY}).tolist() == [0, 2, 4, 6]
    assert double.eval({x: ARRAY[:1]}).tolist() == [0]
    assert len(double._fn_cache) == 1


def test_constants_and_shapes_are_unpacked(x):
    rows, columns = T.constant([3, 2])
    assert (int(rows.eval()), int(columns.eval())) == (3, 2)
    assert len(list(T.matrix().shape)) == 2
    with pytest.raises(ValueError, match="Length of"):
        list(x)
    with pytest.raises(TypeError, match="does not support iteration"):
        sum(T.constant([[1, 2], [3, 4]]))
