"""Every model of symae as ONNX, computed by onnxruntime."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from exported import MODELS, ends_of, examples, nodes_of, trained

from symae import BackendError, InputError, RandomStreams, UnwritableError, function, nn
from symae.export import export_onnx, to_onnx
from symae.keras import Input, Model

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def run(exported, *arrays):
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    given = {x.name: a for x, a in zip(session.get_inputs(), arrays, strict=True)}
    return session.run(None, given)


def float32(array):
    return array.astype("float32") if array.dtype.kind == "f" else array


@pytest.mark.parametrize("name", MODELS)
def test_the_whole_and_its_encoder_compute_what_the_model_does(name):
    model = trained(name)
    X = examples(model)
    for part in ("whole", "encoder"):
        (expected,) = nodes_of(model, [ends_of(model, part)], X)
        np.testing.assert_allclose(run(to_onnx(model, part=part), float32(X))[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "classifier"])
def test_the_decoder_draws_from_what_the_encoder_gives(name):
    model = trained(name)
    X = examples(model)
    (expected,) = nodes_of(model, [model.describe().output], X)
    coded = run(to_onnx(model, part="encoder"), float32(X))
    np.testing.assert_allclose(run(to_onnx(model, part="decoder"), *coded)[0], expected, atol=1e-5, rtol=1e-5)


def test_the_number_of_examples_is_free():
    model = trained("images")
    exported = to_onnx(model)
    for count in (1, 5):
        X = examples(model, count)
        (expected,) = nodes_of(model, ["deconv1"], X)
        np.testing.assert_allclose(run(exported, float32(X))[0], expected, atol=1e-5)
    assert [d.dim_param or d.dim_value for d in exported.graph.input[0].type.tensor_type.shape.dim] == ["batch", 1, 12, 12]
    assert [d.dim_param or d.dim_value for d in exported.graph.output[0].type.tensor_type.shape.dim] == ["batch", 1, 12, 12]


def described(exported):
    return [f"{n.name}({', '.join(n.input)})" for n in exported.graph.node]


def test_layers_are_single_nodes_with_the_names_of_the_model():
    assert described(to_onnx(trained("autoencoder"))) == [
        "hidden/Gemm(input, W, b)",
        "hidden/Sigmoid(hidden/Gemm_output)",
        "reconstruction/Gemm(hidden, W, b_prime)",
        "reconstruction/Sigmoid(reconstruction/Gemm_output)",
    ]
    assert described(to_onnx(trained("images"))) == [
        "conv1/Conv(input, W1, b1)",
        "conv1/Relu(conv1/Conv_output)",
        "pool1/MaxPool(conv1)",
        "unpool1/MaxUnpool(pool1, pool1/MaxPool_output_1)",
        "deconv1/ConvTranspose(unpool1, V1)",
    ]


def test_keras_style_models_and_expressions_are_exported_as_they_predict():
    params, x = nn.Parameters(0), Input(5, name="x")
    code = nn.batch_norm(params, "code", nn.dense(params, "dense", nn.dropout("drop", x, 0.5, RandomStreams(1)), 3))
    drawn = nn.dropout("last", nn.dense(params, "drawn", nn.batch_norm(params, "norm", code), 5), 0.2, RandomStreams(2))
    X = np.random.RandomState(0).normal(size=(4, 5))
    for v in params.state:
        v.set_value(v.get_value() + 0.5)
    for model, given in ((Model(x, drawn), X), (Model(code, drawn), X[:, :3])):
        expected = model.predict(given)
        for exported in (to_onnx(model), to_onnx(drawn, inputs=model.inputs)):
            np.testing.assert_allclose(run(exported, float32(given))[0], expected, atol=1e-5)
            assert {"norm_mean", "norm_variance"} <= {p.name for p in exported.graph.initializer}


def test_parameters_keep_their_names_and_values():
    model = trained("convolutional")
    found = {p.name: onnx.numpy_helper.to_array(p) for p in to_onnx(model).graph.initializer}
    for name, array in model.parameters().items():
        np.testing.assert_array_equal(found[name], array.astype("float32"))


def test_what_a_decoder_needs_beside_the_code_has_a_name():
    inputs = {name: [x.name for x in to_onnx(trained(name), part="decoder").graph.input] for name in MODELS if "," in name}
    assert inputs["images, two layers"] == ["pool_B", "pool_B_switches", "pool_A_switches"]
    assert inputs["coordinates, affine"] == ["mean", "pose"]
    assert inputs["strided, odd"] == ["code"]


@pytest.mark.parametrize("opset", [18, 21, None])
def test_older_opsets_are_to_be_had(opset):
    model = trained("images")
    exported = to_onnx(model, opset=opset)
    X = examples(model)
    (expected,) = nodes_of(model, ["deconv1"], X)
    np.testing.assert_allclose(run(exported, float32(X))[0], expected, atol=1e-5)
    newest = min(28, onnx.defs.onnx_opset_version())
    assert [o.version for o in exported.opset_import] == [opset or newest]


def test_in_float64_a_model_without_convolutions_is_exact():
    model = trained("autoencoder")
    X = examples(model)
    (expected,) = nodes_of(model, ["reconstruction"], X)
    np.testing.assert_allclose(run(to_onnx(model, floatX="float64"), X)[0], expected, atol=1e-13)


def test_a_keras_style_model_is_exported_too():
    params, x = nn.Parameters(0), Input((1, 8, 8))
    code = nn.max_pool("code", nn.conv(params, "conv1", x, 4, 3, activation="relu"), 2)
    model = Model(x, nn.conv(params, "drawn", nn.upsample("up1", code, 2), 1, 3, activation="sigmoid"))
    exported = to_onnx(model)
    assert [n.name for n in exported.graph.node] == [
        *("conv1/Conv", "conv1/Relu", "code/MaxPool", "up1/Resize", "drawn/Conv", "drawn/Sigmoid")
    ]
    X = np.random.RandomState(0).rand(2, 1, 8, 8).astype("float32")
    expected = function([x], model.outputs[0], mode="FAST_COMPILE")(X)
    np.testing.assert_allclose(run(exported, X)[0], expected, atol=1e-5)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    model = trained("autoencoder")
    path = export_onnx(model, tmp_path / "model.onnx")
    onnx.checker.check_model(str(path), full_check=True)
    with pytest.raises(UnwritableError, match="no_folder"):
        export_onnx(model, tmp_path / "no_folder" / "model.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"part": "middle"}, "part: found 'middle', expected one of encoder, decoder, whole"),
        ({"floatX": "float16"}, "floatX: found 'float16', expected float32 or float64"),
        ({"opset": 17}, "opset: found 17, expected an integer from 18 to"),
        ({"inputs": []}, "inputs: found inputs beside a model"),
    ],
)
def test_bad_settings_are_refused(keywords, message):
    with pytest.raises(InputError, match=message):
        to_onnx(trained("autoencoder"), **keywords)


def test_a_classifier_has_no_decoder():
    with pytest.raises(InputError, match="a LogisticRegression draws nothing"):
        to_onnx(trained("classifier"), part="decoder")


def test_without_onnx_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        BackendError, match=r'export to ONNX: found no onnx, expected it installed: pip install "symae\[onnx\]"'
    ):
        to_onnx(trained("autoencoder"))
