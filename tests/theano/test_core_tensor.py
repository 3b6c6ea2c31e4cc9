"""theano.tensor's functions have Theano's names, arguments, dtypes and values, and its types are Theano's."""

import pickle

import numpy as np
import pytensor.tensor as pt
import pytest
from golden.figures import assert_same, read_json
from golden.theano_tensor_cases import EXPRESSIONS, evaluate

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano._impl.variables import known_type

GOLDEN = read_json("theano_tensor")


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_is_what_theano_computes(text):
    found, expected = evaluate(theano, text), GOLDEN[text]
    assert (found["dtype"], found["broadcastable"]) == (expected["dtype"], expected["broadcastable"])
    assert_same(found["value"], expected["value"], rtol=2e-7, atol=2e-9)


@pytest.mark.parametrize(
    ("letter", "dtype"),
    list(zip("bwilfdcz", ("int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128"), strict=True)),
)
def test_constructors_by_letter(letter, dtype):
    assert getattr(T, f"{letter}matrix")("m").type == pt.TensorType(dtype, shape=(None, None))
    assert getattr(T, f"{letter}scalar")().ndim == 0
    assert getattr(T, f"{letter}row")().broadcastable == (True, False)
    assert getattr(T, f"{letter}col")().broadcastable == (False, True)
    assert getattr(T, f"{letter}tensor4")().ndim == 4


def test_constructors_of_floatX():
    assert T.vector("v").dtype == "float64"
    assert T.matrix("m", "int8").dtype == "int8"
    with theano.change_flags(floatX="float32"):
        assert T.tensor3().dtype == "float32"


def test_several_variables_at_once():
    assert [v.name for v in T.matrices("a", "b")] == ["a", "b"]
    assert [v.name for v in T.scalars("ab")] == ["a", "b"]
    assert [v.name for v in T.vectors(["long", "names"])] == ["long", "names"]
    assert T.scalars("a").name == "a"
    assert [v.dtype for v in T.fvectors(2)] == ["float32", "float32"]


def test_types_are_told_by_dtype_and_pattern():
    column = T.TensorType("float32", (False, True))
    assert column("c").broadcastable == (False, True)
    assert T.TensorType("float32", [0, 1]) == column
    assert T.tensor("float32", (False, True), name="c").name == "c"
    assert T.TensorType(theano.config.floatX, broadcastable=[False])().type == T.dvector


def test_types_are_equal_to_those_of_variables():
    x = T.vector()
    assert T.dvector == x.type
    assert x.type == T.dvector
    assert x.type in [T.dvector]
    assert {T.dvector: 1}[x.type] == 1
    assert T.fvector != x.type
    assert isinstance(x.type, T.TensorType)
    assert isinstance(T.dvector, T.TensorType)
    assert not isinstance(theano.shared([1]).type, T.TensorType)
    assert x.type is T.dvector
    assert type(known_type(x)) is pt.TensorType


def test_functions_of_elements_are_the_ops_of_graphs():
    x = T.vector()
    assert T.exp(x).owner.op == T.exp
    assert T.exp == T.exp(x).owner.op
    assert (x * 2).owner.op == T.mul
    assert T.exp(x).owner.op != T.log
    assert isinstance(T.tanh, T.Elemwise)
    assert pickle.loads(pickle.dumps(T.tanh)) is T.tanh


@pytest.mark.parametrize("name", ["dot", "mean", "flatten", "concatenate", "eq", "switch", "grad"])
def test_functions_are_pickled_by_name(name):
    assert pickle.loads(pickle.dumps(getattr(T, name))) is getattr(T, name)


