"""What a script imports is there: symae.theano, modules beside it, the libraries of its time. Afterwards all is as before."""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

import numpy as np
import pytest
import scipy
from PIL import Image

pytest.importorskip("fissix")


def test_theano_is_symaes(run):
    result = run("""
        import theano
        import theano.tensor as T
        from theano import function, shared
        from theano.tensor.shared_randomstreams import RandomStreams
        import theano.tensor.nnet
        x = T.ivector('x')
        print theano.__name__, T.__name__, theano.tensor is T
        print function([x], x / 2, mode='FAST_COMPILE')([7, 8])
    """)
    assert (result.status, result.out) == (0, "symae.theano symae.theano.tensor True\n[3 4]\n"), result.err
    assert not any(name.split(".")[0] == "theano" for name in sys.modules)
    assert sys.modules["symae.theano"].__spec__.name == "symae.theano"


def test_what_theano_lacks_says_so(run):
    result = run("import theano.no_such_module\n")
    assert result.status == 2
    assert result.err.startswith(
        "symae: error: old.py, line 1: found an import that nothing answers (No module named 'theano.no"
    )


def test_modules_beside_the_script_are_converted_and_left_alone(run, tmp_path):
    package = tmp_path / "work" / "package"
    package.mkdir(parents=True, exist_ok=True)
    texts = {"__init__.py": "import part\nfrom part import half\n", "part.py": "print 'part'\ndef half(n):\n    return n / 2\n"}
    for name, text in texts.items():
        (package / name).write_text(text)
    (tmp_path / "work" / "helper.py").write_text("def third(n):\n    return n / 3\n")
    result = run("print 'main'\nimport helper\nfrom package import half, part\nprint half(7), helper.third(7), part.__name__\n")
    assert (result.status, result.out) == (0, "main\npart\n3 2 package.part\n")
    assert sorted(path.name for path in package.iterdir()) == sorted(texts)
    assert not {"package", "package.part", "helper"} & set(sys.modules)


def test_a_module_beside_the_script_goes_before_ours(run, tmp_path):
    (tmp_path / "work" / "utils.py").write_text("tile_raster_images = 'mine'\n")
    assert run("from utils import tile_raster_images\nprint tile_raster_images\n").out == "mine\n"


def test_an_import_that_nothing_answers_names_the_module_and_the_line(run, tmp_path):
    (tmp_path / "work" / "helper.py").write_text("\n\nimport sklearn_of_2012.svm\n")
    result = run("import helper\n")
    assert result.status == 2
    assert result.err.splitlines()[0] == (
        "symae: error: helper.py, line 3: found an import that nothing answers (No module named 'sklearn_of_2012'), "
        "expected a module beside the script or an installed one"
    )


def test_a_script_may_catch_a_missing_import(run):
    assert run("try:\n    import sklearn_of_2012\nexcept ImportError:\n    print 'none'\n").out == "none\n"


