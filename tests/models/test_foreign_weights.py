"""Weights of other libraries: the same network draws the same pictures here."""

from __future__ import annotations

import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import safetensors.numpy
from golden.weights_cases import FOLDER, images

from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    InputError,
    LogisticRegression,
    StridedAutoencoder,
    nn,
)
from symae.keras import Input, Model
from symae.models import Model as OwnModel
from symae.models import SparseAutoencoder, coordinates, load_weights, read_weights
from symae.ops import conv2d

GOLDEN = Path(FOLDER)


def strided(name="output"):
    """Return the network of golden/make_{torch,chainer,theano}_weights.py: strides, with paddings that are equal all round."""
    params, x = nn.Parameters(0), Input((1, 28, 28))
    y = nn.conv(params, "conv1", x, 2, 5, activation="relu", border_mode="half", subsample=2)
    y = nn.conv(params, "conv2", y, 3, 3, activation="relu", border_mode="half", subsample=2)
    y = nn.dense(params, "code", nn.flatten("flat", y), 4)
    y = nn.reshape("maps", nn.dense(params, "dense", y, 147, activation="relu"), (3, 7, 7))
    half = {"border_mode": "half", "subsample": 2}
    y = nn.deconv(params, "deconv1", y, 2, 3, activation="relu", output_shape=(14, 14), **half)
    return Model(x, nn.deconv(params, name, y, 1, 5, activation="sigmoid", output_shape=(28, 28), **half))


def pooled():
    """Return the network of Keras 2 on Theano in golden/make_theano_weights.py."""
    params, x = nn.Parameters(0), Input((1, 28, 28))
    y = nn.max_pool("pool1", nn.conv(params, "conv1", x, 2, 3, activation="relu"), 2)
    y = nn.max_pool("pool2", nn.conv(params, "conv2", y, 3, 3, activation="relu"), 2)
    y = nn.dense(params, "code", nn.flatten("flat", y), 4)
    y = nn.reshape("maps", nn.dense(params, "dense", y, 147, activation="relu"), (3, 7, 7))
    y = nn.upsample("up", nn.deconv(params, "deconv1", y, 2, 3, activation="relu"), 4)
    return Model(x, nn.conv(params, "output", y, 1, 3, activation="sigmoid"))


def keras_strided():
    return StridedAutoencoder(0, code=3, maps=(2, 3, 4))


def keras_pooled():
    return ConvolutionalAutoencoder(0, maps=(3, 2))


def unpooled():
    return ImageAutoencoder(0, maps=(2, 3), pool=2)


def tied():
    return Autoencoder(0, n_visible=784, n_hidden=4)


def logistic():
    return LogisticRegression(None, 784, 10)


def drawn(model):
    """Return what a model makes of the digits, (3, 784) or (3, classes)."""
    x = images()
    if isinstance(model, Model):
        y = model.predict(x.reshape(-1, 1, 28, 28))
    elif isinstance(model, LogisticRegression):
        y = model.node_values("p_y_given_x", x)
    else:
        y = model.node_values(model.describe().output, x)
    return y.reshape(3, -1)


def expected(library, name):
    with np.load(GOLDEN / f"outputs_{library}.npz") as outputs:
        return outputs[name].reshape(3, -1)


CASES = [
    *(("keras", "strided", f"keras_strided{ending}", keras_strided) for ending in (".keras", ".weights.h5", ".h5")),
    ("keras", "strided", "keras_subclassed.weights.h5", keras_strided),
    *(("keras", "nested", f"keras_nested{ending}", keras_strided) for ending in (".keras", ".h5")),
    *(("keras", "pooled", f"keras_pooled{ending}", keras_pooled) for ending in (".keras", ".weights.h5", ".h5")),
    *(("torch", "strided", f"torch_strided{ending}", strided) for ending in (".pt", ".safetensors", "_before_1.6.pt")),
    *(("torch", "unpooled", f"torch_unpooled{ending}", unpooled) for ending in (".pt", ".safetensors", "_before_1.6.pt")),
    *(("torch", "tied", f"torch_tied{ending}", tied) for ending in (".pt", ".safetensors", "_before_1.6.pt")),
    ("chainer", "strided", "chainer_strided.npz", strided),
    ("chainer", "unpooled", "chainer_unpooled.npz", unpooled),
    *(("cntk", name, f"cntk_{name}.npz", build) for name, build in (("strided", strided), ("unpooled", unpooled))),
    ("lasagne", "strided", "lasagne_strided.npz", strided),
    *(("keras_on_theano", order, f"keras_on_theano_{order}.h5", pooled) for order in ("channels_first", "channels_last")),
    ("theano", "logistic", "theano_logistic.pkl", logistic),
    *(("theano", "dA", f"theano_{name}.pkl", tied) for name in ("dA", "in_a_row", "shared")),
]


