"""mnist.pkl.gz of Python 2 and 3, and pickles that want something else."""

from __future__ import annotations

import base64
import gzip
import os
import pickle
import struct
import zlib

import numpy as np
import pytest

from symae.datasets import read
from symae.datasets.formats.pickles import read_pickle
from symae.errors import InputError, MissingFileError

# Written by Python 2.7.18's cPickle with NumPy 1.16.6, one a protocol: labels 3 1 4, 1 5 and 9; pixels 10 to 19 are 255/256
# and the pixel of the label's number is 1/2.
PYTHON_2 = {
    0: """
    eNrt3c1q20AUBtD9fRFpEyP5p3YhkLU2WkTbQomdxAQSR7hjqN++g2vcLlJE2lKH9CzOYube0cwD6OOW5Wqze+r3o9Xz9m70tHtMDzfb7c0+Pm/vVs+bL2m7
    W6Xo6zj2xeb2e70fR9lUkbpiWUS67id5mbuaSTTzxTTSsf027fu76KdRdsX9tIh8JLfl/tmhtysui2jbtrmo4yB/cdlUVS58+lpVv+vqTw6/zvz+6swLAAAA
    AAAAAAAAAADgHN7Qz/3iDQAAAAAAAAAAAAAAwJnjEOINAAAAAAAAAAAAAADwfhWRlus6yvU4yqaK1BXLvHXdf8jLvN1MIq2nUXbFw6KI3JA3c3V+qHTFZRFt
    2zYXdRzk88umqnIhf3oycHU9UJ8OPTuVLz18cXz4OJr5YppfP4vTk84RzBDkAAAAAAAAAAAAAAAA/oW/GA4QbwAAAAAAAAAAAAAAgPfrV3MqPp7GPaT1/Mek
    h6HhErOhu14eLlFXx+vq10yXeEPxDfELAAAAAAAAAAAAAAD4/+IXdX0KRPyUv0iD6YrU1+MYfQOIaOes
    """,
    1: """
    eNrt2r9Og1AUx3EuFNtih459AIc7kQ4ODia4KpHByGwKxdDE0oKXgUkfzTdTCvRPaLS46veTAAPnnvn+co6UYZIv14UdrrLIXuYvajHLsllhPWVRuEpeVZaH
    ykpFU2Yl8/p3qktXU74I1ENqSFdI17gfG6qpmqtiHVlpT/r686WruaKsMssSX1x7nnf3WapeZYvgdjq1Hj8utDZH+9ab0+0BAAAA8Md1uPeTHwAAAAB0zRLk
    BwAAAOC/U0EsZHywF3VW70WpeLMHtbhq9qD6P+xB+ROjaSaab2/XXMlW+0HVXt+sXcVmtUX1PjmVXEgxAAAAAE5yyA8AAAAA2o6mIMN6TKHifjXhGG8nG+bu
    wNFkw6qOiIPJxs3oN0mFZAIAAACQTFox47yOGdtkMhjuE4lKR/YXOLqXHA==
    """,
    2: """
    eNrt2rFuglAUxnEuYFXq4OgDODg5dejQhM69qUPjnRtBGkwqCsWBqS5ofKu+WSuIGkiMdG3/v+ReBk7OfL+cs9bdYDVfJkN3EXnD+eo9nk2iaJJYr5HnLoKP
    OFq5sRWKQ5UVTA9/Q11qqRLO9iU0BlJI47lrbIqaaZwsPSs0lf52JzUp9jWNgTSUeBiNRk/fe/kltdjZjb/6WpWtXfRp1zsAAAAA/rga737yAwAAAIC6WYL8
    AAAAAPx3seML/7wQdZMvRKW+qfTZfbEA1by0AKV6RtFFFF/z1HVTatvK2urZnpXf2I3XvWtZhdwCAAAA4Cqb/AAAAACgqjL3aOcDitRv7lT3OMxonErLwwwr
    qxXHYcZj5zfhhDACAAAAEEZKAeM2Dxh5GGm1zyFkG3aGP8fDlJI=
    """,
}


class Asks:
    """An object whose pickle calls something."""

    def __init__(self, call, *arguments):
        self.reduced = call, arguments

    def __reduce__(self):
        return self.reduced


@pytest.fixture
def stored(tmp_path):
    """Return a function that stores bytes as mnist.pkl.gz and returns the path."""

    def store(data):
        (tmp_path / "mnist.pkl.gz").write_bytes(gzip.compress(data))
        return tmp_path / "mnist.pkl.gz"

    return store


