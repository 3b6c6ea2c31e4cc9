"""Theano's classes of Ops: constructed, called, compared, pickled, asked for. Their values are in test_core_tensor."""

import importlib
import pickle

import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano.tensor import nlinalg
from symae.theano.tensor.extra_ops import CumOp
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
