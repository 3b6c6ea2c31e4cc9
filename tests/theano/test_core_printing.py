"""theano.printing writes what Theano wrote. Texts are from Theano 1.0.5."""

import io

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano.printing import Print, debugprint, hex_digest, pydotprint


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (lambda x: x * 2, "(x * TensorConstant{2})"),
        (lambda x: x * np.ones(3), "(x * TensorConstant{(3,) of 1.0})"),
        (lambda x: x * np.array([1.0, 2.0]), "(x * TensorConstant{[1. 2.]})"),
        (lambda x: x**-1, "(x ** TensorConstant{-1})"),
        (lambda x: -abs(x), "(-|x|)"),
        (lambda x: T.switch(x > 0, x, 0), "switch(gt(x, TensorConstant{0}), x, TensorConstant{0})"),
        (lambda x: T.exp(x) * T.log(x), "(exp(x) * log(x))"),
        (lambda x: T.dot(T.matrix("A"), x), "(A \\dot x)"),
        (lambda x: T.eq(x, 1), "eq(x, TensorConstant{1})"),
        (lambda x: T.cast(x, "float32"), "float32(x)"),
        (lambda x: T.maximum(x // 2, 0), "maximum((x // TensorConstant{2}), TensorConstant{0})"),
    ],
)
def test_formulas(expression, text):
    assert theano.pp(expression(T.vector("x"))) == text


def test_values_are_printed_while_they_are_computed(capsys):
    x = T.vector("x")
    assert theano.function([x], Print("x")(x).sum())([1.0, 2.0]) == 3
    assert capsys.readouterr().out == "x __str__ = [1. 2.]\n"
    theano.function([x], Print("x", attrs=["shape", "sum"])(x).sum())([1.0, 2.0])
    assert capsys.readouterr().out == "x shape = (2,)\nx sum = 3.0\n"


def test_graphs_are_printed(capsys):
    x = T.vector("x")
    assert "x" in debugprint(x * 2, file="str")
    debugprint(theano.function([x], x * 2))
    debugprint([x, x * 2])
    assert capsys.readouterr().out
    file = io.StringIO()
    debugprint(x + 1, file=file)
    assert "x" in file.getvalue()


def test_drawing_says_what_it_needs():
    with pytest.raises(AttributeError, match="debugprint"):
        pydotprint(T.vector())


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        (T.dvector(), "<TensorType(float64, vector)>"),
        (T.bcol(), "<TensorType(int8, col)>"),
        (T.ftensor3(), "<TensorType(float32, 3D)>"),
        (T.TensorType("float32", (True, False, False))(), "<TensorType(float32, (True, False, False))>"),
        (theano.shared(3.0), "<TensorType(float64, scalar)>"),
        (T.matrix("x"), "x"),
    ],
)
def test_a_variable_without_a_name_is_written_as_its_type(variable, text):
    assert str(variable) == repr(variable) == theano.pp(variable) == text


def test_types_are_written_as_by_theano():
    assert str(T.dmatrix) == repr(T.TensorType("float64", (False, False))) == "TensorType(float64, matrix)"
    assert theano.pp(T.dvector() * 2) == "(<TensorType(float64, vector)> * TensorConstant{2})"


def test_arrays_have_a_digest():
    digest = "17e88db187afd62c16e5debf3e6527cd006bc012bc90b51a810cd80c2d511f43"  # Theano's
    assert hex_digest(np.arange(6, dtype="int8").reshape(2, 3)) == f"{digest}|strides=[3,1]|shape=[2,3]"
