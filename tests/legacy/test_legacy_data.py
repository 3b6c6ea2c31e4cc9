"""The tutorials' data is found by its name, old pickles are read and run nothing, and no file of the user's is changed."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import sys
from types import ModuleType

import numpy as np
import pytensor.tensor as pt
import pytest
from golden.figures import read_json

import symae

pytest.importorskip("fissix")


@pytest.fixture(autouse=True)
def _digits(no_mnist):
    """symae's own digits stand for MNIST: they are small."""


LOAD = """
    import cPickle, gzip, os, urllib
    dataset = 'mnist.pkl.gz'
    if not os.path.isfile('../data/' + dataset):
        urllib.urlretrieve('http://www.iro.umontreal.ca/~lisa/deep/data/mnist/mnist.pkl.gz', dataset)
    f = gzip.open('../data/' + dataset, 'rb')
    train_set, valid_set, test_set = cPickle.load(f)
    f.close()
    print train_set[0].shape, valid_set[0].dtype, test_set[1].dtype, train_set[0].max() <= 1
"""


def test_mnist_is_there_wherever_a_script_asks_for_it(run, tmp_path):
    result = run(LOAD)
    assert (result.status, result.out) == (0, "(5000, 784) float32 int64 True\n"), result.err
    assert "mnist.pkl.gz: symae's own digits" in result.err
    assert not list((tmp_path / "work").rglob("mnist*"))


def test_a_file_of_the_users_goes_before_ours(run, tmp_path):
    with gzip.open(tmp_path / "work" / "mnist.pkl.gz", "wb") as file:
        pickle.dump("mine", file, protocol=2)
    assert run("import cPickle, gzip\nprint cPickle.load(gzip.open('mnist.pkl.gz'))\n").out == "mine\n"


def test_the_network_is_not_asked(run):
    result = run("import urllib\nurllib.urlretrieve('http://example.org/faces.mat', 'faces.mat')\n")
    assert result.status == 2
    assert "old.py, line 2: http://example.org/faces.mat: found a download" in result.err
    assert "expected the data at faces.mat" in result.err


def test_a_download_of_mnist_is_answered(run):
    result = run("""
        import urllib, gzip, cPickle
        urllib.urlretrieve('http://deeplearning.net/data/mnist/mnist.pkl.gz', 'digits.gz')
    """)
    assert result.status == 0, result.err
    assert run("import urllib2\nprint len(urllib2.urlopen('http://x.org/mnist.pkl.gz').read(2))\n").out == "2\n"


def test_pickles_of_python_2_are_read(run, tmp_path):
    # ['é', {u'b': array([1., 2.])}] as Python 2's protocol 0 wrote it, and a long
    (tmp_path / "work" / "old.pkl").write_bytes(b"(lp0\nS'\\xe9'\np1\naL3L\na.")
    assert run("import cPickle\nprint cPickle.load(open('old.pkl'))\n").out == "['é', 3]\n"


def test_a_binary_file_that_was_read_as_text_is_what_it_was(run, tmp_path):
    np.arange(256, dtype="uint8").tofile(tmp_path / "work" / "bytes.bin")
    result = run("""
        import cPickle, numpy, struct
        cPickle.dump(numpy.arange(300), open('a.pkl', 'wb'), 2)
        print cPickle.loads(open('a.pkl').read()).sum(), numpy.loads(open('a.pkl').read()).sum()
        text = open('bytes.bin').read()
        print numpy.fromstring(text, dtype='uint8').sum(), struct.unpack('>H', text[:2])
    """)
    assert (result.status, result.out) == (0, f"44850 44850\n{sum(range(256))} (1,)\n"), result.err


def test_an_object_of_the_scripts_own_goes_through_a_pickle(run):
    result = run("""
        import cPickle, numpy
        def square(x): return x ** 2
        class Model(object):
            def __init__(self):
                self.W, self.f = numpy.arange(3.), square
        cPickle.dump(Model(), open('model.pkl', 'w'), cPickle.HIGHEST_PROTOCOL)
        model = cPickle.load(open('model.pkl'))
        print model.f(model.W), cPickle.loads(cPickle.dumps({'a': (1, u'b')}))
    """)
    assert (result.status, result.out) == (0, "[ 0.  1.  4.] {'a': (1, 'b')}\n"), result.err
    assert (result.folder / "model.pkl").is_file()


