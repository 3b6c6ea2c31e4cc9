"""theano.function and theano.shared: arguments, defaults, updates and errors are Theano's. Values are from Theano 1.0.5."""

import copy
import pickle
import warnings
from collections import OrderedDict

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T

ARRAY = np.arange(4.0)


@pytest.fixture
def x():
    return T.vector("x")


@pytest.fixture
def y():
    return T.scalar("y")


def test_an_input_has_its_default_value_unless_it_is_given(x, y):
    f = theano.function([x, theano.In(y, value=2.0, name="z")], x * y)
    assert f(ARRAY).tolist() == [0, 2, 4, 6]
    assert f(ARRAY, 3.0).tolist() == [0, 3, 6, 9]
    assert f(ARRAY, z=3.0).tolist() == [0, 3, 6, 9]
    assert f(ARRAY).tolist() == [0, 2, 4, 6]
    assert f[y] == 2
    f["z"] = 4.0
    assert f(ARRAY).tolist() == [0, 4, 8, 12]


def test_param_is_in_under_its_older_name(x, y):
    assert theano.function([x, theano.Param(y, default=2.0)], x * y)(ARRAY).tolist() == [0, 2, 4, 6]


def test_an_input_with_an_update_keeps_what_it_became(x, y):
    f = theano.function([y, theano.In(x, value=ARRAY, update=x + y)], x.sum())
    assert [float(f(1.0)), float(f(1.0))] == [6, 10]
    assert f[x].tolist() == [2, 3, 4, 5]


def test_outputs_by_name(x):
    f = theano.function([x], {"b": x.sum(), "a": x + 1})
    assert list(f(ARRAY)) == ["a", "b"]
    assert f(ARRAY)["b"] == 6
    assert list(f(ARRAY, output_subset=["b"])) == ["b"]


def test_one_output_a_list_and_none(x):
    assert theano.function([x], x)(ARRAY).tolist() == ARRAY.tolist()
    assert [r.tolist() for r in theano.function([x], [x])(ARRAY)] == [ARRAY.tolist()]
    assert theano.function([x], on_unused_input="ignore")(ARRAY) == []
    assert theano.function([x], [], on_unused_input="ignore")(ARRAY) == []


def test_inputs_go_by_name(x, y):
    assert theano.function([x, y], x * y)(y=2.0, x=ARRAY).tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize("kind", [list, tuple, dict, OrderedDict, iter, theano.OrderedUpdates])
def test_updates_in_any_form(kind):
    v = theano.shared(3.0)
    before = theano.function([], v, updates=kind([(v, v + 1)]))()
    assert (before, v.get_value()) == (3, 4)


def test_a_number_is_an_update(y):
    v = theano.shared(3.0)
    theano.function([], updates={v: 8.0})()
    assert v.get_value() == 8


def test_givens_in_any_form(x):
    w = theano.shared(np.ones(2))
    assert theano.function([], x.sum(), givens={x: w})() == 2
    assert theano.function([], x.sum(), givens=[(x, w)])() == 2
    assert theano.function([], x.sum(), givens={x: np.ones(5)})() == 5
    assert theano.function([], w * 2, givens={w: w + 1})().tolist() == [4, 4]


def test_minibatches_are_given():
    index, x, y = T.lscalar("index"), T.matrix("x"), T.ivector("y")
    data = theano.shared(np.arange(12.0).reshape(6, 2))
    labels = T.cast(theano.shared(np.arange(6.0)), "int32")
    rows = slice(index * 2, (index + 1) * 2)
    f = theano.function([index], [x.sum(), y.sum()], givens={x: data[rows], y: labels[rows]})
    assert [float(r) for r in f(1)] == [22, 5]


def test_an_unused_input_is_refused_in_theanos_words(x, y):
    with pytest.raises(theano.compile.UnusedInputError, match=r"input variable at index 1 is not part of .*: y"):
        theano.function([x, y], x)
    with pytest.warns(UserWarning, match="is not part of"):
        theano.function([x, y], x, on_unused_input="warn")
    assert theano.function([x, y], x, on_unused_input="ignore")(ARRAY, 1.0) is not None
    with theano.change_flags(on_unused_input="ignore"):
        theano.function([x, y], x)


def test_an_input_twice_is_refused(x):
    with pytest.raises(theano.compile.UnusedInputError, match="x is used twice"):
        theano.function([x, x], x)


