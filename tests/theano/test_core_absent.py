"""What symae.theano does not have it names, with what to use instead; what a GPU is needed for it says."""

import importlib
import inspect
import pkgutil
from contextlib import suppress

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T


@pytest.mark.parametrize(
    ("module", "name", "instead"),
    [
        ("tensor", "softmax", "use tensor.nnet.softmax"),
        ("tensor", "logsumexp", "pytensor.tensor.logsumexp"),
        ("tensor", "vectorize", r"use pytensor.tensor.vectorize of PyTensor"),
        ("tensor", "isend", "mpi4py"),
        ("tensor", "gpu_thing", "there is no GPU"),
        ("gof", "COp", "theano.Op with perform"),
        ("compile", "register_view_op_c_code", "leave it out"),
        ("sandbox", "conv", "theano.tensor.nnet.conv2d"),
        ("printing", "nothing_like_it", "nothing is known"),
    ],
)
def test_an_absent_name_says_what_to_use_instead(module, name, instead):
    place = importlib.import_module(f"symae.theano.{module}")
    with pytest.raises(AttributeError, match=rf"theano.{module}.{name} is not in symae.theano: .*{instead}"):
        getattr(place, name)
    assert not hasattr(place, name)


def test_an_absent_name_says_so_where_it_is_imported():
    with pytest.raises(ImportError, match=r"theano.tensor.softmax is not in symae.theano: use tensor.nnet.softmax"):
        from symae.theano.tensor import softmax  # noqa: F401


def test_every_module_of_theanos_tree_can_be_imported():
    modules = [m.name for m in pkgutil.walk_packages(theano.__path__, "symae.theano.")]
    assert len(modules) > 60
    assert all(importlib.import_module(name) is not None for name in modules)


def test_no_module_raises_anything_else_for_a_name_that_none_has():
    # pickle and others look for names in whatever is imported; what needs a GPU is a class that says so when it is called
    names = [
        m.name for m in pkgutil.walk_packages(theano.__path__, "symae.theano.") if "gpu" not in m.name and "cuda" not in m.name
    ]
    for module in map(importlib.import_module, names):
        assert not hasattr(module, "NoneHasThis"), module
        assert not hasattr(module, "_none_has_this"), module


def test_names_that_live_in_another_module_lead_to_one_that_there_is():
    names = [m.name for m in pkgutil.walk_packages(theano.__path__, "symae.theano.")]
    for module in map(importlib.import_module, names):
        getter = getattr(module, "__getattr__", pkgutil.walk_packages)
        for name in inspect.getclosurevars(getter).nonlocals.get("elsewhere", ()):
            with suppress(AttributeError):  # what its module says to use instead
                getattr(module, name)


@pytest.mark.parametrize(
    "path",
    [
        "tensor.nnet",
        "tensor.signal",
        "sandbox.rng_mrg",
        "sandbox.cuda",
        "gpuarray.dnn",
        "compat.python2x",
        "misc.pkl_utils",
        "tests.unittest_tools",
        "compile.nanguardmode",
        "gof.toolbox",
        "scan_module.scan_utils",
        "sparse",
        "typed_list",
        "ifelse",
        "printing",
    ],
)
def test_modules_are_there_without_importing_them(path):
    found = theano
    for part in path.split("."):
        found = getattr(found, part)
    assert found.__name__ == f"symae.theano.{path}"


def test_theano_is_in_theano():
    from symae.theano import theano as itself

    assert itself is theano
    assert theano.__version__ == theano.version.version == "1.0.5"


def test_a_program_that_asks_for_cuda_takes_its_other_branch():
    from symae.theano.sandbox import cuda

    assert not cuda.cuda_available
    assert not cuda.dnn.dnn_available()
    assert not theano.gpuarray.dnn.dnn_available("gpu0")
    assert not isinstance(T.matrix().type, cuda.CudaNdarrayType)
    with pytest.warns(UserWarning, match="there is no GPU"):
        cuda.use("gpu0")


