"""theano.scan takes what Theano's took and returns what it returned. Values are from Theano 1.0.5."""

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import is_marked

ONE, ZERO = np.float64(1.0), np.float64(0.0)


@pytest.fixture
def s():
    return theano.shared(np.arange(5.0), name="s")


def values(loop):
    outputs, updates = loop
    outputs = outputs if isinstance(outputs, list) else [outputs]
    return [value.tolist() for value in theano.function([], outputs, updates=updates)()]


@pytest.mark.parametrize(
    ("loop", "expected"),
    [
        (lambda s: theano.map(lambda a: a * 2, s), [0, 2, 4, 6, 8]),
        (lambda s: theano.scan(lambda a: a * 2, [s]), [0, 2, 4, 6, 8]),
        (lambda s: theano.scan(lambda a: a * 2, {"input": s}), [0, 2, 4, 6, 8]),
        (lambda s: theano.scan(lambda a: a * 2, s, n_steps=1), [0]),
        (lambda s: theano.scan(lambda a: a * 2, s, n_steps=np.float64(2.0)), [0, 2]),
        (lambda s: theano.scan(lambda a, b: a + b, {"input": s, "taps": [-1, 0]}), [1, 3, 5, 7]),
        (lambda s: theano.scan(lambda a, b: a + b, s, ZERO), [0, 1, 3, 6, 10]),
        (lambda s: theano.scan(lambda a, b: a + b, s, ZERO, go_backwards=True), [4, 7, 9, 10, 10]),
        (lambda s: theano.scan(lambda a: a * 2, outputs_info=ONE, n_steps=1), [2]),
        (
            lambda s: theano.scan(lambda a, k: a * k, outputs_info=T.ones_like(s), non_sequences=s, n_steps=2),
            [[0, 1, 2, 3, 4], [0, 1, 4, 9, 16]],
        ),
        (
            lambda s: theano.scan(lambda a, b: a + b, outputs_info={"initial": np.ones(2), "taps": [-2, -1]}, n_steps=5),
            [2, 3, 5, 8, 13],
        ),
        (
            lambda s: theano.scan(lambda a: (a * 2, theano.scan_module.until(a > 10)), outputs_info=ONE, n_steps=50),
            [2, 4, 8, 16, 32],
        ),
        (lambda s: theano.scan(lambda a, b: a + b, np.arange(3.0), ZERO), [0, 1, 3]),
        (
            lambda s: theano.scan(lambda a, b: a + b, s, T.unbroadcast(T.alloc(ZERO, 1, 2), 0)),
            [[[0, 0]], [[1, 1]], [[3, 3]], [[6, 6]], [[10, 10]]],
        ),
        (lambda s: theano.reduce(lambda a, b: a + b, s, ZERO), 10),
        (lambda s: theano.foldl(lambda a, b: a - b, s, ZERO), 2),
        (lambda s: theano.foldr(lambda a, b: a - b, s, ZERO), 2),
    ],
)
def test_loops(s, loop, expected):
    assert values(loop(s)) == [expected]


def test_outputs_with_and_without_memory(s):
    loop = theano.scan(lambda a, b: [a * 2, b + a], s, [None, ZERO])
    assert isinstance(loop[0], list)
    assert values(loop) == [[0, 2, 4, 6, 8], [0, 1, 3, 6, 10]]


def test_one_output_is_a_list_if_that_is_asked(s):
    assert not isinstance(theano.scan(lambda a: [a * 2], s)[0], list)
    assert isinstance(theano.scan(lambda a: [a * 2], s, return_list=True)[0], list)


def test_steps_compare_as_theano_did(s):
    seen = []

    def step(a, k):
        seen.extend([is_marked(a), is_marked(k), (a > k).dtype, (s > a).dtype])
        return (s > a).sum()

    assert values(theano.scan(step, T.arange(3), non_sequences=T.constant(ONE))) == [[4, 3, 2]]
    assert seen == [True, True, "int8", "int8"]
    assert is_marked(s)


def test_updates_can_be_added_to_lists(s):
    count, v = theano.shared(0.0, name="count"), theano.shared(1.0, name="v")
    outputs, updates = theano.scan(lambda a: (a + count, {count: count + 1}), s)
    both = updates + [(v, v + 1)]  # noqa: RUF005  (what scripts write)
    assert theano.function([], outputs, updates=both)().tolist() == [0, 2, 4, 6, 8]
    assert (count.get_value(), v.get_value()) == (5, 2)


def test_updates_are_a_mapping_in_order(s):
    count, v = theano.shared(0.0, name="count"), theano.shared(1.0, name="v")
    _, updates = theano.scan(lambda a: (a, [(count, count + 1)]), s)
    updates[v] = v + 1
    assert list(updates) == [count, v]
    assert [key for key, _ in updates.items()] == [count, v]
    assert list([(v, v)] + theano.OrderedUpdates()) == [v]  # noqa: RUF005
    with pytest.raises(TypeError, match="expected a shared variable"):
        updates["v"] = v
    with pytest.raises(KeyError, match="Collision"):
        updates.update({v: v + 2})