@pytest.mark.parametrize(("library", "network", "file", "build"), CASES, ids=[case[2] for case in CASES])
def test_a_network_of_another_library_draws_the_same(library, network, file, build):
    if file.endswith((".keras", ".h5")):
        pytest.importorskip("h5py")
    model = build()
    used = load_weights(model, GOLDEN / file)
    np.testing.assert_allclose(drawn(model), expected(library, network), atol=1e-5)
    assert list(used) == list(model.parameters())
    assert set(used.values()) <= set(read_weights(GOLDEN / file))


def test_layers_of_other_names_are_told_apart_by_a_map(tmp_path):
    wanted, model = keras_pooled().parameters(), keras_pooled()
    sequential = {f"features.{i // 2}.{'bias' if i % 2 else 'weight'}": value + 1 for i, value in enumerate(wanted.values())}
    path = saved(tmp_path, dict(sorted(sequential.items(), key=lambda item: item[0])))
    in_order = {name: f"features.{i // 2}.{'bias' if i % 2 else 'weight'}" for i, name in enumerate(wanted)}
    with pytest.raises(InputError, match=r"no array for conv1_W \(3, 1, 3, 3\) among features.0.bias \(3,\), "):
        load_weights(model, path)
    assert load_weights(model, path, in_order) == in_order
    for name, value in model.parameters().items():
        np.testing.assert_array_equal(value, wanted[name] + 1)


def test_what_fits_in_its_order_is_said_to(tmp_path):
    torch = pytest.importorskip("torch", reason="its files keep an order")
    wanted, model = keras_pooled().parameters(), keras_pooled()
    kinds = ("weight", "bias")
    state = {f"{i // 2}.{kinds[i % 2]}": torch.tensor(value + 1) for i, value in enumerate(wanted.values())}
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(
        InputError, match=r"in their order all fit: names=dict\(zip\(model.parameters\(\), read_weights\(path\)\)\)"
    ):
        load_weights(model, tmp_path / "a.pt")
    load_weights(model, tmp_path / "a.pt", names=dict(zip(model.parameters(), read_weights(tmp_path / "a.pt"), strict=True)))
    for name, value in model.parameters().items():
        np.testing.assert_array_equal(value, wanted[name] + 1)


def test_of_two_models_in_one_a_file_without_names_does_not_tell_which_is_first():
    pytest.importorskip("h5py")
    model, path = keras_strided(), GOLDEN / "keras_nested.weights.h5"
    with pytest.raises(InputError, match=r"no array for code_W .*functional/dense/kernel .*sequential/dense/kernel"):
        load_weights(model, path)
    load_weights(model, path, {"code_W": "sequential/dense/kernel", "dense_W": "functional/dense/kernel"})
    np.testing.assert_allclose(drawn(model), expected("keras", "nested"), atol=1e-5)


def test_a_map_of_some_names_leaves_the_others_to_their_names_and_a_bias_to_its_weights():
    model = strided("drawing")
    used = load_weights(model, GOLDEN / "torch_strided.pt", {"drawing_W": "output.weight"})
    np.testing.assert_allclose(drawn(model), expected("torch", "strided"), atol=1e-5)
    assert used["drawing_b"] == "output.bias"
    assert used["conv1_W"] == "conv1.weight"