def test_one_input_without_a_list_is_refused(x):
    with pytest.raises(TypeError, match="expected a list"):
        theano.function(x, x)


def test_an_update_of_another_type_is_refused():
    with pytest.raises(TypeError, match="An update must have the same type as the original shared variable"):
        theano.function([], updates=[(theano.shared(1), theano.shared(1.0))])


def test_two_updates_of_one_variable_are_refused():
    v = theano.shared(1.0)
    with pytest.raises(ValueError, match="already has an update"):
        theano.function([], updates=[(v, v + 1), (v, v + 2)])


def test_values_are_cast_down_only_where_it_is_allowed():
    i = T.iscalar()
    with pytest.raises(TypeError):
        theano.function([i], i)(2.5)
    assert theano.function([i], i, allow_input_downcast=True)(2.5) == 2
    assert theano.function([theano.In(i, allow_downcast=True)], i)(2.5) == 2


def test_default_updates_can_be_switched_off():
    s = theano.shared(0.0)
    s.default_update = s + 1
    theano.function([], s, no_default_updates=True)()
    theano.function([], s, no_default_updates=[s])()
    assert s.get_value() == 0
    theano.function([], s)()
    assert s.get_value() == 1


def test_copies_swap_shared_variables_and_drop_updates(y):
    s, other = theano.shared(0.0, name="s"), theano.shared(10.0, name="other")
    f = theano.function([y], s, updates=[(s, s + y)])
    swapped, still = f.copy(swap={s: other}), f.copy(delete_updates=True)
    f(1.0), swapped(1.0), still(1.0)
    assert (s.get_value(), other.get_value()) == (1, 11)


def test_values_of_shared_variables_are_asked_of_functions():
    w = theano.shared(np.ones(2), name="w")
    f = theano.function([], w * 2)
    assert f[w].tolist() == f["w"].tolist() == [1, 1]
    assert w in f
    assert T.scalar() not in f
    assert f.get_shared() == [w]


def test_functions_have_names_and_graphs(x):
    f = theano.function([x], T.exp(x), name="powers")
    assert f.name == "powers"
    assert any(isinstance(node.op, T.Elemwise) for node in f.maker.fgraph.toposort())
    f.trust_input = True
    assert f.trust_input


@pytest.mark.parametrize(("behind", "expected"), [(KeyboardInterrupt, KeyboardInterrupt), (ValueError, SystemError)])
def test_an_interrupt_within_compiled_code_is_one(x, behind, expected):
    def compiled(value):
        try:
            try:
                raise behind
            except behind as error:
                raise SystemError("an inner function returned a result with an exception set") from error
        except SystemError as error:
            raise SystemError("a function returned a result with an exception set") from error

    f = theano.function([x], x)
    f._compiled = compiled
    with pytest.raises(expected):
        f(0.0)


def test_functions_can_be_pickled(x):
    assert pickle.loads(pickle.dumps(theano.function([x], x.sum())))(ARRAY) == 6


def test_functions_of_gradients_of_diagonals_can_be_pickled():
    X = T.dmatrix()
    f = theano.function([X], T.grad((T.diag(T.diag(X)) ** 2).sum(), X), mode="FAST_COMPILE")
    assert pickle.loads(pickle.dumps(f))([[1, 2], [3, 4]]).tolist() == [[2, 0], [0, 8]]


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "DebugMode", "fast_compile"])
def test_modes_by_name(x, mode):
    assert theano.function([x], x * 2, mode=mode)(ARRAY).tolist() == [0, 2, 4, 6]


def test_modes_as_objects(x):
    for mode in (theano.Mode("py", "fast_compile"), theano.compile.get_mode("FAST_COMPILE").excluding("fusion")):
        assert theano.function([x], x * 2, mode=mode)(ARRAY).tolist() == [0, 2, 4, 6]


def test_a_mode_of_a_script_has_the_name_that_it_was_given(x, monkeypatch):
    monkeypatch.setitem(theano.compile.predefined_modes, "MINE", theano.Mode(linker="py", optimizer=None))
    f = theano.function([x], x * 1, mode="MINE")
    np.testing.assert_array_equal(f([1.0, 2.0]), [1, 2])


