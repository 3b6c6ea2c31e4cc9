"""Files of other libraries' weights: odd ones are told apart, or are one line of error that names the right fault."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from symae import InputError, nn
from symae.datasets.hdf5_heaps import check_heaps, check_texts
from symae.keras import Input, Model
from symae.models import load_weights, read_weights
from symae.models.foreign import _opened

GOLDEN = Path(__file__).parents[1] / "golden" / "foreign_weights"
rng = np.random.RandomState(0)
FILTERS = {"conv_W": rng.normal(size=(2, 1, 3, 3)), "deconv_W": rng.normal(size=(2, 1, 3, 3))}


def filtering():
    params, x = nn.Parameters(0), Input((1, 6, 6))
    return Model(x, nn.deconv(params, "deconv", nn.conv(params, "conv", x, 2, 3), 1, 3))


def turned(flip_filters, path):
    """Return for which filters of a Lasagne file it was found that its network turns them round; symae's layers do not."""
    model = filtering()
    np.savez(path, FILTERS["conv_W"], np.zeros(2), FILTERS["deconv_W"], np.zeros(1))
    load_weights(model, path, flip_filters=flip_filters)
    found = set()
    for name, value in FILTERS.items():
        is_turned = np.array_equal(model.parameters()[name], value[:, :, ::-1, ::-1])
        assert is_turned or np.array_equal(model.parameters()[name], value)
        found |= {name} if is_turned else set()
    return found


def test_lasagnes_flag_is_that_of_its_convolutions(tmp_path):
    """TransposedConv2DLayer has flip_filters=False by default, and is Theano's gradient of a convolution with flip then."""
    path = tmp_path / "a.npz"
    assert turned(None, path) == turned(True, path) == {"conv_W", "deconv_W"}
    assert turned(False, path) == {"deconv_W"}
    assert turned({"deconv_W": False}, path) == {"conv_W"}
    assert turned({"deconv_W": False, "conv_W": False}, path) == set()
    with pytest.raises(InputError, match="flip_filters: found 'conv_b', expected filters of the model: conv_W, deconv_W"):
        turned({"conv_b": True}, path)
    with pytest.raises(InputError, match=r"flip_filters\['conv_W'\]: found 1, expected True or False"):
        turned({"conv_W": 1}, path)


def dense(n_in, n_out):
    params, x = nn.Parameters(0), Input((n_in,))
    return Model(x, nn.dense(params, "code", x, n_out))


def test_a_single_link_of_chainer_is_told_by_its_bias(tmp_path):
    W, b = rng.normal(size=(3, 5)), rng.normal(size=3)  # (out, in)
    np.savez(tmp_path / "a.npz", W=W, b=b)
    model = dense(5, 3)
    load_weights(model, tmp_path / "a.npz")
    np.testing.assert_array_equal(model.parameters()["code_W"], W.T)
    np.savez(tmp_path / "a.npz", W=W.T, b=b)
    load_weights(model, tmp_path / "a.npz")
    np.testing.assert_array_equal(model.parameters()["code_W"], W.T)


def test_a_square_matrix_of_nobody_is_not_guessed_at(tmp_path):
    W = rng.normal(size=(4, 4))
    np.savez(tmp_path / "a.npz", W=W, b=np.zeros(4))
    with pytest.raises(InputError, match=r"a.npz, W: found a square W, .*expected names with a layer: \"code/W\""):
        load_weights(dense(4, 4), tmp_path / "a.npz")
    assert list(read_weights(tmp_path / "a.npz")) == ["W", "b"]
    np.savez(tmp_path / "a.npz", **{"code/W": W, "code/b": np.zeros(4)})
    model = dense(4, 4)
    load_weights(model, tmp_path / "a.npz")
    np.testing.assert_array_equal(model.parameters()["code_W"], W.T)


