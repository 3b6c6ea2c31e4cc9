"""Every model of symae as a module of PyTorch, which needs no symae."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import numpy as np
import pytensor.tensor as pt
import pytest
from exported import MODELS, examples, nodes_of, trained

from symae import BackendError, InputError, UnwritableError
from symae.export import export_torch

torch = pytest.importorskip("torch", reason="torch is not installed")


def module_of(source):
    spec = importlib.util.spec_from_file_location(source.stem, source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tensors(*arrays):
    return [torch.tensor(a, dtype=torch.float32 if a.dtype.kind == "f" else torch.int64) for a in arrays]


@pytest.mark.parametrize("name", MODELS)
def test_the_module_encodes_and_draws_as_the_model_does(name, tmp_path):
    model = trained(name)
    known, X = model.describe(), examples(model)
    _, source = export_torch(model, tmp_path / "model.pt")
    net = module_of(source).load()
    with torch.no_grad():
        drawn = net(*tensors(X))
        if known.output is not None:
            code = net.encode(*tensors(X))
            code = code[0] if isinstance(code, tuple) else code
            (expected,) = nodes_of(model, [known.code], X)
            np.testing.assert_allclose(code.numpy(), expected, atol=1e-5, rtol=1e-5)
    (expected,) = nodes_of(model, [known.output or known.code], X)
    np.testing.assert_allclose(drawn.numpy(), expected, atol=1e-5, rtol=1e-5)


def test_the_weights_have_the_names_and_shapes_that_they_have_in_symae(tmp_path):
    model = trained("strided")
    weights, source = export_torch(model, tmp_path / "model.pt")
    state = torch.load(weights, weights_only=True)
    assert {name: tuple(t.shape) for name, t in state.items()} == {name: a.shape for name, a in model.parameters().items()}
    net = module_of(source).StridedAutoencoder()
    assert all(p.requires_grad for p in net.parameters())


def test_running_averages_are_buffers_which_no_training_changes(tmp_path):
    _, source = export_torch(trained("normalised"), tmp_path / "model.pt")
    net = module_of(source).load()
    averages = {"norm1_mean", "norm1_variance", "code_mean", "code_variance"}
    assert averages <= {name for name, _ in net.named_buffers()}
    assert not averages & {name for name, _ in net.named_parameters()}


def test_tied_weights_stay_tied(tmp_path):
    _, source = export_torch(trained("autoencoder"), tmp_path / "model.pt")
    assert [name for name, _ in module_of(source).load().named_parameters()] == ["W", "b", "b_prime"]
    assert "hidden = " not in source.read_text()
    assert "F.linear(hidden, self.W, self.b_prime)" in source.read_text()


@pytest.mark.parametrize(("part", "kind"), [("encoder", "ImageAutoencoderEncoder"), ("decoder", "ImageAutoencoderDecoder")])
def test_parts_are_modules_of_their_own(part, kind, tmp_path):
    model = trained("images")
    X = examples(model)
    _, source = export_torch(model, tmp_path / f"{part}.pt", part=part)
    net = getattr(module_of(source), kind)()
    net.load_state_dict(torch.load(tmp_path / f"{part}.pt", weights_only=True))
    coded = export_torch(model, tmp_path / "code.pt", part="encoder")[1]
    with torch.no_grad():
        code = module_of(coded).load()(*tensors(X))
        drawn = net(*(code if part == "decoder" else tensors(X)))
    name = "deconv1" if part == "decoder" else "pool1"
    found = drawn if part == "decoder" else drawn[0]
    np.testing.assert_allclose(found.numpy(), nodes_of(model, [name], X)[0], atol=1e-5)


def test_it_runs_with_torch_alone(tmp_path):
    _, source = export_torch(trained("convolutional"), tmp_path / "net.pt")
    check = (
        "import sys, torch, net; y = net.load()(torch.zeros(2, 2, 12, 12)); print(tuple(y.shape), 'pytensor' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=source.parent, capture_output=True, text=True)
    assert done.stdout == "(2, 2, 12, 12) False\n", done.stderr


def test_an_expression_is_a_module_too(tmp_path):
    x, y = pt.matrix("x"), pt.matrix("y")
    _, source = export_torch({"both": pt.tanh(x) + pt.exp(y), "first": x[:, 0].sum()}, tmp_path / "graph.pt")
    both, first = module_of(source).load()(*tensors(np.ones((2, 3)), np.zeros((2, 3))))
    np.testing.assert_allclose(both.numpy(), np.tanh(1) + 1, atol=1e-6)
    assert float(first) == 2


def test_names_that_python_or_pytorch_need_are_changed(tmp_path):
    inputs = [pt.matrix(name) for name in ("forward", "lambda", "x y")]
    _, source = export_torch(inputs[0] + inputs[1] * inputs[2], tmp_path / "graph.pt", inputs=inputs)
    assert "def forward(self, forward, v_lambda, x_y):" in source.read_text()


def test_what_pytorch_lacks_is_refused(tmp_path):
    x = pt.tensor4("x")
    from symae.ops import pool2d

    with pytest.raises(InputError, match="padding that depends on the images' size, for which PyTorch has no function"):
        export_torch(pool2d(x, 2, pad="same"), tmp_path / "graph.pt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["model.onnx", "model", "no_folder/model.pt"])
def test_a_path_that_does_not_do_is_refused_and_nothing_written(path, tmp_path):
    with pytest.raises(UnwritableError):
        export_torch(trained("autoencoder"), tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_without_torch_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendError, match=r'found no torch, expected it installed: pip install "symae\[torch\]"'):
        export_torch(trained("autoencoder"), tmp_path / "model.pt")
