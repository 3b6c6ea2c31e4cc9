"""symae port --modern: today's names, with Theano's meaning or a note."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from port_samples import MODERN

from symae.port.pipeline import port
from symae.port.to_pytensor_names import HELPERS, modern_name


@pytest.mark.parametrize(("before", "after"), MODERN.values(), ids=MODERN)
def test_names_are_those_of_today(before, after):
    assert port(before, modern=True).text == after


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("import theano.tensor as T\ny = T.nnet.softmax(x)\n", "vector"),
        ("import theano.tensor as T\ny = T.nnet.h_softmax(x)\n", "no counterpart"),
        ("import theano.tensor as T\ny = T.nnet.ultra_fast_sigmoid(x)\n", "approximation"),
        ("import theano.tensor as T\ny = T.round(x)\n", "half_away_from_zero"),
        ("import theano.tensor as T\ny = (x > 0) - (z > 0)\n", "comparisons are bool"),
        ("import theano.tensor as T\ny = (x > 0) * (z > 0)\n", "comparisons are bool"),
        ("import theano.tensor as T\ny = T.xor(x, z) + T.and_(x, z)\n", "comparisons are bool"),
        ("import theano\ntheano.config.compute_test_value = 'off'\n", "config.compute_test_value is gone"),
        ("import theano\nx = theano.shared([1., 2.])\n", "numpy.asarray"),
        ("import theano\nf = theano.function([theano.Param(x, default=1)], x)\n", "default values are gone"),
        ("import theano.sandbox.cuda\ntheano.sandbox.cuda.use('gpu')\n", "GPU"),
        ("from theano.sandbox.rng_mrg import MRG_RandomStreams as R\nr = R(1)\n", "other numbers"),
        ("from theano.tensor.signal import downsample\np = downsample.max_pool_2d(x, *a)\n", "could not be distinguished"),
        ("from theano.tensor.signal.pool import pool_2d\np = pool_2d(x, 2)\n", "maximum"),
        ("import os\nos.environ['THEANO_FLAGS'] = 'device=gpu'\n", "PYTENSOR_FLAGS"),
        ("import theano\no, u = theano.scan(f, x)\nv = u + w\n", "a | b"),
        ("import theano\nx.tag.test_value = 3\n", "test values"),
        ("import theano\nn = len(theano.gof.graph.ancestors([x]))\n", "one by one"),
        ("import theano\nprint theano.pp(x)\n", "other words"),
        ("import theano, cPickle\nx = cPickle.load(open('a.pkl'))\n", "read by symae run"),
        ("import theano, cPickle\ncPickle.dump(x, f, 1)\n", "protocol 2 and later"),
        ("import theano\nv = theano.__version__.split('.')\n", "PyTensor's version"),
        ("from theano import *\n", "name them"),
        ("import theano\nclass A(theano.Op):\n    pass\n", "pullback"),
        ("import lasagne\n", "lasagne"),
    ],
)
def test_what_changes_its_meaning_is_listed(text, part):
    notes = port(text, modern=True).notes
    assert any(part in note.reason for note in notes), notes


@pytest.mark.parametrize("text", ["import cPickle\ncPickle.dump(x, f, 1)\n", "import theano, pickle\npickle.dump(x, f, -1)\n"])
def test_pickles_of_other_programs_and_late_protocols_are_not_listed(text):
    assert not any("protocol" in note.reason for note in port(text, modern=True).notes)


def test_what_has_no_counterpart_keeps_its_import_and_is_found_at_the_first_line():
    text = port("from theano.sandbox.cuda import CudaNdarray\nx = CudaNdarray(3)\n", modern=True).text
    assert text == "from theano.sandbox.cuda import CudaNdarray\nx = CudaNdarray(3)\n"


def test_a_new_function_stands_before_its_use_wherever_the_last_import_is():
    text = port("from theano.tensor.nnet import relu\ny = relu(x)\nimport os\n", modern=True).text
    assert text.index("def legacy_relu") < text.index("y = legacy_relu(x)") < text.index("import os")


def test_names_that_the_program_has_already_are_left_to_it():
    text = port("import theano\nuntil = 3\nx = theano.scan_module.until(y > until)\n", modern=True).text
    assert "from pytensor.scan.utils import until as pytensor_until" in text
    assert "x = pytensor_until(y > until)" in text


def test_new_functions_stand_after_the_imports_with_two_lines_around():
    text = port("import os\nfrom theano.tensor.nnet import relu\n# one\nx = relu(y)\nz = [relu]\n", modern=True).text
    lines = text.split("\n")
    assert lines[:4] == ["import os", "", "", "def legacy_relu(x, alpha=0):"]
    assert lines[-6:] == ["", "", "# one", "x = legacy_relu(y)", "z = [legacy_relu]", ""]


def defined(name):
    """Return the function that a ported program gets instead of Theano's `name`."""
    source = port(f"import theano.tensor as T\nf = [T.nnet.{name}]\n", modern=True).text
    space: dict[str, object] = {}
    exec(source, space)
    return space["f"][0]