@pytest.mark.parametrize("ndims", [(1, 1), (1, 3), (2, 1), (2, 2), (3, 2), (2, 3), (3, 3), (4, 3)])
def test_batched_dot_is_dot_of_each_pair(ndims):
    rng = np.random.RandomState(0)
    shapes = {1: (4,), 2: (4, 3), 3: (4, 3, 3), 4: (4, 2, 3, 3)}
    a, b = (rng.rand(*shapes[n]) for n in ndims)
    expected = [np.dot(p, q) for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(T.batched_dot(T.constant(a), T.constant(b)).eval(), expected)


def test_unbroadcast_forgets_that_a_length_is_one():
    row = T.row("row")
    free = T.unbroadcast(row, 0)
    assert free.broadcastable == (False, False)
    assert T.addbroadcast(free, 0).broadcastable == (True, False)
    assert T.unbroadcast(T.matrix(), 0).owner is None
    gradient = T.grad((free**2).sum(), row)
    assert gradient.broadcastable == (True, False)
    assert gradient.eval({row: np.ones((1, 3))}).tolist() == [[2, 2, 2]]


def test_unbroadcast_runs_compiled():
    row = T.row("row")
    f = theano.function([row], T.unbroadcast(row, 0) * 2, mode="numba")
    assert f(np.ones((1, 2))).tolist() == [[2, 2]]


def test_patterns_are_set():
    x = T.matrix()
    assert T.patternbroadcast(x, (True, False)).broadcastable == (True, False)
    assert T.patternbroadcast(T.row(), (False, False)).broadcastable == (False, False)
    with pytest.raises(ValueError, match="Dimension 0 in Rebroadcast's input was supposed to be 1"):
        T.addbroadcast(x, 0).eval({x: np.ones((2, 3))})


def test_patterns_that_are_set_back_leave_nothing():
    x = T.matrix()
    assert T.unbroadcast(T.addbroadcast(x, 0), 0) is x
    both = T.TensorType("float64", (True, True))()
    assert T.unbroadcast(T.unbroadcast(both, 1), 0).owner.inputs[0] is both


def test_the_largest_elements_are_found():
    v = T.constant(np.array([3.0, 1.0, 2.0, 5.0]))
    assert T.topk(v, 2).eval().tolist() == [3, 5]
    assert T.topk(v, -2).eval().tolist() == [1, 2]
    assert T.argtopk(v, 2).eval().tolist() == [0, 3]


def test_constants_are_as_small_as_they_can_be():
    assert [T.constant(c).dtype for c in (1, 300, 2**40, 1.5)] == ["int8", "int16", "int64", "float32"]
    with pytest.raises(T.AsTensorError, match="True"):
        T.as_tensor_variable(True)


def test_scalar_constants_are_read_off():
    assert T.get_scalar_constant_value(T.constant(3) + 1) == 4
    assert T.extract_constant(T.scalar("s")).name == "s"
    x = T.matrix()
    assert T.get_scalar_constant_value(T.fill(x, 5)) == 5
    assert T.get_scalar_constant_value(T.grad(T.argmax(x, axis=0).sum(), x)) == 0
    for unknown in (T.scalar(), np.array([0, 1])):
        with pytest.raises(T.NotScalarConstantError):
            T.get_scalar_constant_value(unknown)
    with pytest.raises(T.EmptyConstantError):
        T.get_scalar_constant_value(np.array([]))


@pytest.mark.parametrize(
    "tiled",
    [
        lambda x: T.tile(x, T.lvector()),
        lambda x: T.tile(x, T.vector(), ndim=2),
        lambda x: T.tile(x, (2, 1.5)),
        lambda x: T.tile(x, (1, 1, 2), ndim=2),
        lambda x: T.tile(x, 2, ndim=1),
        lambda x: T.tile(x, T.lmatrix()),
    ],
    ids=["unknown length", "floats", "a float", "more than ndim", "ndim of less than x", "matrix"],
)
def test_numbers_of_copies_are_whole_and_of_known_count(tiled):
    with pytest.raises(ValueError, match=r"reps|ndim"):
        tiled(T.matrix("x"))


def test_more_numbers_of_copies_than_dimensions():
    x = T.matrix()
    with pytest.raises(AssertionError, match="more elements than ndim"):
        T.tile(x, T.arange(3 * x.shape[0]) + 1, ndim=2).eval({x: [[1]]})


def test_names_of_what_is_transposed():
    assert [T.transpose(x).name for x in (T.vector("v"), T.matrix("m"), T.matrix())] == ["v.T", "m.T", None]


def test_gradients_are_by_variables():
    with pytest.raises(TypeError, match="wrt is 'x'"):
        T.grad(T.scalar("x"), "x")


def test_flatten_has_one_number_of_dimensions():
    with pytest.raises(ValueError, match="ndim and outdim"):
        T.flatten(T.tensor3(), ndim=2, outdim=2)


@pytest.mark.parametrize("changed", [T.set_subtensor, T.inc_subtensor])
def test_copies_may_be_tolerated_or_not(changed):
    x, i = theano.shared(np.zeros((2, 2))), theano.shared(1)
    y = changed(x[i], x[i - 1] + 1, tolerate_inplace_aliasing=True)
    theano.function([], updates=[(x, y), (i, i + 0)], mode="FAST_COMPILE")()
    assert x.get_value().tolist() == [[0, 0], [1, 1]]


def test_a_node_is_its_default_output_and_has_to_have_it():
    node = T.split(T.dvector(), [1, 2], 2)[0].owner
    node.op.default_output = 1
    assert T.as_tensor_variable(node) is node.outputs[1]
    for output in (-1, 2):
        node.op.default_output = output
        with pytest.raises(AttributeError, match=f"default_output is {output}, expected the number of an output"):
            T.as_tensor_variable(node)


@pytest.mark.parametrize("part", [lambda a: a[:], lambda a: a[0]])
def test_a_vector_longer_than_a_column_is_wide_is_a_value_error(part):
    column, vector = T.col("column"), T.vector("vector")
    f = theano.function([column, vector], T.inc_subtensor(part(column), vector))
    assert f(np.zeros((2, 1)), [3.0])[0].tolist() == [3]
    with pytest.raises(ValueError, match="supposed to be 1"):
        f(np.zeros((2, 1)), [3.0, 4.0])


def test_star_import_brings_theanos_names():
    namespace: dict[str, object] = {}
    exec("from symae.theano.tensor import *", namespace)
    assert {"dmatrix", "tanh", "dot", "grad", "nnet", "TensorType", "mean", "shared_randomstreams"} <= set(namespace)
    assert {"np", "numpy", "theano", "basic", "elemwise", "DimShuffle", "cumsum", "float_types"} <= set(namespace)
    assert "type" not in namespace


def test_an_array_is_read_from_a_file_at_each_call(tmp_path):
    path = theano.Variable(theano.Generic())
    f = theano.function([path], T.load(path, "int32", (False,)) * 2, mode="FAST_COMPILE")
    for array in (np.arange(3, dtype="int32"), np.ones(2, "int32")):
        np.save(tmp_path / "x.npy", array)
        assert f(str(tmp_path / "x.npy")).tolist() == (2 * array).tolist()
    np.save(tmp_path / "x.npy", np.ones(2))
    with pytest.raises(TypeError, match="found an array of float64, expected int32"):
        f(str(tmp_path / "x.npy"))
    with pytest.raises(ValueError, match="mmap_mode is 'w', expected None or 'c'"):
        T.load(path, "int32", (False,), "w")


def test_arrays_and_their_parts_may_share_memory():
    from symae.theano.misc.may_share_memory import may_share_memory

    x = np.arange(3.0)
    assert may_share_memory(x, x[1:])
    assert not may_share_memory(x, x.copy())
    assert not may_share_memory(x, 1, raise_other_type=False)
    with pytest.raises(TypeError, match="found ndarray and int"):
        may_share_memory(x, 1)


def test_older_addresses_have_the_same_functions():
    from symae.theano.tensor import basic, sharedvar
    from symae.theano.tensor.var import TensorVariable

    assert basic.dot is T.dot is theano.dot
    assert basic._allclose([1.0], [1 + 1e-9])
    assert isinstance(theano.shared(1.0), sharedvar.ScalarSharedVariable)
    assert TensorVariable is T.TensorVariable
    assert T.var(T.vector()).ndim == 0


@pytest.mark.parametrize("mode", ["numba", "FAST_COMPILE"])
def test_inplace_ops_write_over_their_first_input(mode):
    from symae.theano.tensor import inplace

    x, y, k = T.dvector("x"), T.dvector("y"), T.ivector("k")
    outputs = [inplace.add_inplace(x, y), inplace.exp_inplace(y), inplace.sqr_inplace(k)]
    f = theano.function([x, y, k], outputs, mode=mode, accept_inplace=True)
    a, b, c = np.arange(3.0), np.ones(3), np.arange(3, dtype="int32")
    f(a, b, c)
    assert a.tolist() == [1, 2, 3]
    assert b.tolist() == [np.e] * 3
    assert c.tolist() == [0, 1, 4]
    assert str(inplace.exp_inplace) == "exp_inplace"
    with pytest.raises(TypeError, match="must not contain inplace operations"):
        theano.function([x, y], outputs[0])


def test_chi2sf_is_of_float64():
    # as in Theano 1.0.5
    assert {T.chi2sf(x, k).dtype for x in (T.fmatrix(), T.bmatrix()) for k in (2, 2.0, T.fscalar())} == {"float64"}


def test_the_maximum_over_an_axis_that_is_given_twice():
    found = [v.eval().tolist() for v in T.max_and_argmax(T.constant([[1.0, 3.0], [2.0, 0.0]]), (0, -2))]
    assert found == [[2, 3], [1, 0]]


def test_inplace_functions_that_are_made_of_several_ops_write_over_their_first_input():
    from symae.theano.tensor import inplace

    x, v = T.matrix(), T.scalar()
    f = theano.function([x, v], [inplace.chi2sf_inplace(x, v)], mode="FAST_COMPILE", accept_inplace=True)
    array = np.array([[1.0, 2.0]])
    (result,) = f(array, 2)
    np.testing.assert_allclose(array, np.exp([[-0.5, -1]]))
    assert result.tolist() == array.tolist()


def test_inplace_ops_leave_test_values_and_shared_variables_alone():
    from symae.theano.tensor import inplace

    x, kept = T.dvector("x"), theano.shared(np.ones(2))
    x.tag.test_value = np.ones(2)
    with theano.change_flags(compute_test_value="raise"):
        made = [inplace.exp_inplace(v) for v in (x, kept)]
    assert [v.tag.test_value.tolist() for v in made] == [[np.e] * 2] * 2
    assert x.tag.test_value.tolist() == kept.get_value().tolist() == [1, 1]


def test_choose_takes_a_list_of_arrays():
    k, a, b = T.lmatrix("k"), T.dvector("a"), T.dvector("b")
    picks, choices = np.array([[1, 0, 1], [0, 0, 1]]), [np.array([10.0, 11.0, 12.0]), np.arange(3.0)]
    methods = [T.choose(k, [a, b]), k.choose((a, b)), T.choose(k, [a, b], mode="wrap"), T.choose(k, [a, b], mode="clip")]
    f = theano.function([k, a, b], methods, mode="numba")
    for chosen in f(picks, *choices):
        assert chosen.tolist() == np.choose(picks, choices).tolist()
    beyond = theano.function([k, a, b], methods[2:])(picks * 3 - 1, *choices)
    assert [v.tolist() for v in beyond] == [np.choose(picks * 3 - 1, choices, mode=m).tolist() for m in ("wrap", "clip")]
    with pytest.raises(ValueError, match="invalid entry in choice array"):
        f(picks * 2, *choices)


def test_slices_have_a_canonical_form():
    start, stop, step, length = T.iscalars("start", "stop", "step", "length")
    part, direction = T.subtensor.get_canonical_form_slice(slice(start, stop, step), length)
    f = theano.function([start, stop, step, length], [part.start, part.stop, part.step, direction])
    numbers = np.arange(5)
    for given in [(-1, -8, -2), (1, 4, 2), (-9, 3, 1), (4, 1, -3)]:
        a, b, c, d = map(int, f(*given, 5))
        assert 0 <= a <= b <= 5
        assert c > 0
        np.testing.assert_array_equal(numbers[a:b:c][::d], numbers[slice(*given)])


SLICES = [
    slice(1, 3),
    slice(None),
    slice(None, None, -1),
    slice(-1, None),
    slice(2, None, -2),
    slice(None, 0, -1),
    slice(0, 9, 2),
]


def test_a_slice_may_be_an_input():
    part, x = T.slicetype(), T.dtensor3()
    results = [x[part], x[0, part], x[..., part, None], T.grad(x[part].sum(), x), T.set_subtensor(x[0, part], 7.0)]
    f = theano.function([part, x], results)
    array = np.arange(60.0).reshape(3, 4, 5)
    for given in SLICES:
        gradient, changed = np.zeros_like(array), array.copy()
        gradient[given], changed[0, given] = 1, 7
        expected = [array[given], array[0, given], array[..., given, None], gradient, changed]
        for found, wanted in zip(f(given, array), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
