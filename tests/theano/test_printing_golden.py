"""Graphs, formulas and variables are written as by real Theano 1.0.5, where they are made of the same operations."""

from __future__ import annotations

import warnings

import pytensor
import pytest
from golden.figures import read_json
from golden.theano_printing_cases import names, printed, sources
from packaging.version import Version

import symae.theano as theano

GOLDEN = read_json("theano_printing")
# Expressions that are made of other operations than in Theano: safer ones, faster ones, or those that PyTensor has today.
MADE_OTHERWISE = """
nnet.elu(x)
nnet.ultra_fast_sigmoid(x)
A.mean()
A.var()
A.std()
T.tensordot(A, A, 1)
A[:, y]
A.nonzero()[0]
x.reshape(s, ndim=2)
T.tile(x, 2)
T.repeat(x, 2)
T.tril(A)
T.cumsum(x)
T.slinalg.cholesky(A)
T.choose(y, [x, x])
T.extra_ops.bincount(y)
T.ptp(x)
nnet.categorical_crossentropy(nnet.softmax(A), y)
pool.pool_2d(t4, (2, 2))
pool.pool_2d(t4, (2, 2), ignore_border=True, mode="average_exc_pad")
srng.uniform((2,))
theano.tensor.opt.Assert("m")(x, i)
T.grad(T.dot(A, x).sum(), [A, x])
T.grad(x.max(), x)
T.grad(T.switch(x > 0, x, 0).sum(), x)
T.grad(nnet.categorical_crossentropy(nnet.softmax(A), y).mean(), A)
T.grad((x * A).sum(), x)
T.grad(A.T.sum(), A)
T.grad((x - z).sum(), z)
T.grad((x / z).sum(), z)
""".splitlines()
MADE_OTHERWISE_SINCE_3_1 = """
T.angle(c)
deg(x)
t3.flatten(2)
T.sort(x)
T.argsort(x)
T.roll(x, 1)
T.grad(T.concatenate([x, x]).sum(), x)
T.grad(T.maximum(x, 0).sum(), x)
""".splitlines()
if Version(pytensor.__version__) >= Version("3.1"):
    MADE_OTHERWISE += MADE_OTHERWISE_SINCE_3_1
# Formulas leave out the Rebroadcast that Theano had where loops begin.
ONLY_THE_GRAPH = """
theano.scan(lambda p, A: p * A, outputs_info=T.ones_like(x), non_sequences=x, n_steps=i)[0][-1]
theano.scan(lambda v, acc: v + acc, sequences=x, outputs_info=np.float64(0))[0][-1]
theano.reduce(lambda v, acc: v + acc, x, z)[0]
""".splitlines()
# Theano took the last index for the first in formulas: `A[n, ...]`.
SAME = [source for source in sources() if source not in [*MADE_OTHERWISE, *ONLY_THE_GRAPH] and source != "A[i, 1:n]"]


@pytest.fixture(scope="module")
def space():
    return names(theano)


@pytest.mark.parametrize("source", SAME)
def test_expressions_are_written_as_by_theano(space, source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ignore_border
        assert printed(theano, source, space) == GOLDEN[source]


@pytest.mark.parametrize("source", ONLY_THE_GRAPH[1:])
def test_graphs_of_loops_are_theanos(space, source):
    assert printed(theano, source, space)[0][0] == GOLDEN[source][0][0]


def test_types_are_printed_beside_variables(space):
    x = space["x"]
    text = theano.printing.debugprint(x * 2 > 1, file="str", print_type=True)
    assert text.splitlines()[:3] == [
        "Elemwise{gt,no_inplace} [id A] <TensorType(bool, vector)> ''   ",
        " |Elemwise{mul,no_inplace} [id B] <TensorType(float64, vector)> ''   ",
        " | |x [id C] <TensorType(float64, vector)>",
    ]


def test_functions_are_printed_with_order_storage_and_clients(in_mode):
    A, B, D = theano.tensor.matrices("ABD")
    with in_mode("FAST_COMPILE"):
        f = theano.function([A, B, D], [A + B, A + B - D])
    text = theano.printing.debugprint(f, file="str", print_clients=True)
    assert text == "\n".join(  # from theano/tests/test_printing.py's behaviour under Theano
        [
            "Elemwise{add,no_inplace} [id A] ''   0 clients:[('output', ''), ('[id C]', 1)]",
            " |A [id D]",
            " |B [id E]",
            "Elemwise{sub,no_inplace} [id C] ''   1",
            " |Elemwise{add,no_inplace} [id A] ''   0 clients:[('output', ''), ('[id C]', 1)]",
            " |D [id F]",
            "",
        ]
    )
    assert " |A  [None]\n" in theano.printing.debugprint(f, file="str", ids="", print_storage=True)


def test_identifiers_and_names_end_a_graph(space):
    x, named = space["x"], space["named"]
    sum_of = named + x
    debugprint = theano.printing.debugprint
    assert debugprint(sum_of, file="str", ids="int", stop_on_name=True).splitlines() == [
        "Elemwise{add,no_inplace} [id 0] ''   ",
        " |Elemwise{mul,no_inplace} [id 1] 'named'   ",
        " |x [id 2]",
    ]
    assert debugprint(sum_of, file="str", depth=1) == "Elemwise{add,no_inplace} [id A] ''   \n"
    done = {}
    debugprint(x, file="str", done=done)
    assert done == {x: "[id A]"}


def test_short_graphs_end_at_names(space):
    text = theano.printing.min_informative_str(space["named"] + (space["x"] + 1))
    assert text == (
        "A. Elemwise{add,no_inplace}\n B. named\n C. Elemwise{add,no_inplace}\n  D. x\n  E. InplaceDimShuffle{x}\n"
        "   F. TensorConstant{1}"
    )