def test_modes_by_their_names_in_the_module(x):
    for mode in (theano.compile.FAST_COMPILE.excluding("fusion"), theano.compile.mode.FAST_COMPILE, theano.compile.DebugMode()):
        assert theano.function([x], x * 2, mode=mode)(ARRAY).tolist() == [0, 2, 4, 6]
    assert theano.compile.mode.FAST_RUN.linker == theano.compile.get_mode("FAST_RUN").linker
    assert isinstance(mode, theano.compile.debugmode.DebugMode)
    assert not isinstance(theano.compile.get_default_mode(), theano.compile.DebugMode)


def test_an_unknown_mode_is_refused(x):
    with pytest.raises(ValueError, match="mode: found 'QUICK', expected FAST_RUN"):
        theano.function([x], x, mode="QUICK")


def test_nan_guard_mode_finds_the_first_nan(x):
    f = theano.function([x], T.log(x) * 2, mode=theano.compile.NanGuardMode(True, True, False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(AssertionError, match="NaN"):
            f(np.array([-1.0, 1.0]))


@pytest.mark.parametrize(
    ("given", "dtype"), [(True, "bool"), (3, "int64"), (2.5, "float64"), (np.float32(1), "float32"), (1j, "complex128")]
)
def test_numbers_are_shared_as_scalars(given, dtype):
    shared = theano.shared(given)
    assert (shared.dtype, shared.ndim) == (dtype, 0)
    assert isinstance(shared.get_value(), np.ndarray)


@pytest.mark.parametrize("given", [[1.0, 2.0], (1, 2), None, {"a": 1}, "text"])
def test_other_things_are_shared_as_they_are(given):
    shared = theano.shared(given)
    assert shared.get_value() == given
    assert not isinstance(shared, T.TensorVariable)


def test_borrowed_arrays_are_not_copied():
    array = np.ones(2)
    borrowed, copied = theano.shared(array, borrow=True), theano.shared(array)
    array[0] = 5
    assert borrowed.get_value().tolist() == [5, 1]
    assert copied.get_value().tolist() == [1, 1]
    copied.get_value(borrow=True)[1] = 9
    assert copied.get_value().tolist() == [1, 9]


def test_shared_arrays_broadcast_where_they_are_told():
    assert theano.shared(np.ones((1, 3))).broadcastable == (False, False)
    assert theano.shared(np.ones((1, 3)), broadcastable=(True, False)).broadcastable == (True, False)


def test_shared_variables_take_values_that_fit():
    w = theano.shared(np.ones(2))
    w.set_value(np.ones(3, dtype=int))
    assert w.get_value().dtype == "float64"
    with pytest.raises(TypeError, match="number of dimensions"):
        w.set_value(np.ones((2, 2)))


def test_expressions_cannot_be_shared():
    with pytest.raises(TypeError, match="not symbolic"):
        theano.shared(T.scalar())


def test_random_states_are_shared():
    state = theano.shared(np.random.RandomState(3)).get_value()
    assert state.randint(2**30) == np.random.RandomState(3).randint(2**30)


def test_test_values_are_kept_and_can_be_asked_for(x):
    x.tag.test_value = ARRAY
    assert theano.gof.op.get_test_value(x * 2).tolist() == [0, 2, 4, 6]
    with pytest.raises(AttributeError, match="test_value"):
        theano.gof.op.get_test_value(T.scalar() + x)


def test_a_copy_returns_lists():
    x, state = T.dscalar("x"), theano.shared(2.0)
    f = theano.function([x], x * state, updates=[(state, state + 1)])
    assert [f.copy()(3.0), f(3.0), copy.copy(f)(3.0)] == [[6.0], 9.0, [12.0]]
    assert theano.function([x], {"b": x, "a": x + 1}).copy()(1.0) == [2.0, 1.0]
    assert theano.function([x], updates=[(state, state + x)]).copy()(1.0) == []
    assert pickle.loads(pickle.dumps(f.copy()))(0.0) == [0.0]


def test_inputs_are_written_as_tuples_as_in_theanos_first_years(y):
    s = T.scalar("s")
    f = theano.function([y, ((s, s + y), 10.0)], s)
    assert [float(f(2)), float(f(2)), float(f[s])] == [10, 12, 14]
    assert float(theano.function([(y, 3.0)], y * 2)()) == 6
    assert float(theano.function([("named", y, 3.0)], y * 2)(named=4)) == 8


@pytest.mark.parametrize("entry", [(), ("name",), (1, 2), ((1, 2), 3), (T.scalar(), 1, 2)])
def test_a_tuple_that_is_no_input_is_an_error(entry):
    with pytest.raises(TypeError, match=r"inputs of theano.function: found .*, expected"):
        theano.function([entry], [])


def test_two_functions_share_the_value_of_an_input(y):
    s = T.scalar("s")
    increase = theano.function([y, theano.In(s, value=10.0, update=s + y)], [])
    decrease = theano.function([y, theano.In(s, value=increase.container[s], update=s - y)], [])
    increase(5)
    decrease(1)
    assert increase[s] == decrease[s] == 14
    assert decrease.finder["s"] is increase.container[s]
    with pytest.raises(TypeError, match="too many arguments"):
        decrease(1, 0)  # what another function keeps is not given by position
    increase, decrease, twin = pickle.loads(pickle.dumps((increase, decrease, s)))
    increase[twin] = 1
    assert decrease[twin] == 1


def test_a_function_tells_its_defaults(x, y):
    f = theano.function([x, theano.In(y, value=2.0)], x * y)
    assert f.defaults == [(True, False, None), (False, True, 2)]
    assert y in f
    assert T.scalar() not in f
    assert f.fn.storage_map


@pytest.mark.parametrize("mode", ["FAST_COMPILE", pytest.param("FAST_RUN", marks=pytest.mark.default_mode)])
def test_a_copy_without_updates_leaves_what_it_reads_as_it_is(y, mode):
    w = theano.shared(2.0)
    f = theano.function([y], y + w, updates={w: w * 2}, mode=mode)
    without = f.copy(delete_updates=True)
    assert [float(without(1)[0]), float(without(1)[0]), float(w.get_value())] == [3, 3, 2]
    other = theano.shared(5.0)
    swapped = f.copy(swap={w: other})
    assert [float(swapped(1)[0]), float(other.get_value()), float(w.get_value())] == [6, 10, 2]


def test_an_input_that_only_another_input_needs_is_unused(x):
    doubled = x * 2
    with pytest.raises(theano.UnusedInputError, match="index 0"):
        theano.function([x, doubled], doubled + 1)


def test_a_number_beyond_the_dtype_is_a_type_error():
    b = T.bvector()
    with pytest.raises(TypeError, match="312"):
        theano.function([b], b)([312])


def test_an_update_of_another_type_or_a_name_that_is_no_text_is_an_error(x, y):
    with pytest.raises(TypeError, match="found an update of type"):
        theano.In(y, update=x)
    with pytest.raises(TypeError, match="found a name of type list"):
        theano.In(y, name=[])


def test_the_arguments_of_a_function_are_dumped(tmp_path, x):
    theano.function_dump(tmp_path / "f.pkl", [x], x + 1)
    assert theano.function(**pickle.loads((tmp_path / "f.pkl").read_bytes()))([1.0]).tolist() == [2]


def test_a_default_update_is_deleted():
    w = theano.shared(1.0)
    w.default_update = w + 1
    del w.default_update
    assert w.default_update is None


def test_a_monitor_is_called_around_each_node(y):
    calls = []
    mode = theano.compile.MonitorMode(
        pre_func=lambda i, node, fn: calls.append(("before", i)),
        post_func=lambda i, node, fn: calls.append(("after", str(node.op))),
    )
    f = theano.function([y], T.exp(y), mode=mode.excluding("fusion"))
    assert float(f(0)) == 1
    assert calls[0] == ("before", 0)
    assert calls[-1][0] == "after"


def test_names_of_theanos_functions_of_functions(y):
    assert float(theano.compile.pfunc(params=[y], outputs=y + 1)(1)) == 2
    assert theano.shared([]).type == theano.compile.sharedvalue.generic
    assert theano.gof.op.get_debug_values(y) == []
    y.tag.test_value = 2.0
    with warnings.catch_warnings(action="ignore"), theano.change_flags(compute_test_value="raise"):
        assert theano.gof.op.get_debug_values(y * 3) == [6]
        assert theano.gof.op.get_debug_values(y, y * 3) == [(2, 6)]
    assert T.hashtype(y) == theano.gof.hashtype(T.scalar())


def test_arrays_are_sorted_along_an_axis_that_is_symbolic():
    x, axis = T.matrix(), T.lscalar()
    f = theano.function([x, axis], [T.sort(x, axis), T.argsort(x, axis)])
    assert [a.tolist() for a in f([[3, 1], [2, 4]], 0)] == [[[2, 1], [3, 4]], [[1, 0], [0, 1]]]