def test_relu_has_theanos_gradient_at_0():
    x = pt.dvector()
    y = defined("relu")(x)
    compiled = pytensor.function([x], [y, pytensor.grad(y.sum(), x)])
    np.testing.assert_array_equal(compiled([-1.0, 0.0, 2.0]), [[0.0, 0.0, 2.0], [0.0, 0.5, 1.0]])


def test_leaky_relu_is_theanos():
    x = pt.dvector()
    np.testing.assert_allclose(defined("relu")(x, 0.1).eval({x: [-1.0, 0.0, 2.0]}), [-0.1, 0.0, 2.0])


def test_categorical_crossentropy_takes_whole_numbers_or_distributions():
    p, whole, dist = pt.dmatrix(), pt.ivector(), pt.dmatrix()
    function = defined("categorical_crossentropy")
    given = np.array([[0.2, 0.8], [0.5, 0.5]])
    np.testing.assert_allclose(function(p, whole).eval({p: given, whole: [1, 0]}), -np.log([0.8, 0.5]))
    np.testing.assert_allclose(function(p, dist).eval({p: given, dist: np.eye(2)[[1, 0]]}), -np.log([0.8, 0.5]))


def test_softmax_as_a_value_makes_one_row_of_a_vector():
    x = pt.dvector()
    np.testing.assert_allclose(defined("softmax")(x).eval({x: [0.0, 0.0]}), [[0.5, 0.5]])


@pytest.mark.parametrize("name", sorted({n.rpartition(".")[2] for n in HELPERS}))
def test_every_function_that_is_put_in_is_python(name):
    assert callable(defined(name))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "tensor.dot",
            "tensor.matrix",
            "tensor.tensor4",
            "tensor.nnet.sigmoid",
            "tensor.sgn",
            "tensor.set_subtensor",
            "shared",
        ),
        *("grad", "scan", "map", "printing.Print", "ifelse.ifelse", "gradient.disconnected_grad", "clone", "In", "Out"),
        *("tensor.extra_ops.to_one_hot", "tensor.nlinalg.det", "tensor.slinalg.cholesky", "tensor.TensorType", "tensor.sort"),
        *(
            "tensor.discrete_dtypes",
            "tensor.basic.eye",
            "compile.mode.get_default_mode",
            "tensor.jacobian",
            "tensor.addbroadcast",
        ),
        *(
            "foldl",
            "compile.nanguardmode.NanGuardMode",
            "Op",
            "Apply",
            "gof.graph.inputs",
            "tensor.sharedvar.TensorSharedVariable",
        ),
    ],
)
def test_every_name_of_today_can_be_had(name):
    module, _, last = (modern_name(f"theano.{name}") or "").replace(":", ".").rpartition(".")
    exec(f"from {module} import {last}", {})


REGRESSION = """
import numpy, time
import theano
import theano.tensor as T

def train(batch_size=4, n_epochs=3):
    rng = numpy.random.RandomState(1)
    data = theano.shared(numpy.asarray(rng.rand(12, 5), dtype=theano.config.floatX))
    labels = T.cast(theano.shared(rng.randint(3, size=12)), 'int32')
    n_batches = data.get_value(borrow=True).shape[0] / batch_size
    x, y, i = T.matrix(), T.ivector(), T.lscalar()
    W = theano.shared(numpy.zeros((5, 3), dtype=theano.config.floatX))
    p = T.nnet.softmax(T.dot(x, W))
    errors = T.mean(T.neq(T.argmax(p, axis=1), y))
    cost = T.nnet.categorical_crossentropy(p, y).mean() + 0.01 * T.sqr(W).sum()
    step = theano.function([i], [cost, errors], updates=[(W, W - 0.5 * T.grad(cost, W))], givens={
        x: data[i * batch_size: (i + 1) * batch_size],
        y: labels[i * batch_size: (i + 1) * batch_size]})
    for epoch in xrange(n_epochs):
        costs = [step(b) for b in xrange(n_batches)]
        print '%.10f %.6f' % tuple(numpy.mean(costs, axis=0))

train()
"""

# printed by Theano 1.0.5, floatX float64
REGRESSION_PRINTS = ["1.1196460402 0.666667", "1.0602533317 0.416667", "1.0210597215 0.333333"]


def test_a_ported_program_computes_what_it_did_under_theano(capsys):
    exec(port(REGRESSION, modern=True).text, {"__name__": "__main__"})
    assert capsys.readouterr().out.split("\n")[:-1] == REGRESSION_PRINTS


STREAMS = """
import theano, theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams
r = RandomStreams(234)
u, b = r.uniform((2, 2)), r.binomial(size=(3,), p=0.5)
f = theano.function([], [u.sum(), b])
print '%.10f' % f()[0], f()[1]
"""

# printed by Theano 1.0.5
STREAMS_PRINT = "2.1250790125 [0 0 0]\n"


def test_its_random_numbers_are_theanos(capsys):
    exec(port(STREAMS, modern=True).text, {"__name__": "__main__"})
    assert capsys.readouterr().out == STREAMS_PRINT