def test_a_loop_may_have_updates_only():
    count = theano.shared(0.0)
    outputs, updates = theano.scan(lambda: [(count, count + 1)], n_steps=4)
    assert outputs is None
    theano.function([], updates=updates)()
    assert count.get_value() == 4


def test_dictionaries_can_be_used_twice(s):
    given = {"input": s, "taps": -1}
    assert values(theano.scan(lambda a: a, given)) == values(theano.scan(lambda a: a, given)) == [[0, 1, 2, 3]]
    assert given == {"input": s, "taps": -1}


def test_gradients_go_through_loops(s):
    last = theano.scan(lambda a, b: a * b, s + 1, ONE)[0][-1]
    assert T.grad(last, s).eval().tolist() == [120, 60, 40, 30, 24]
    cut = theano.scan(lambda a, b: a * b, s + 1, ONE, truncate_gradient=2)[0][-1]
    assert T.grad(cut, s).eval().tolist() == [0, 0, 0, 30, 24]


def test_strict_loops_name_what_they_lack(s):
    with pytest.raises(Exception, match=r"Scan is missing inputs|depends on shared variable"):
        theano.scan(lambda a: a * s.sum(), T.arange(3), strict=True)


def test_a_loop_without_an_end_is_refused():
    with pytest.raises(ValueError, match="number of steps"):
        theano.scan(lambda: T.constant(1))


def test_no_inner_variable_is_left_with_theanos_operators(s):
    outputs, _ = theano.scan(lambda a, b: b + (a > b), s, ZERO)
    inner = outputs.owner.inputs[0].owner.op.fgraph
    assert not any(is_marked(output) for output in inner.outputs)


POWERS = np.array([1.0, 2.0])


@pytest.mark.parametrize(("every", "steps", "kept"), [(2, 5, [2, 4, 5]), (3, 4, [3, 4]), (3, 6, [3, 6])])
def test_checkpoints_keep_every_nth_step_and_the_last_one(every, steps, kept):
    a, k = T.vector("a"), T.iscalar("k")
    outputs, _ = theano.scan_checkpoints(lambda p, a: p * a, None, T.ones_like(a), a, n_steps=k, save_every_N=every)
    f = theano.function([a, k], [outputs, T.grad(outputs[-1].sum(), a)])
    powers, gradient = f(POWERS, steps)
    np.testing.assert_array_equal(powers, [POWERS**n for n in kept])
    np.testing.assert_array_equal(gradient, steps * POWERS ** (steps - 1))


@pytest.mark.parametrize(("length", "padding", "sums"), [(5, True, [3, 10, 15]), (4, False, [3, 10])])
def test_checkpoints_go_over_sequences_of_any_length(length, padding, sums):
    x = T.vector("x")
    step = lambda s, total: (total + s, s)  # noqa: E731
    (totals, last), _ = theano.scan_checkpoints(step, x, [ZERO, None], save_every_N=2, padding=padding)
    numbers = np.arange(1.0, 1 + length)
    for found, expected in zip(
        theano.function([x], [totals, last])(numbers), (sums, [*numbers[1::2], *numbers[4:]]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_checkpoints_refuse_taps():
    with pytest.raises(RuntimeError, match="scan_checkpoints: found taps"):
        theano.scan_checkpoints(lambda a: a, outputs_info={"initial": np.ones(2), "taps": [-2]}, n_steps=2)


def test_the_op_of_a_loop_shows_its_step():
    x, factor = T.dvector("x"), T.dscalar("factor")
    outputs, _ = theano.scan(lambda s, f: s * f, x, non_sequences=factor)
    op = outputs.owner.op
    assert all(map(is_marked, [*op.inputs, *op.outputs]))
    step = theano.function(op.inputs, [output + 1 for output in op.outputs])
    assert step(3.0, 4.0) == [13]
    assert op.outputs == op.outputs
    assert op.var_mappings["outer_inp_from_inner_inp"] == {0: 1, 1: 3}
    assert theano.function([x, factor], outputs)([1.0, 2.0], 2.0).tolist() == [2, 4]


def test_a_loop_whose_test_value_was_computed_has_a_gradient():
    w, x = theano.shared(2.0), T.dvector("x")
    x.tag.test_value = np.array([1.0, 2.0, 3.0])
    with theano.change_flags(compute_test_value="raise"):
        outputs, _ = theano.scan(lambda s, total: total + T.cast(s, "float32") * w, x, ZERO)
        cost = outputs[-1]
        gradient = T.grad(cost, w)
    assert cost.tag.test_value == 12
    assert theano.function([x], [cost, gradient])([1.0, 2.0, 3.0]) == [12, 6]
