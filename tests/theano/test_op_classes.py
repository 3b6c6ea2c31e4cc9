"""Theano's classes of Ops: constructed, called, compared, pickled, asked for. Their values are in test_core_tensor."""

import importlib
import pickle

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano.tensor import nlinalg
from symae.theano.tensor.blas_c import CGemv, CGer, check_force_gemv_init
from symae.theano.tensor.blas_scipy import ScipyGer
from symae.theano.tensor.extra_ops import CumOp
from symae.theano.tensor.fourier import fft
from symae.theano.tensor.nnet import corr, corr3d
from symae.theano.tensor.op_classes import OPS


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in OPS.items() for name in names])
def test_a_class_stands_where_theano_had_it(module, name):
    found = getattr(importlib.import_module(f"symae.theano.{module}"), name)
    assert found is OPS[module][name]
    assert (found.__module__, found.__name__) == (f"symae.theano.{module}", name)


def test_ops_of_the_same_settings_are_equal():
    assert CumOp(axis=1) == CumOp(1, "add") != CumOp(0)
    assert len({CumOp(1), CumOp(axis=1), CumOp(1, "mul")}) == 2
    assert str(CumOp(1)) == "CumOp{axis=1, mode=add}"
    assert pickle.loads(pickle.dumps(CumOp(1, mode="mul"))) == CumOp(1, mode="mul")
    assert (CumOp(1).axis, CumOp(1).mode) == (1, "add")


def test_nodes_are_found_by_the_class_of_their_op():
    x = T.matrix()
    assert isinstance(nlinalg.matrix_inverse(x).owner.op, nlinalg.MatrixInverse)
    assert isinstance(CumOp(1)(x).owner.op, CumOp) or isinstance(CumOp(1)(x).owner.inputs[0].owner.op, CumOp)
    assert not isinstance((x + 1).owner.op, nlinalg.MatrixInverse)
    assert nlinalg.MatrixInverse().make_node(x).outputs[0].ndim == 2


@pytest.mark.parametrize("kind", [corr.CorrMM, corr.CorrMM_gradInputs, corr3d.Corr3dMM, corr3d.Corr3dMM_gradWeights])
def test_convolutions_of_the_caffe_kind_are_asked_for(kind):
    assert isinstance(kind(num_groups=2), kind)
    assert not isinstance((T.matrix() + 1).owner.op, kind)


def test_derivatives_of_an_inverse_are_single_where_it_is():
    x, v = T.fmatrix(), T.fmatrix()
    inverse = nlinalg.matrix_inverse(x)
    derivatives = [T.Rop(inverse, x, v), T.Lop(inverse, x, v), T.grad(T.grad(nlinalg.det(x), x).sum(), x)]
    assert [d.dtype for d in derivatives] == ["float32"] * 3  # as in Theano 1.0.5
    along = theano.function([x, v], derivatives[0], mode="FAST_COMPILE")([[2, 0], [0, 4]], [[1, 0], [1, 1]])
    np.testing.assert_allclose(along, [[-0.25, 0], [-0.125, -0.0625]])


def test_decompositions_take_their_matrix_by_name():
    x, b = T.fmatrix(), T.dvector()
    assert [v.dtype for f in (nlinalg.svd, nlinalg.eigh, nlinalg.qr) for v in f(a=x)] == ["float32"] * 7
    assert nlinalg.tensorsolve(x, b=b).dtype == nlinalg.tensorsolve(b=b, a=x).dtype == "float64"  # as in Theano 1.0.5


@pytest.mark.filterwarnings("ignore:Numba will use object mode")
@pytest.mark.parametrize("mode", ["FAST_COMPILE", "Mode"])
@pytest.mark.parametrize(("shape", "ndim"), [((2, 2), 1), ((2, 3, 6), 1), ((6, 2, 3), 2)])
def test_solutions_have_the_dimensions_that_are_left(mode, shape, ndim):
    a = np.random.default_rng(0).normal(size=shape)
    b = np.arange(6.0)[: shape[0]] if ndim != 1 or len(shape) == 2 else np.arange(6.0).reshape(2, 3)
    x, y = T.TensorType("float64", (False,) * a.ndim)(), T.TensorType("float64", (False,) * b.ndim)()
    solution = nlinalg.tensorsolve(x, y)
    assert solution.ndim == ndim
    found = theano.function([x, y], solution * 2, mode=mode)(a, b)
    np.testing.assert_allclose(found, 2 * np.linalg.tensorsolve(a, b))
    with pytest.raises(TypeError, match="tensorsolve: found 3 dimensions of b, expected at most the 2 of a"):
        nlinalg.tensorsolve(T.dmatrix(), T.dtensor3())


@pytest.mark.parametrize("axis", [(0, 1), (True, True), ("x", False)])
def test_rebroadcast_takes_axes_and_bools(axis):
    with pytest.raises(TypeError, match="expected pairs of an integer axis and a bool"):
        T.Rebroadcast(axis)(T.matrix())


def test_an_op_is_no_method_of_a_class_that_has_it():
    class Layer:
        activation = T.nnet.sigmoid
        inverse = nlinalg.matrix_inverse

    x = T.matrix()
    assert theano.function([x], Layer().activation(Layer().inverse(x)), mode="FAST_COMPILE")([[1e9]]).tolist() == [
        [0.50000000025]
    ]
    assert pickle.loads(pickle.dumps(T.nnet.sigmoid)) is T.nnet.sigmoid


def test_dimensions_are_shuffled_by_an_op_with_theanos_arguments():
    x = T.matrix()
    order = T.DimShuffle((False, False), (1, "x", 0))
    assert order(x).eval({x: [[1, 2, 3]]}).tolist() == [[[1]], [[2]], [[3]]]
    assert isinstance(x.T.owner.op, T.DimShuffle)


def test_products_of_blas_are_theirs_who_call_it_from_c():
    y, A, x, one, two = (T.constant(a, dtype="float64") for a in ([1, 2], [[1, 2, 3], [4, 5, 6]], [1, 0, 1], 1, 2))
    assert CGemv(inplace=False)(y, two, A, x, one).eval().tolist() == [9, 22]
    assert CGer(True) == CGer(destructive=True) != ScipyGer(True)
    assert check_force_gemv_init() is False


@pytest.mark.parametrize(("n", "axis"), [(10, 0), (2, None), (None, 1)])
def test_an_axis_is_transformed_as_numpy_does(n, axis):
    a = np.random.default_rng(0).standard_normal((3, 4))
    transformed = theano.function([], fft(a, n, axis), mode="FAST_COMPILE")()
    np.testing.assert_allclose(transformed, np.fft.fft(a, n, -1 if axis is None else axis))


@pytest.mark.parametrize(("a", "n", "axis"), [(1.0, None, None), ([1.0], 0, 0), ([1.0], 2, 1), ([1.0], 1.5, 0)])
def test_a_transform_refuses_other_axes_and_lengths(a, n, axis):
    with pytest.raises(TypeError, match=r"Fourier: .*expected"):
        fft(a, n, axis)