def test_an_expression_of_theanos_goes_through_a_pickle(run):
    result = run("""
        import cPickle, numpy, theano, theano.tensor as T
        x, W = T.matrix('x'), theano.shared(numpy.eye(2), 'W')
        cPickle.dump((x, W, T.nnet.softmax(T.dot(x, W))), open('model.pkl', 'wb'))
        x, W, y = cPickle.load(open('model.pkl', 'rb'))
        W.set_value(numpy.zeros((2, 2)))
        print theano.function([x], y, mode='FAST_COMPILE')([[1., 2.]])
    """)
    assert (result.status, result.out) == (0, "[[ 0.5  0.5]]\n"), result.err


class Bad:
    """A pickle that calls a function."""

    def __init__(self, function: object, *arguments: object):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("pickled", "name"),
    [
        ("cos\nsystem\n(S'touch ran'\ntR.", "os.system"),
        ("csubprocess\nPopen\n(S'x'\ntR.", "subprocess.Popen"),
        ("c__builtin__\neval\n.", "__builtin__.eval"),
        ("cnumpy\nload\n.", "numpy.load"),
        ("cpytensor.compile.ops\nFromFunctionOp\n.", "pytensor.compile.ops.FromFunctionOp"),
        ("cpytensor.utils\nsubprocess_Popen\n.", "pytensor.utils.subprocess_Popen"),
        ("cpytensor.link.c.cmodule\nModuleCache\n.", "pytensor.link.c.cmodule.ModuleCache"),
        ("csymae.runs.worksheet\nWorksheet\n.", "symae.runs.worksheet.Worksheet"),
        ("c__main__\nsystem\n.", "__main__.system"),
        ("cnumpy.f2py.__main__\nmain\n.", "numpy.f2py.__main__.main"),
    ],
)
def test_a_pickle_that_wants_to_run_code_is_refused(run, tmp_path, pickled, name):
    (tmp_path / "work" / "bad.pkl").write_text(pickled)
    result = run("import cPickle\nfrom os import system\ncPickle.load(open('bad.pkl'))\n")
    assert result.status == 2
    assert f"old.py, line 3: {tmp_path}/work/bad.pkl: found a pickle that asks for {name}, expected" in result.err
    assert (result.out, len(result.err.splitlines())) == ("", 2)
    assert not list(tmp_path.rglob("ran"))


def test_a_pickle_does_not_call_the_scripts_functions(run, tmp_path):
    (tmp_path / "work" / "bad.pkl").write_text("c__main__\nrun\n(tR.")
    result = run("import cPickle\ndef run():\n    print 'ran'\ncPickle.load(open('bad.pkl'))\n")
    assert (result.status, result.out) == (2, "")
    assert "found a pickle that calls __main__.run" in result.err


@pytest.mark.parametrize(
    ("pickled", "does"),
    [
        ("cnumpy\nmultiply\n((lI1\na(lI2\natR.", "calls numpy.multiply"),
        ("c__builtin__\ngetattr\n(c__builtin__\ndict\nS'clear'\ntR.", "asks for clear of <class 'dict'>"),
        ("c__builtin__\ngetattr\n(cpytensor.scalar.basic\nSign\nS'__init__'\ntR.", "asks for __init__ of"),
        ("cpytensor.scalar.basic\nSign\nS'x'\nb.", "changes"),
    ],
)
def test_what_operations_of_graphs_need_admits_no_more(run, tmp_path, pickled, does):
    (tmp_path / "work" / "bad.pkl").write_text(pickled)
    result = run("import cPickle\ncPickle.load(open('bad.pkl'))\n")
    assert (result.status, result.out) == (2, "")
    assert f"found a pickle that {does}" in result.err


def test_a_compiled_function_in_a_pickle_is_nothing(run, tmp_path):
    # How PyTensor pickles one: a call of its constructor, with the storage of inputs.
    (tmp_path / "work" / "f.pkl").write_text("cpytensor.compile.executor\n_constructor_Function\n(I1\n(ltR.")
    result = run("import cPickle\nf = cPickle.load(open('f.pkl'))\nprint type(f).__name__, callable(f)\n")
    assert (result.status, result.out) == (0, "Forgotten False\n"), result.err