def test_what_is_read_has_the_names_the_order_and_the_axes_of_the_file():
    found = read_weights(GOLDEN / "torch_strided.pt")
    assert list(found) == [
        f"{layer}.{kind}" for layer in ("conv1", "conv2", "code", "dense", "deconv1", "output") for kind in ("weight", "bias")
    ]
    assert found["code.weight"].shape == (4, 147)
    for other in ("torch_strided.safetensors", "torch_strided_before_1.6.pt"):
        again = read_weights(GOLDEN / other)
        assert all(np.array_equal(again[name], value) for name, value in found.items())


def test_torch_reads_the_same():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    for path in GOLDEN.glob("torch_*.pt"):
        there, here = torch.load(path, weights_only=True), read_weights(path)
        assert list(there) == list(here)
        assert all(np.array_equal(here[name], value.numpy()) for name, value in there.items())


def test_tensors_lie_in_storages_in_any_way(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    base = torch.arange(48.0).reshape(6, 8)
    state = {
        "whole": base,
        "transposed": base.t(),
        "window": base[1:4, 2::3],
        "half": base.half(),
        "brain": base.to(torch.bfloat16),
        "double": base.double(),
        "parameter": torch.nn.Parameter(base[2]),
        "scalar": base[3, 3],
        "empty": base[:0],
    }
    for old in (False, True):
        torch.save({"epoch": 3, "state_dict": state}, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
        found = read_weights(tmp_path / "a.pt")
        for name, value in state.items():
            np.testing.assert_array_equal(
                found[name],
                value.detach().to(torch.float64).numpy() if name in ("half", "brain", "double") else value.detach().numpy(),
            )


def test_a_network_of_coordinates_in_pytorch_draws_the_same(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    model = CoordinateVAE(1, n_latent=3)
    sizes = {name.removesuffix("_W"): value.shape for name, value in model.parameters().items() if name.endswith("_W")}
    layers = torch.nn.ModuleDict({name: torch.nn.Linear(*shape, dtype=torch.float64) for name, shape in sizes.items()})
    torch.save(layers.state_dict(), tmp_path / "a.pt")
    load_weights(model, tmp_path / "a.pt")
    y = torch.tensor(images(), dtype=torch.float64)
    for name in ("encoder1", "encoder2"):
        y = torch.relu(layers[name](y))
    places, z = torch.tensor(coordinates(28, 28)).expand(3, -1, -1), layers["mean"](y)[:, None].expand(-1, 784, -1)
    y = torch.cat([places, z], 2)
    for name in ("decoder1", "decoder2", "decoder3"):
        y = torch.relu(layers[name](y))
    with torch.no_grad():
        np.testing.assert_allclose(drawn(model), torch.sigmoid(layers["decoder4"](y))[:, :, 0].numpy(), atol=1e-5)


def foreign(model):
    """Return the weights of a model as PyTorch would have them, by the names of layers that PyTorch would give."""
    state = {}
    for name, value in model.parameters().items():
        layer, _, kind = name.rpartition("_")
        if name in ("W", "b", "b_prime"):
            layer, kind = "decoder" if name == "b_prime" else "encoder", name[:1]
        known = layer and kind in ("W", "b")
        called = f"{layer}.{'weight' if kind == 'W' else 'bias'}" if known else name
        state[called] = np.ascontiguousarray(value.T if value.ndim == 2 else value)
    return state


@pytest.mark.parametrize(
    "build",
    [
        tied,
        logistic,
        unpooled,
        keras_strided,
        keras_pooled,
        strided,
        lambda: DenoisingAutoencoder(1, n_visible=9, n_hidden=4),
        lambda: SparseAutoencoder(1, n_visible=9, n_hidden=4, output="linear"),
        lambda: CoordinateVAE(1, image_shape=(1, 4, 4), n_latent=2),
        lambda: CoordinateVAE(1, image_shape=(1, 4, 4), n_latent=2, affine=True),
    ],
)
def test_every_model_takes_weights(build, tmp_path):
    """Those of itself, once by symae's names and once by PyTorch's."""
    first, second = build(), build()
    wanted = {name: np.random.RandomState(3).normal(size=value.shape) for name, value in first.parameters().items()}
    np.savez(tmp_path / "a.npz", **wanted)
    assert load_weights(first, tmp_path / "a.npz") == {name: name for name in wanted}
    safetensors.numpy.save_file(foreign(first), tmp_path / "a.safetensors")
    load_weights(second, tmp_path / "a.safetensors")
    for name, value in second.parameters().items():
        np.testing.assert_array_equal(value, wanted[name])


def test_a_model_saved_by_symae_is_one_too(tmp_path):
    model, again = tied(), tied()
    model.W.set_value(model.W.get_value() + 1)
    load_weights(again, model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.W.get_value(), model.W.get_value())


def test_weights_are_cast_to_the_precision_of_the_model(float32):
    model = tied()
    load_weights(model, GOLDEN / "torch_tied.pt")
    assert model.W.get_value().dtype == np.float32
    np.testing.assert_allclose(drawn(model), expected("torch", "tied"), atol=1e-5)


class Normalised(OwnModel):
    """A layer and a normalisation, with its averages."""

    parameter_names = ("fc_W", "fc_b", "bn_gamma", "bn_beta", "bn_mean", "bn_variance")

    def __init__(self):
        self.x = pt.matrix("x")
        self.params = [
            pytensor.shared(np.zeros((3, 2)), "fc_W"),
            *(pytensor.shared(np.zeros(2), n) for n in self.parameter_names[1:]),
        ]
        W, b, gamma, beta, mean, variance = self.params
        self.y = gamma * (pt.dot(self.x, W) + b - mean) / pt.sqrt(variance + 1e-5) + beta

    @property
    def nodes(self):
        return {"y": self.y}

    def checked_input(self, name, X):
        return X


def test_a_normalisation_has_what_it_has_seen(tmp_path):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    layers = torch.nn.Sequential(OrderedDict(fc=torch.nn.Linear(3, 2), bn=torch.nn.BatchNorm1d(2))).double()
    x = torch.tensor(np.random.RandomState(0).normal(size=(9, 3)))
    layers(x * 2 + 1)
    with torch.no_grad():
        layers.bn.weight.copy_(torch.tensor([0.5, 2]))
        expected = layers.eval()(x).numpy()
    torch.save(layers.state_dict(), tmp_path / "a.pt")
    np.savez(
        tmp_path / "a.npz",
        **{
            f"updater/model:main/predictor/{chainers}": layers.state_dict()[torchs].numpy()
            for chainers, torchs in (
                ("fc/W", "fc.weight"),
                ("fc/b", "fc.bias"),
                ("bn/gamma", "bn.weight"),
                ("bn/beta", "bn.bias"),
                ("bn/avg_mean", "bn.running_mean"),
                ("bn/avg_var", "bn.running_var"),
                ("bn/N", "bn.num_batches_tracked"),
            )
        }
        | {"updater/iteration": np.array(3), "updater/optimizer:main/t": np.array(3)},
    )
    for file in ("a.pt", "a.npz"):
        model = Normalised()
        load_weights(model, tmp_path / file)
        np.testing.assert_allclose(model.node_values("y", x.numpy()), expected)


class Filtered(OwnModel):
    """A model of one's own: convolution, or correlation."""

    parameter_names = ("filters",)

    def __init__(self, filter_flip):
        self.x = pt.tensor4("x")
        self.params = [pytensor.shared(np.zeros((2, 1, 3, 3)), "filters")]
        self.maps = conv2d(self.x, self.params[0], filter_flip=filter_flip)

    @property
    def nodes(self):
        return {"maps": self.maps}

    def checked_input(self, name, X):
        return X


def test_filters_are_turned_round_for_a_graph_that_convolves(tmp_path):
    """PyTorch correlates, so both ways of writing the layer give the same maps; flip_filters says that the file's is other."""
    filters, x = np.random.RandomState(0).normal(size=(2, 1, 3, 3)), np.random.RandomState(1).normal(size=(2, 1, 5, 5))
    path = saved(tmp_path, {"conv.weight": filters})
    convolving, correlating = Filtered(True), Filtered(False)
    for model in (convolving, correlating):
        load_weights(model, path)
    np.testing.assert_array_equal(convolving.parameters()["filters"], filters[:, :, ::-1, ::-1])
    np.testing.assert_allclose(convolving.node_values("maps", x), correlating.node_values("maps", x))
    load_weights(convolving, path, flip_filters=True)
    np.testing.assert_array_equal(convolving.parameters()["filters"], filters)


@pytest.fixture
def model():
    return strided()


def state(model, **changes):
    return foreign(model) | changes


def saved(folder, arrays):
    safetensors.numpy.save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, folder / "a.safetensors")
    return folder / "a.safetensors"


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


REFUSALS = {
    "an extra array": (
        lambda s: s | {"classifier.weight": np.ones((10, 4))},
        r"a.safetensors: found besides them classifier.weight \(10, 4\), expected arrays for conv1_W, .* and no others",
    ),
    "a missing one": (
        lambda s: without(s, "code.bias"),
        r"a.safetensors: found no array for code_b \(4,\), expected one by that name, or names=\{'code_b':",
    ),
    "another shape": (
        lambda s: s | {"code.weight": np.ones((5, 147))},
        r"a.safetensors, code.weight: found shape \(5, 147\), expected \(4, 147\) for code_W, \(147, 4\) here",
    ),
    "axes of Keras": (
        lambda s: s | {"conv2.weight": np.ones((3, 3, 2, 3))},
        r"a.safetensors, conv2.weight: found shape \(3, 3, 2, 3\), expected \(3, 2, 3, 3\) for conv2_W",
    ),
    "integers": (
        lambda s: s | {"code.bias": np.arange(4)},
        r"a.safetensors, code.bias: found dtype int64, expected floats of 16 to 64 bits for code_b",
    ),
    "two of a name": (
        lambda s: s | {"other.code.weight": np.ones((4, 147))},
        r"a.safetensors: found several arrays for code_W: code.weight \(4, 147\), other.code.weight \(4, 147\), expected one",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_does_not_fit_is_one_line_and_changes_nothing(kind, model, tmp_path):
    change, message = REFUSALS[kind]
    before = model.parameters()
    path = saved(tmp_path, change(foreign(model)))
    with pytest.raises(InputError, match=message) as caught:
        load_weights(model, path)
    assert "\n" not in str(caught.value)
    for name, value in model.parameters().items():
        np.testing.assert_array_equal(value, before[name])


def test_what_no_parameter_takes_is_left_out_on_demand(model, tmp_path):
    path = saved(tmp_path, foreign(model) | {"classifier.weight": np.ones((10, 4))})
    load_weights(model, path, strict=False)
    with pytest.raises(InputError, match="found no array for code_b"):
        load_weights(model, saved(tmp_path, without(foreign(model), "code.bias")), strict=False)


def test_a_decoder_of_its_own_is_no_tied_one(tmp_path):
    model = tied()
    arrays = {name: value.copy() for name, value in read_weights(GOLDEN / "torch_tied.pt").items()}
    arrays["decoder.weight"][3, 1] += 1e-3
    message = (
        r"decoder.weight \(784, 4\), which is not the transpose of the array for W, expected tied weights, which Autoencoder"
    )
    with pytest.raises(InputError, match=message):
        load_weights(model, saved(tmp_path, arrays))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"V": "code.weight"}, "names: found 'V', expected a parameter of the model: conv1_W, "),
        ({"code_W": "coda"}, r"no array 'coda' among conv1.weight, .*expected the one for code_W"),
        (["code.weight"], r"names: found a list, expected \{name of a parameter: name in the file\}"),
    ],
)
def test_a_map_that_names_nothing_is_refused(names, message, model):
    with pytest.raises(InputError, match=message):
        load_weights(model, GOLDEN / "torch_strided.pt", names)


