"""What libraries on Theano ask of it, and of h5py and PyYAML as they were; none of the libraries is needed here."""

from __future__ import annotations

import importlib
import sys
import threading

import numpy as np
import pytest

import symae.theano as theano
import symae.theano.tensor as T
from symae.theano import install, uninstall
from symae.theano.gof import compilelock
from symae.theano.gof.op import debug_assert, debug_error_message, get_debug_values, missing_test_message


@pytest.fixture
def old_module(tmp_path, monkeypatch):
    """Import a text as a module of an old library."""

    def imported(text):
        (tmp_path / "oldlib.py").write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        install(["oldlib"])
        return importlib.import_module("oldlib")

    monkeypatch.syspath_prepend(tmp_path)
    yield imported
    uninstall()
    sys.modules.pop("oldlib", None)


def test_six_moves_is_a_package_in_theano_compat(old_module):
    library = old_module(
        "from theano.compat.six.moves import cPickle, input, reduce, xrange, zip as izip\n"
        "from theano.compat import six\n"
        "import theano.compat.six.moves as moves\n"
        "pairs = [list(izip(xrange(2), xrange(2))), reduce(lambda a, b: a + b, [1, 2]), six.string_types]\n"
    )
    assert library.pairs == [[(0, 0), (1, 1)], 3, (str,)]
    assert library.moves.cPickle is library.cPickle
    with pytest.raises(AttributeError, match="nonsense"):
        library.moves.nonsense  # noqa: B018


@pytest.mark.filterwarnings("ignore:theano.config.compute_test_value is")
def test_debug_values_are_test_values_where_the_flag_is_on():
    x, y, z = T.dscalar("x"), T.dscalar("y"), T.dscalar("z")
    x.tag.test_value, y.tag.test_value = 2.0, 3.0
    assert get_debug_values(x) == []
    with theano.config.change_flags(compute_test_value="ignore"):
        assert get_debug_values(x * 2) == [4.0]
        assert get_debug_values(x, y) == [(2.0, 3.0)]
        assert get_debug_values(x, z) == []
        with pytest.raises(ValueError, match="too large"):
            debug_error_message("too large")
        with pytest.raises(AssertionError, match="not one"):
            debug_assert(False, "not one")
    with theano.config.change_flags(compute_test_value="warn"), pytest.warns(UserWarning, match=r"Argument 1\('z'\)"):
        assert get_debug_values(x, z) == []
    with theano.config.change_flags(compute_test_value="raise"):
        debug_assert(True)
        with pytest.raises(AttributeError, match="Argument 0"):
            get_debug_values(z)
        with pytest.raises(AttributeError, match="none"):
            missing_test_message("none")


def test_a_lock_is_held_until_it_is_released(tmp_path):
    filelock = pytest.importorskip("filelock")
    other = filelock.FileLock(tmp_path / ".lock", timeout=0)
    compilelock.get_lock(tmp_path)
    with pytest.raises(filelock.Timeout):
        other.acquire()
    compilelock.release_lock()
    with other:
        pass
    with compilelock.lock_ctx(tmp_path), pytest.raises(filelock.Timeout):
        other.acquire()
    with other:
        pass
    with pytest.raises(ZeroDivisionError), compilelock.lock_ctx(tmp_path):
        raise ZeroDivisionError
    with other:
        pass


def test_a_lock_is_the_threads_that_got_it(tmp_path):
    filelock = pytest.importorskip("filelock")
    other = filelock.FileLock(tmp_path / ".lock", timeout=0)
    compilelock.get_lock(tmp_path)
    thread = threading.Thread(target=compilelock.release_lock)
    thread.start()
    thread.join()
    with pytest.raises(filelock.Timeout):
        other.acquire()
    compilelock.release_lock()
    with other:
        pass


def test_variables_are_described_without_places_in_memory():
    x = T.dvector("x")
    assert theano.printing.var_descriptor(x * 2) == theano.printing.var_descriptor(T.dvector("x") * 2)
    assert theano.printing.var_descriptor(x[x.argmax()]) != theano.printing.var_descriptor(x[x.argmin()])
    text = theano.printing.var_descriptor(x + x)
    assert text.startswith("A=")
    assert text.endswith("(B=x,<B>)")
    assert "0x" not in theano.printing.var_descriptor(T.dvector())


def test_h5py_reads_attributes_for_old_libraries_as_bytes(old_module, tmp_path):
    h5py = pytest.importorskip("h5py")
    library = old_module("import h5py\n")
    path = tmp_path / "model.h5"
    with library.h5py.File(path, "w") as file:
        group = file.create_group("layer")
        group.attrs["names"] = [b"W", b"bias"]
        group.attrs["none"] = []
        group.attrs["config"] = b"{}"
        group.create_dataset("W", data=np.eye(2))
        file.attrs["text"] = "ü"
    with library.h5py.File(path, "r") as file:
        group = file["layer"]
        assert isinstance(file, h5py.File)
        assert isinstance(group, h5py.Group)
        assert [name.decode("utf8") for name in group.attrs["names"]] == ["W", "bias"]
        assert not group.attrs["none"]
        assert group.attrs["config"].decode() == group.attrs.get("config").decode() == "{}"
        assert file.attrs["text"] == "ü"
        np.testing.assert_array_equal(group["W"].value, np.eye(2))
    with h5py.File(path, "r") as file:
        assert file["layer"].attrs["config"] == "{}"


def test_yaml_is_loaded_by_old_libraries_without_a_loader(old_module):
    yaml = pytest.importorskip("yaml")
    library = old_module("import yaml\nfound = yaml.load('a: [1, 2]')\n")
    assert library.found == {"a": [1, 2]}
    with pytest.raises(TypeError, match="Loader"):
        yaml.load("a: 1")


def test_the_mode_that_profiled_is_a_name_of_theano_itself():
    assert theano.ProfileMode is theano.compile.ProfileMode