@pytest.fixture
def floats(splits):
    return tuple(((x / np.float32(256)).astype(np.float32), y) for x, y in splits)


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_python_2s_pickles_are_read(stored, protocol):
    dataset = read(stored(zlib.decompress(base64.b64decode(PYTHON_2[protocol]))))
    assert dataset.name == "mnist.pkl.gz, 3/2/1 images"
    assert dataset.train.x.dtype == np.float32
    np.testing.assert_array_equal(dataset.train.y, [3, 1, 4])
    np.testing.assert_array_equal(dataset.test.y, [9])
    expected = np.zeros((3, 784), np.float32)
    expected[:, 10:20] = 255 / 256
    expected[[0, 1, 2], [3, 1, 4]] = 0.5
    np.testing.assert_array_equal(dataset.train.x, expected)


@pytest.mark.parametrize("numpy_1", [False, True])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_python_3s_pickles_are_read(stored, floats, protocol, numpy_1):
    data = pickle.dumps(floats, protocol)
    # NumPy before 2 called its inner package numpy.core; protocols from 4 on store a name's length before it.
    if numpy_1:
        data = data.replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
        data = data.replace(b"\x8c\x13numpy._core.numeric", b"\x8c\x12numpy.core.numeric").replace(
            b"cnumpy._core", b"cnumpy.core"
        )
        if protocol >= 4:
            (frame,) = struct.unpack("<Q", data[3:11])
            shorter = len(pickle.dumps(floats, protocol)) - len(data)
            data = data[:3] + struct.pack("<Q", frame - shorter) + data[11:]
    dataset = read(stored(data))
    np.testing.assert_array_equal(dataset.valid.x, floats[1][0])
    np.testing.assert_array_equal(dataset.valid.y, floats[1][1])
    assert dataset.train.x.flags.writeable


@pytest.mark.parametrize("name", ["a.pkl", "a.pickle"])
def test_an_unpacked_pickle_is_read_and_bytes_stay_bytes(tmp_path, splits, name):
    (tmp_path / name).write_bytes(pickle.dumps([list(pair) for pair in splits]))
    assert read(tmp_path / name).train.x.dtype == np.uint8


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [">f8", "<i2", "?", "u1"])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_arrays_of_any_number_type_and_order_come_back(tmp_path, protocol, dtype, order):
    array = np.array([[0, 1, 2], [3, 4, 0]]).astype(dtype, order=order)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"W": array, "empty": array[:0], "n": np.float64(2.5)}, protocol))
    back = read_pickle(tmp_path / "a.pkl")
    np.testing.assert_array_equal(back["W"], array)
    assert back["W"].dtype == array.dtype.newbyteorder("=")
    assert back["empty"].shape == (0, 3)
    assert back["n"] == 2.5


def test_an_array_that_occurs_twice_is_built_once(tmp_path):
    array = np.arange(3)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([array, (array, [array])]))
    first, (second, [third]) = read_pickle(tmp_path / "a.pkl")
    assert first is second is third


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("call", "arguments", "name"),
    [
        (os.system, ("touch ran",), r"(posix|nt)\.system"),
        (eval, ("open('ran', 'w')",), r"(builtins|__builtin__)\.eval"),
        (exec, ("open('ran', 'w')",), r"(builtins|__builtin__)\.exec"),
        (os.mkdir, ("ran",), r"(posix|nt)\.mkdir"),
        (getattr, (1, "real"), r"(builtins|__builtin__)\.getattr"),
        (np.load, ("ran",), r"numpy\.load"),
        (bytearray, (10**12,), r"(builtins|__builtin__)\.bytearray"),
    ],
)
def test_a_pickle_that_wants_to_run_code_is_refused_and_nothing_runs(
    tmp_path, monkeypatch, stored, protocol, call, arguments, name
):
    monkeypatch.chdir(tmp_path)
    path = stored(pickle.dumps(Asks(call, *arguments), protocol))
    with pytest.raises(InputError, match=rf"found a pickle that asks for '{name}', expected .*arrays") as caught:
        read(path)
    assert caught.value.where == str(path)
    assert not (tmp_path / "ran").exists()


NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
# A thousand numbers, kept, and an array of them built again.
RAW = b"T" + (4000).to_bytes(4, "little") + b"a" * 4000 + b"p9\n"
AGAIN = b"cnumpy.core.multiarray\n_reconstruct\n(NtR(I1\n(I1000\nt" + DTYPE + b"I00\ng9\ntb"
EMPTY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"cos\nsystem\n(S'touch ran'\ntR.", "asks for 'os.system'"),
        (b"(ios\nsystem\nS'touch ran'\n.", "asks for 'os.system'"),
        (b"(S'touch ran'\nios\nsystem\n.", "asks for 'os.system'"),
        (b"(cos\nsystem\nS'touch ran'\no.", "instruction OBJ"),
        (b"c__builtin__\neval\n(S'1'\ntR.", "asks for '__builtin__.eval'"),
        (b"cnumpy\nload\n.", "asks for 'numpy.load'"),
        (b"cnumpy.core.multiarray\nscalar.__globals__\n.", "asks for"),
        (b"\x80\x04\x8c\x0esymae.datasets\x8c\x04read\x93.", "asks for 'symae.datasets.read'"),
        (b"\x82\x01.", "instruction EXT1"),
        (b"Pname\n.", "instruction PERSID"),
        (b"\x8b\xff\xff\xff\x7f.", "cut off"),
        (b"\x8b\x01\x00\x00\x00\x01.", "instruction LONG4"),
        (NDARRAY + b".", "part of an array by itself"),
        (NDARRAY + b"(I1000000000\ntR.", "an array without contents"),
        (NDARRAY + b"}S'shape'\nI3\nsb.", "a state for a function"),
        (EMPTY + b".", "an array without contents"),
        (EMPTY + b"(I1\n(I1000000000\nt" + DTYPE + b"I00\nS''\ntb.", "0 bytes for shape"),
        (EMPTY + b"(I1\n(I-1\nt" + DTYPE + b"I00\nS''\ntb.", "0 bytes for shape"),
        (EMPTY + b"(I1\n(I0\nI99999999999999999999\nt" + DTYPE + b"I00\nS''\ntb.", "broken pickle"),
        (EMPTY + b"(I1\n(I1\nt" + DTYPE + b"I00\n(lp0\nI1\natb.", "not made of numbers"),
        (EMPTY + b"(I1\n(I1\nt" + DTYPE.replace(b"f4", b"O8") + b"I00\nS''\ntb.", "an array of 'O8'"),
        (EMPTY + b"(I1\n(I1\nt" + DTYPE.replace(b"f4", b"V4") + b"I00\nS''\ntb.", "an array of 'V4'"),
        (EMPTY + b"(I1\n(I1\nt" + DTYPE.replace(b"'<'", b"'!'") + b"I00\nS'aaaa'\ntb.", "the byte order '!'"),
        (b"(" + EMPTY + b"(I1\n(I1000\nt" + DTYPE + b"I00\n" + RAW + b"tb" + AGAIN * 9 + b"t.", "more bytes than the file"),
        (b"(" + RAW + (b"c_codecs\nencode\ng9\n\x85R") * 300 + b"t.", "more bytes than the file"),
        (b"r\xff\xff\xff\xff.", "a memo of"),
        (b"Np99999999999\n.", "a memo of"),
        (b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "cut off"),
        (b"X\xff\xff\xff\xff", "cut off"),
        (b"N" * 20000 + b".", "more than 10000 pickle instructions"),
        (b"]" + b"\x85" * 9000 + b".", "nested more than 32 deep"),
        (b"]q\x00h\x00a.", "nested more than 32 deep"),
        (b"}]Ns.", "broken pickle"),
        (b"N", "cut off"),
        (b"cos", "cut off"),
        (b".", "broken pickle"),
        (b"N.N.", "2 bytes after the end"),
        (b"\xff.", r"the byte '\\xff' at 0"),
        (b"S'\\q'\n.", "an object of type str"),
        (b"\x80\x09N.", "broken pickle"),
        (b"I1\n.", "an object of type int"),
        (b"(I1\nI2\nt.", "a tuple of 2"),
        (b"(I1\nI2\nI3\nt.", "an object of type int"),
        (b"((I1\nI2\nt(I1\nI2\nt(I1\nI2\ntt.", "an object of type int"),
    ],
)
def test_a_pickle_of_something_else_is_refused_with_its_name(tmp_path, monkeypatch, stored, data, message):
    monkeypatch.chdir(tmp_path)
    path = stored(data)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert caught.value.where == str(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.zeros(3, [("a", "i4")]), np.zeros(3, complex)])
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_anything_but_numbers_are_refused(tmp_path, array, protocol):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(array, protocol))
    with pytest.raises(InputError, match=r"a\.pkl: found"):
        read_pickle(tmp_path / "a.pkl")


@pytest.mark.parametrize("cut", [1, 10, 500, -1])
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_cut_off_pickle_is_refused(stored, floats, protocol, cut):
    with pytest.raises(InputError, match="cut off"):
        read(stored(pickle.dumps(floats, protocol)[:cut]))


def test_values_out_of_range_are_refused(stored, floats):
    floats[1][0][1, 5] = np.nan
    with pytest.raises(InputError, match="validation: found nan at pixel 5 of image 1"):
        read(stored(pickle.dumps(floats)))


def test_a_missing_pickle_is_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match=r"mnist.pkl.gz: found no such file"):
        read(tmp_path / "mnist.pkl.gz")