def test_a_keras_file_with_a_layer_that_symae_lacks_names_it(model):
    pytest.importorskip("h5py")
    with pytest.raises(InputError, match=r"keras_lstm.keras: found the layer 'reader' of class LSTM, expected layers that"):
        load_weights(model, GOLDEN / "keras_lstm.keras", strict=True)


def test_arrays_without_names_have_to_be_as_many(tmp_path):
    with pytest.raises(InputError, match=r"12 arrays without names, arr_0 .*, expected 3, in the order of W, b, b_prime"):
        load_weights(tied(), GOLDEN / "lasagne_strided.npz")


class Print:
    def __reduce__(self):
        return print, ("code was run",)


def with_pickle(folder, name, pickled):
    """Return a copy of PyTorch's file with another pickle in it."""
    with zipfile.ZipFile(GOLDEN / "torch_tied.pt") as old, zipfile.ZipFile(folder / name, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, pickled if info.filename.endswith("data.pkl") else old.read(info))
    return folder / name


def test_nothing_in_a_file_is_run(tmp_path, capsys):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"W": np.ones((784, 4)), "b": Print()}))
    for path in (tmp_path / "a.pkl", with_pickle(tmp_path, "a.pt", pickle.dumps({"W": Print()}, 2))):
        with pytest.raises(InputError):
            load_weights(tied(), path)
    assert capsys.readouterr().out == ""