def test_so_is_one_that_symae_has_compiled(run, tmp_path):
    x = pt.dvector("x")
    f = symae.function([x], 2 * x, mode="FAST_COMPILE")
    (tmp_path / "work" / "f.pkl").write_bytes(pickle.dumps({"f": f, "n": 3}, protocol=2))
    result = run("import cPickle\nd = cPickle.load(open('f.pkl', 'rb'))\nprint type(d['f']).__name__, d['n']\n")
    assert (result.status, result.out) == (0, "Forgotten 3\n"), result.err


def test_arrays_of_objects_are_read_without_running_code(run, tmp_path):
    np.save(tmp_path / "work" / "good.npy", np.array([{"a": 1}, None], dtype=object))
    np.save(tmp_path / "work" / "bad.npy", np.array([Bad(exec, "1")], dtype=object))
    result = run("import numpy\nprint numpy.load('good.npy')[0]\nnumpy.load('bad.npy')\n")
    assert (result.status, result.out) == (2, "{'a': 1}\n")
    assert "a pickle that asks for builtins.exec" in result.err


def test_what_a_script_writes_goes_into_the_output_folder(run, tmp_path):
    work = tmp_path / "work"
    (work / "log.txt").write_text("old ")
    (work / "plots").mkdir()
    result = run("""
        import os, numpy, shutil
        here = os.path.dirname(os.path.abspath(__file__))
        open('log.txt', 'a').write('new')
        open(os.path.join(here, 'old.py'), 'w').write('gone')
        numpy.save(os.path.join(here, 'x.npy'), numpy.zeros(2))
        if not os.path.isdir('plots'):
            os.makedirs('plots')
        os.chdir('plots')
        open('a.txt', 'w').write('a')
        os.chdir('..')
        open('../outside.txt', 'w').write('o')
        shutil.rmtree(here)
        print open('log.txt').read(), numpy.load(here + '/x.npy'), os.listdir('plots'), open('../outside.txt').read()
    """)
    assert (result.status, result.out) == (0, "old new [ 0.  0.] ['a.txt'] o\n"), result.err
    assert sorted(path.name for path in work.iterdir()) == ["log.txt", "old.py", "out", "plots"]
    assert (work / "log.txt").read_text() == "old "
    assert "import os, numpy" in (work / "old.py").read_text()
    assert not list((work / "plots").iterdir())
    assert not (tmp_path / "outside.txt").exists()
    assert f"old.py: written to old.py in {work / 'out' / 'old'}; what is there stays as it is" in result.err


def test_folders_are_listed_where_they_are(run, tmp_path):
    (tmp_path / "work" / "data").mkdir()
    (tmp_path / "work" / "data" / "a.txt").write_text("a")
    result = run("""
        import os, glob
        print os.listdir('data'), glob.glob('data/*'), [names for _, _, names in os.walk('data')]
        os.mkdir('new')
        os.chdir('new')
        open('b.txt', 'w').write('b')
        print os.listdir('.'), os.listdir('../data')
    """)
    assert (result.status, result.out) == (0, "['a.txt'] ['data/a.txt'] [['a.txt']]\n['b.txt'] ['a.txt']\n"), result.err


def test_a_file_that_was_there_is_not_overwritten_wherever_it_is(run, tmp_path):
    other = tmp_path / "elsewhere" / "results.txt"
    other.parent.mkdir()
    other.write_text("mine")
    result = run("import sys, os\nfor name in sys.argv[1:]:\n    open(name, 'w').write('new')\nos.remove(sys.argv[1])\n"
                 "print os.path.exists(sys.argv[1])\n", str(other))  # fmt: skip
    assert other.read_text() == "mine"
    assert result.status == 0


def test_what_one_script_leaves_another_finds(run):
    run("open('weights.txt', 'w').write('7')\n", name="train.py")
    result = run("print open('weights.txt').read()\n", name="predict.py")
    assert result.out == "7\n"
    assert "weights.txt: read from" in result.err


def test_what_a_script_only_writes_or_looks_for_is_not_said_to_be_read(run, tmp_path):
    script = """
        import os, numpy
        print os.path.exists('weights.txt')
        open('weights.txt', 'w').write('7')
        numpy.savetxt('table.txt', [1.])
        print os.path.isfile('mnist.pkl.gz')
        open('mnist.pkl.gz', 'wb').close()
        os.remove('mnist.pkl.gz')
    """
    run(script, options=("--out", "out/first"))
    result = run(script, options=("--out", "out/second"))
    assert (result.status, result.out) == (0, "True\nTrue\n")
    assert result.err == "symae: results are in out/second/: open report.html\n"