@pytest.mark.parametrize(
    "line",
    [
        "import cPickle, Queue, StringIO, ConfigParser, urllib2, urlparse, commands, __builtin__, copy_reg; print 'ok'",
        "from cStringIO import StringIO; f = StringIO(); f.write('o'); f.write('k'); print f.getvalue()",
        "import six; from six.moves import xrange, cPickle, urllib; print 'ok' if six.PY3 and list(xrange(1)) == [0] else ''",
        "import six.moves.builtins as b, six.moves.copyreg; from six.moves.http_client import OK; print 'ok' if b.len else OK",
        "import Image, ImageDraw; print 'ok' if Image.ANTIALIAS is not None else ''",
        "import PIL.Image as Image; print 'ok' if Image.fromarray is not None else ''",
        "import scipy.misc; print 'ok' if scipy.misc.logsumexp([0.]) == 0 else ''",
        "from scipy.misc import imresize, imsave, imread, toimage, comb; print 'ok'",
        "import scipy; print 'ok' if scipy.linspace(0, 1, 2)[1] == 1 else ''",
        "import numpy as np; print 'ok' if np.float is float and np.cast['int32'](3.7) == 3 else ''",
        "import numpy as np; print 'ok' if 1 <= np.random.random_integers(1, 2) <= 2 and np.product([2, 3]) == 6 else ''",
        "import numpy as np; print 'ok' if np.fromstring('\\x01\\x02', dtype=np.uint8)[1] == 2 else ''",
        "import numpy as np; print 'ok' if np.array([1, 2], dtype='float32', copy=False).dtype == np.float32 else ''",
        "import time, string, os, sys, itertools; time.clock(), os.getcwdu(), sys.maxint; print string.join(['o', 'k'], '')",
        "from itertools import izip, imap; print 'ok' if list(izip('a', imap(str, [1]))) == [('a', '1')] else ''",
        "import collections, inspect; collections.Mapping; print 'ok' if inspect.getargspec(lambda a: a).args == ['a'] else ''",
        "import math; print 'ok' if range(math.floor(2.5)) == [0, 1] and 1 / math.floor(2.5) == 0.5 else ''",
        "import sys; reload(sys); sys.setdefaultencoding('utf8'); print 'ok'",
    ],
)
def test_libraries_of_that_time_answer(run, line):
    result = run(line + "\n")
    assert result.status == 0, result.err
    assert "ok" in result.out + result.err


def what_scripts_see_of_libraries():
    libraries = np, Image, os, scipy  # which import some of their modules when they are first used
    return (
        [{name for name, value in vars(library).items() if not isinstance(value, ModuleType)} for library in libraries],
        Image.fromarray,
        os.stat,
        open,
        np.get_printoptions(),
    )


def test_what_is_restored_is_gone_after_the_run(run):
    before = what_scripts_see_of_libraries()
    meta = list(sys.meta_path)
    assert run("import numpy, Image, scipy.misc\nprint numpy.float, Image.ANTIALIAS\n").status == 0
    assert what_scripts_see_of_libraries() == before
    assert sys.meta_path == meta


def test_matplotlibs_show_is_its_own_after_the_run(run):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.show
    result = run("""
        import atexit
        atexit.register(lambda: plt.show())
        import pylab, matplotlib.pyplot as plt
        plt.plot([1, 2]); pylab.show(); plt.plot([2, 1])
    """)
    assert result.status == 0, result.err
    assert {"figure_1.png", "figure_2.png"} <= {path.name for path in result.folder.iterdir()}
    assert pyplot.show is importlib.import_module("pylab").show is before


def test_what_matplotlib_dropped_is_there_while_a_script_runs(run):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    result = run("""
        import matplotlib.pyplot as plt
        import pylab
        first = plt.figure().add_subplot(121, axisbg='black')
        plt.hold(True); pylab.hold('on'); first.hold(False); first.hold()
        second = plt.subplot(122, axisbg='r')
        second.set_axis_bgcolor('g')
        print first.get_axis_bgcolor()[:3], second.get_axis_bgcolor()[:3], pylab.ishold()
    """)
    assert result.status == 0, result.err
    assert result.out == "(0.0, 0.0, 0.0) (0.0, 0.5, 0.0) True\n"
    assert "no hold(False) any more" in result.err
    for owner in (pyplot, importlib.import_module("pylab"), pyplot.Axes):
        assert not {"hold", "ishold", "set_axisbg", "set_axis_bgcolor", "get_axis_bgcolor"} & set(vars(owner))


def test_figures_are_drawn_without_a_screen(run):
    result = run("""
        import pylab
        from matplotlib import pyplot as plt
        pylab.subplot(1, 2, 1); pylab.plot([1, 2, 4], 'r--', label='a'); pylab.legend(); pylab.title('costs')
        pylab.subplot(122); pylab.imshow([[0, 1], [1, 0]], cmap=pylab.cm.gray)
        pylab.savefig('figure.png')
        plt.figure(); plt.hist([1, 2, 2]); plt.show()
    """)
    assert result.status == 0, result.err
    assert {"figure.png", "figure_1.png"} <= {path.name for path in result.folder.iterdir()}
    assert "data:image/png" in result.report
