"""theano.printing writes what Theano wrote. Texts are from Theano 1.0.5."""

import io

import numpy as np
import pytensor.tensor as pt
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
    assert theano.printing.pydot_imported is not bool(theano.printing.pydot_imported_msg)


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


def test_nodes_graphs_and_classes_are_written_as_by_theano(in_mode):
    x = T.dmatrix("x")
    y = x * 2.0
    assert repr(y.owner) == "Elemwise{mul,no_inplace}(x, InplaceDimShuffle{x,x}.0)"
    assert repr(y.owner.inputs) == "[x, InplaceDimShuffle{x,x}.0]"
    assert repr(y.owner.inputs[1].owner.inputs) == "[TensorConstant{2.0}]"
    assert repr(type(y)) == "<class 'theano.tensor.var.TensorVariable'>"
    assert repr(type(y.owner)) == "<class 'theano.gof.graph.Apply'>"
    assert isinstance(y.owner, theano.gof.Apply)
    with in_mode("FAST_COMPILE"):
        f = theano.function([x], (x + 1).sum())
    first = f.maker.fgraph.toposort()[0]
    assert repr(first.outputs[0].clients) == "[(Sum{acc_dtype=float64}(Elemwise{add,no_inplace}.0), 0)]"


def test_what_a_script_finds_inside_of_an_expression_has_theanos_operators():
    x = T.dmatrix("x")
    inner = (T.nnet.softmax(x) + 1 > x).owner.inputs[0]
    assert repr(inner) == "Elemwise{gt,no_inplace}.0"
    compared = inner.owner.inputs[0] < 1
    assert compared.dtype == "int8"


def test_expressions_of_pytensors_that_go_into_theanos_stay_pytensors():
    factor = pt.dvector("factor")
    total = T.dot(T.dvector("x"), factor * 2)
    assert type(total.owner.inputs[0]) is not type(factor)
    assert (factor > 0).dtype == (factor * 2 > 0).dtype == "bool"
    assert type(factor) is type(pt.dvector())


def test_a_graph_is_written_with_what_it_needs_twice_once():
    add, mul, true_div = theano.scalar.add, theano.scalar.mul, theano.scalar.true_div
    x, y = theano.scalar.float64("x"), theano.scalar.float64("y")
    graph = theano.gof.FunctionGraph([x, y], [true_div(mul(add(x, y), x), add(x, y))])
    assert repr(graph) == "[true_div(mul(add(x, y), x), add(x, y))]"
    theano.gof.opt.MergeOptimizer().optimize(graph)
    assert repr(graph) == "[true_div(mul(*1 -> add(x, y), x), *1)]"
    assert isinstance(graph, theano.gof.FunctionGraph)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("T.set_subtensor(x[0], 1)", "IncSubtensor{Set;int64}(x, TensorConstant{1}, Constant{0})"),
        ("T.ones((2, 2))", "Alloc(TensorConstant{1.0}, TensorConstant{2}, TensorConstant{2})"),
        ("T.grad((x + x).sum(), x)", "Elemwise{add,no_inplace}(Elemwise{second}.0, Elemwise{second}.0)"),
        ("theano.map(lambda v: v**2, x)[0]", "for{cpu,scan_fn}(Subtensor{int64}.0, Subtensor{:int64:}.0, Subtensor{int64}.0)"),
    ],
)
def test_the_node_of_any_expression_is_written_as_theanos(expression, text):
    node = eval(expression, {"T": T, "theano": theano, "x": T.matrix("x")}).owner
    assert str(node) == text


def test_a_variable_is_shown_with_its_test_value_if_asked():
    x = T.dscalar("x")
    x.tag.test_value = np.array(42.0)
    with theano.change_flags(print_test_value=True):
        assert repr(x) == "x\narray(42.)"
    assert repr(x) == str(x) == "x"