READS = """
    import cPickle, json, theano
    theano.config.mode = 'FAST_COMPILE'
    class LogisticRegression(object):
        pass
    stored = cPickle.load(open('old.pkl', 'rb'))
"""


@pytest.fixture
def of_theano(tmp_path):
    """Return what real Theano computed, and a function that puts one of its pickles beside the script."""
    golden = read_json("theano_pickles")

    def stored(name):
        (tmp_path / "work" / "old.pkl").write_bytes(gzip.decompress(base64.b64decode(golden[name])))
        return golden

    return stored


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_model_that_theano_pickled_computes_what_it_computed(run, of_theano, protocol):
    golden = of_theano(f"model, protocol {protocol}")
    lines = f"""
    f = theano.function([stored.input, stored.y], [stored.p_y_given_x, stored.cost])
    print json.dumps([value.tolist() for value in f({golden["x"]}, [1, 0])]), stored.W.name, stored.b.get_value()
    """
    result = run(READS + lines)
    assert result.status == 0, result.err
    assert result.out.endswith("] W [ 0.5 -0.5]\n")
    p, cost = json.loads(result.out[: result.out.rindex(" W")])
    np.testing.assert_allclose(p, golden["p_y_given_x"], rtol=1e-13)
    assert cost == pytest.approx(golden["cost"], rel=1e-13)


def test_a_function_that_theano_pickled_is_compiled_again(run, of_theano):
    golden = of_theano("function")
    result = run(READS + f"    x = {golden['x']}\n    print json.dumps([stored(x).tolist(), stored(x, 1.).tolist()])\n")
    assert result.status == 0, result.err
    np.testing.assert_allclose(json.loads(result.out), golden["calls"], rtol=1e-14)


def test_streams_that_theano_pickled_go_on(run, of_theano):
    golden = of_theano("streams")
    result = run(READS + "    print json.dumps(theano.function([], stored.uniform((2,)))().tolist())\n")
    assert result.status == 0, result.err
    assert json.loads(result.out) == golden["uniform"]


def test_parameters_that_were_on_a_gpu_of_theanos_last_years_are_read(run, tmp_path, monkeypatch):
    # As theano.gpuarray pickles them: an array by a function that takes the array and the name of its GPU.
    gpu, link, gof = (ModuleType(name) for name in ("theano.gpuarray.type", "theano.gof.link", "theano.gof.graph"))

    def of_theano(module, called, **state):
        kind = vars(module).setdefault(called, type(called, (), {"__module__": module.__name__, "__qualname__": called}))
        made = kind()
        vars(made).update(state)
        return made

    def unpickler(array, context):
        return array

    unpickler.__module__, unpickler.__qualname__ = gpu.__name__, "GpuArray_unpickler"
    gpu.GpuArray_unpickler = unpickler
    kind = of_theano(gpu, "GpuArrayType", dtype="float32", broadcastable=(False, False), context_name="dev0", name=None)
    values = np.arange(6, dtype="float32").reshape(2, 3)
    container = of_theano(link, "Container", storage=[Bad(unpickler, values, "dev0")], readonly=False, strict=False)
    variable = {"type": kind, "owner": None, "index": None, "name": "W", "tag": of_theano(gof, "scratchpad")}
    W = of_theano(gpu, "GpuArraySharedVariable", container=container, **variable)
    one = of_theano(gpu, "GpuArrayConstant", data=Bad(unpickler, values[:1], None), **variable)
    with monkeypatch.context() as while_pickling:
        for module in (*map(ModuleType, ("theano", "theano.gpuarray", "theano.gof")), gpu, link, gof):
            while_pickling.setitem(sys.modules, module.__name__, module)
        (tmp_path / "work" / "gpu.pkl").write_bytes(pickle.dumps([W, one], 2))
    result = run("""
        import cPickle, theano
        W, one = cPickle.load(open('gpu.pkl', 'rb'))
        print W.name, W.type, W.get_value().tolist(), one.data.tolist()
        print theano.function([], W * 2, mode='FAST_COMPILE')()[1].tolist()
    """)
    expected = "W TensorType(float32, matrix) [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] [[0.0, 1.0, 2.0]]\n[6.0, 8.0, 10.0]\n"
    assert (result.status, result.out) == (0, expected), result.err