@pytest.mark.parametrize("ending", ["npz", "weights.h5"])
def test_a_fault_that_is_not_the_files_is_not_called_its(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    if ending == "npz":
        np.savez(path, **{"code/W": np.ones((2, 3))})
    else:
        with pytest.importorskip("h5py").File(path, "w") as file:
            file["layers/dense/vars/0"] = np.ones((3, 2))
    with pytest.raises(KeyError, match="ours"), _opened(path):
        raise KeyError("ours")


def test_a_checkpoint_may_have_tensors_beside_its_weights(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    weights = torch.nn.Linear(2, 3).state_dict()
    for old in (False, True):
        more = [torch.tensor(float(i)) for i in range(20)]  # some of them lie before the weights
        checkpoint = {"epoch": 3, "state_dict": weights, "best_acc1": more[0], "losses": more, "model": {"depth": 3}}
        torch.save(checkpoint, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
        found = read_weights(tmp_path / "a.pt")
        assert list(found) == ["weight", "bias"]
        np.testing.assert_array_equal(found["weight"], weights["weight"].numpy())


def test_a_checkpoint_calls_its_weights_as_it_likes_if_nothing_else_in_it_is_a_state_dict(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    net = torch.nn.Linear(2, 3)
    memory = torch.optim.SGD(net.parameters(), 0.1).state_dict()
    torch.save({"model_state": net.state_dict(), "optimizer_state": memory, "epoch": 3}, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["weight", "bias"]
    torch.save({"generator": net.state_dict(), "critic": net.state_dict()}, tmp_path / "two.pt")
    with pytest.raises(InputError, match=r"two\.pt: found 'generator', a dict, expected a state_dict: torch.save"):
        read_weights(tmp_path / "two.pt")


def test_weights_that_lie_beside_a_dictionary_of_weights_are_not_passed_over(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    weights = torch.nn.Linear(2, 3).state_dict()
    torch.save({**weights, "best": weights}, tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"a\.pt: found 'best', a dict, expected a state_dict: torch.save"):
        read_weights(tmp_path / "a.pt")
    torch.save({"loss": torch.tensor(0.5), "best": weights}, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["weight", "bias"]


def test_a_table_is_no_broken_pickle(tmp_path):
    (tmp_path / "a.csv").write_text("label,p0\n1,2\n")
    with pytest.raises(InputError, match=r"a\.csv: found the first bytes 'label,p0', expected \.keras, "):
        load_weights(filtering(), tmp_path / "a.csv")


def test_bfloat16_of_pytorch_is_read_from_safetensors(tmp_path):
    values = np.array([[1, -2.5, 3e38], [np.inf, 0, -1e-38]], "f4").view("u4") >> 16  # the upper halves are bfloat16
    other = np.arange(3, dtype="f4")
    entries = {"a.weight": ("BF16", [2, 3], 0, 12), "a.bias": ("F32", [3], 12, 24)}
    header = {n: {"dtype": t, "shape": s, "data_offsets": [i, j]} for n, (t, s, i, j) in entries.items()}
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + values.astype("<u2").tobytes() + other.tobytes()
    (tmp_path / "a.safetensors").write_bytes(content)
    found = read_weights(tmp_path / "a.safetensors")
    np.testing.assert_array_equal(found["a.weight"], (values << 16).view("f4"))
    np.testing.assert_array_equal(found["a.bias"], other)
    model = dense(3, 2)
    with pytest.raises(InputError, match=r"a.bias: found shape \(3,\)"):
        load_weights(model, tmp_path / "a.safetensors")
    (tmp_path / "a.safetensors").write_bytes(content[:-1])
    with pytest.raises(InputError, match="a damaged file"):
        read_weights(tmp_path / "a.safetensors")


def test_pytorchs_own_writer_of_bfloat16_agrees(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    writer = pytest.importorskip("safetensors.torch")
    state = {"code.weight": torch.randn(2, 3).bfloat16(), "code.bias": torch.randn(2).bfloat16()}
    writer.save_file(state, tmp_path / "a.safetensors")
    model = dense(3, 2)
    load_weights(model, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(model.parameters()["code_W"], state["code.weight"].float().numpy().T)


def test_a_pickle_that_names_classes_without_end_is_refused(tmp_path):
    names = b"".join(b"ca\n%x\n" % i for i in range(1001))
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02(" + names + b"t.")
    with pytest.raises(InputError, match="names of more than 1000 classes and functions"):
        read_weights(tmp_path / "a.pkl")


def test_two_arrays_of_one_joined_name_are_refused(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a.b": np.ones(3), "a": {"b": np.zeros(3)}}, 2))
    with pytest.raises(InputError, match=r"a.pkl: found two arrays called 'a.b', expected one of each name"):
        read_weights(tmp_path / "a.pkl")


def test_who_reads_no_such_file_does_not_wait_for_its_readers():
    program = "import sys, symae, symae.models as m; assert 'symae.models.foreign' not in sys.modules; m.load_weights"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def collection(*objects):
    """Return what a heap of texts has in an HDF5 file, without the file around it, which no library would read."""
    content = b"".join(struct.pack("<HHIQ", number, 1, 0, length) + text for number, length, text in objects)
    return b"GCOL\1\0\0\0" + struct.pack("<Q", 16 + len(content)) + content


WHOLE = (1, 5, b"dense\0\0\0")


@pytest.mark.parametrize("objects", [(WHOLE,), (WHOLE, WHOLE), (WHOLE, (0, 16, b""))], ids=["one", "two", "free space"])
def test_a_whole_heap_of_texts_is_read(objects):
    check_heaps("a.h5", io.BytesIO(b"before" + collection(*objects)))


@pytest.mark.parametrize("wrong", [(0, 0, b""), (1, 2**64 - 1, b""), (2, 8193, b"text")], ids=["no size", "huge", "too long"])
def test_a_heap_of_texts_whose_sizes_cannot_be_is_refused(wrong):
    message = rf"a\.h5.*: found an object of {wrong[1]} bytes in the heap of \d+ at byte 6, expected a whole HDF5 file"
    with pytest.raises(InputError, match=message):
        check_heaps("a.h5", io.BytesIO(b"before" + collection(WHOLE, wrong)))


def test_heaps_that_lie_in_one_another_take_no_time():
    begin = b"GCOL\1\0\0\0" + struct.pack("<Q", 1 << 20)
    within = collection(*[(1, len(begin), begin)] * 300)  # each goes on to the end
    with pytest.raises(InputError, match="found heaps that lie in one another"):
        check_heaps("a.h5", io.BytesIO(within))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("name", ["layer_names", "keras_version", "layer_names12"])
def test_a_text_takes_no_memory_that_its_file_does_not_have(name, libver, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        for other in ("layer_names", "keras_version", "layer_names12"):
            file.attrs[other] = ["conv", "dense"] if other == name else "2.3.1"
    data = (tmp_path / "a.h5").read_bytes()
    names = ("layer_names", "keras_version")
    check_texts("a.h5", io.BytesIO(data), names)
    at = data.index(name.encode() + b"\0")
    second = data.index((5).to_bytes(4, "little"), at) - at + 32
    part = bytearray(data[at - 32 : at + 200])  # of the file, so that it is none
    part[second : second + 4] = (1000).to_bytes(4, "little")
    message = f"found an attribute {name.rstrip('12')} with a text of 1000 bytes, expected at most 232"
    with pytest.raises(InputError, match=message):
        check_texts("a.h5", io.BytesIO(part), names)
    for end in range(len(part)):
        with contextlib.suppress(InputError):
            check_texts("a.h5", io.BytesIO(part[:end]), names)


@pytest.mark.parametrize("check", ["check_heaps", "check_texts"])
@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_files_are_looked_through_before_hdf5_reads_them(check, ending, monkeypatch):
    h5py = pytest.importorskip("h5py")

    def refused(*_):
        raise InputError("a file", "what was looked for", "a whole one")

    monkeypatch.setattr(f"symae.models.foreign.keras.{check}", refused)
    monkeypatch.setattr(h5py, "File", lambda *_, **__: pytest.fail("it was read first"))
    with pytest.raises(InputError, match="found what was looked for"):
        read_weights(GOLDEN / f"keras_pooled{ending}")