@pytest.mark.parametrize("module", ["sandbox.cuda.basic_ops", "sandbox.cuda.blas", "gpuarray.basic_ops", "sandbox.cuda"])
def test_what_needs_a_gpu_is_refused_when_it_is_called(module):
    place = importlib.import_module(f"symae.theano.{module}")
    with pytest.raises(ValueError, match=rf"theano.{module}.gpu_from_host: found no GPU, expected the program's branch"):
        place.gpu_from_host(T.matrix())


def test_pythons_of_then_and_now():
    from symae.theano.compat import cmp, python2x, six

    assert python2x.OrderedDict([(1, 2)])[1] == python2x.partial(max, 2)(1) == 2
    assert (cmp(1, 2), list(six.iteritems({1: 2})), six.moves.xrange(2)) == (-1, [(1, 2)], range(2))
    default = theano.compat.DefaultOrderedDict(list)
    default["a"].append(1)
    assert default == {"a": [1]}


def test_arrays_of_floatX_are_made():
    assert theano._asarray([1, 2], dtype="float32").dtype == "float32"
    assert theano.misc.safe_asarray._asarray([1, 2], "floatX").dtype == "float64"


def test_models_are_kept_in_zip_files(tmp_path):
    from symae.theano.misc.pkl_utils import dump, load

    W, b = theano.shared(np.ones((2, 3)), name="W"), theano.shared(np.zeros(3), name="W")
    with (tmp_path / "model.zip").open("wb") as file:
        dump((W, b, {"epoch": 3}), file)
    assert sorted(np.load(tmp_path / "model.zip").files) == ["W", "W_2", "pkl"]
    with (tmp_path / "model.zip").open("rb") as file:
        read = load(file)
    assert read[0].get_value().tolist() == np.ones((2, 3)).tolist()
    assert read[2] == {"epoch": 3}


def test_other_files_are_no_models(tmp_path):
    from symae.theano.misc.pkl_utils import load

    (tmp_path / "model.zip").write_bytes(b"no zip")
    with (
        (tmp_path / "model.zip").open("rb") as file,
        pytest.raises(ValueError, match=r"model.zip: found .* expected a zip file"),
    ):
        load(file)


def test_seeds_and_shapes_are_tested():
    from symae.theano.tests import unittest_tools

    assert unittest_tools.fetch_seed() == unittest_tools.seed_rng() == 666
    assert np.random.rand() == np.random.RandomState(666).rand()
    assert unittest_tools.fetch_seed(3) == 3
    unittest_tools.assert_allclose(np.ones(2), np.ones(2) + 1e-9)
    with pytest.raises(unittest_tools.WrongValue, match="max absolute difference"):
        unittest_tools.assert_allclose(np.ones(2), np.zeros(2))


def test_sparse_matrices_and_lists():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    product = theano.sparse.dot(theano.shared(scipy_sparse.csr_matrix(np.eye(2) * 2)), T.ones((2, 1)))
    assert theano.function([], product)().tolist() == [[2], [2]]
    x = T.vector()
    appended = theano.typed_list.append(theano.typed_list.make_list([x]), x * 2)
    assert [a.tolist() for a in theano.function([x], appended)([1.0])] == [[1], [2]]
    with pytest.raises(AttributeError, match=r"theano.sparse.no_such .* pytensor.sparse"):
        _ = theano.sparse.no_such


def test_typed_lists_and_sparse_matrices_have_theanos_modules():
    from symae.theano.sparse.basic import csr_matrix, sgn
    from symae.theano.sparse.type import SparseType
    from symae.theano.typed_list.basic import make_list
    from symae.theano.typed_list.type import TypedListType

    x, listed = T.vector(), TypedListType(T.dvector)()
    f = theano.function([x, listed], [make_list([x, x * 2])[1], listed.append(x).length()], mode="FAST_COMPILE")
    assert [np.asarray(found).tolist() for found in f([1.0, 2.0], [[3.0]])] == [[2, 4], 2]
    assert isinstance(csr_matrix().type, SparseType)
    assert not isinstance(x.type, SparseType)
    assert sgn.__name__ == "sgn"