def test_a_whole_pickled_network_of_pytorch_is_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="what is refused is written by it")
    torch.save(torch.nn.Linear(3, 2), tmp_path / "a.pt")
    message = r"a pickled torch.nn.modules.linear.Linear, expected a state_dict: torch.save\(model.state_dict\(\), path\)"
    with pytest.raises(InputError, match=message):
        load_weights(tied(), tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"hello, world", "found the first bytes 'hello, w'"),
        (b"PK\3\4", "found a broken or cut off archive"),
        (b"\x89HDF\r\n\x1a\n", "found broken HDF5 data"),
        (b"\x80\x02", "found a broken pickle"),
        (b"\xff\0\0\0\0\0\0\0{", "found a damaged file"),
    ],
)
def test_a_broken_file_is_one_line(content, message, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_weights(tied(), tmp_path / "a")


def test_a_part_of_an_archive_that_claims_more_than_the_file_is_not_waited_for(tmp_path):
    """Python makes room for what it is asked to read."""
    data = bytearray((GOLDEN / "torch_tied.pt").read_bytes())
    entry = data.rindex(b"torch_tied/data/0") - 46
    data[entry + 20 : entry + 28] = struct.pack("<II", 1 << 30, 1 << 30)
    (tmp_path / "a.pt").write_bytes(data)
    with pytest.raises(InputError, match=r"torch_tied/data/0': found 1073741824 bytes, of 1073741824 in a file of 30715"):
        load_weights(tied(), tmp_path / "a.pt")


def test_arrays_of_more_than_memory_should_hold_are_not_read(tmp_path):
    """Numbers that are repeated take no room in a file."""
    torch = pytest.importorskip("torch", reason="what is refused is written by it")
    torch.save({"conv.weight": torch.zeros(1).expand(10**9)}, tmp_path / "a.pt")
    with pytest.raises(InputError, match="found arrays of 3814 MiB, expected at most 2048"):
        read_weights(tmp_path / "a.pt")
    with pytest.raises(InputError, match=r"conv.weight: found shape \(1000000000,\), expected \(2, 1, 3, 3\) for filters"):
        load_weights(Filtered(True), tmp_path / "a.pt")


def test_an_archive_of_something_else_says_what_is_in_it(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"")
    with pytest.raises(InputError, match=r"found an archive of 'holiday.jpg', expected \.keras, "):
        load_weights(tied(), tmp_path / "a.zip")


def test_numbers_that_are_none_are_warned_of(tmp_path):
    np.savez(tmp_path / "a.npz", **tied().parameters() | {"b": np.full(4, np.nan)})
    with pytest.warns(RuntimeWarning, match=r"a\.npz: NaN or infinite values in b$"):
        load_weights(tied(), tmp_path / "a.npz")
