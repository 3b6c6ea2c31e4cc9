"""What one runs while working: each part of symae does its main thing, in the mode that users have; under a minute."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from golden.conv2d_cases import CASES, arrays
from golden.figures import FOLDER, assert_same, read_arrays, read_json

import symae
from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    LogisticRegression,
    RandomStreams,
    StridedAutoencoder,
    function,
)
from symae.ops import conv2d, deconv2d, max_unpool2d, pool2d

POOL = {"ws": [3, 2], "stride": [2, 1], "ignore_border": True, "mode": "max"}
SCRIPT = Path(__file__).parents[1] / "legacy" / "scripts" / "dA_in_thirty_lines.py"


@pytest.fixture(autouse=True)
def _default_mode():
    """Compile as users do, and not as quick tests do (tests/conftest.py)."""
    with pytensor.config.change_flags(mode="Mode"):
        yield


def rng():
    return np.random.RandomState(1)


MODELS = {
    "Autoencoder": lambda x: Autoencoder(rng(), input=x, n_visible=16, n_hidden=3),
    "DenoisingAutoencoder": lambda x: DenoisingAutoencoder(rng(), RandomStreams(1), x, n_visible=16, n_hidden=3),
    "ImageAutoencoder": lambda x: ImageAutoencoder(rng(), maps=2, pool=2, input=x, image_shape=(1, 4, 4)),
    "ConvolutionalAutoencoder": lambda x: ConvolutionalAutoencoder(rng(), maps=2, input=x, image_shape=(1, 4, 4)),
    "StridedAutoencoder": lambda x: StridedAutoencoder(rng(), maps=2, code=2, input=x, image_shape=(1, 9, 9)),
    "CoordinateVAE": lambda x: CoordinateVAE(rng(), n_latent=2, theano_rng=RandomStreams(1), input=x, image_shape=(1, 4, 4)),
}


LARGE = list(MODELS)[2:]  # Numba takes half a minute for one step of these: tests/models compiles the others once
CASES_OF_MODELS = [
    *((name, "FAST_COMPILE" if name in LARGE else "Mode") for name in MODELS),
    pytest.param("StridedAutoencoder", "Mode", marks=pytest.mark.default_mode),
]


@pytest.mark.parametrize(("name", "mode"), CASES_OF_MODELS)
def test_a_model_is_trained_and_comes_back_from_its_file(name, mode, tmp_path):
    x = pt.matrix("x")
    model = MODELS[name](x)
    cost, updates = model.get_cost_updates(0.3, 0.1) if isinstance(model, Autoencoder) else model.get_cost_updates()
    with pytensor.config.change_flags(mode=mode):
        step = function([x], cost, updates=updates)
    images = np.random.RandomState(0).uniform(size=(5, 81 if name == "StridedAutoencoder" else 16))
    costs = [float(step(images)) for _ in range(4)]
    assert np.isfinite(costs).all()
    assert costs[-1] < costs[0] or name in ("DenoisingAutoencoder", "CoordinateVAE")  # which draw
    model.save(tmp_path)
    again = type(model).load(tmp_path)
    assert {key: value.tolist() for key, value in again.parameters().items()} == {
        key: value.tolist() for key, value in model.parameters().items()
    }


def test_a_classifier_is_trained_and_comes_back_from_its_file(tmp_path):
    x, y = pt.matrix("x"), pt.lvector("y")
    model = LogisticRegression(x, 4, 2)
    cost = model.negative_log_likelihood(y)
    step = function([x, y], cost, updates=[(p, p - g) for p, g in zip(model.params, pt.grad(cost, model.params), strict=True)])
    images, labels = np.eye(4), np.array([0, 1, 0, 1])
    costs = [float(step(images, labels)) for _ in range(4)]
    assert costs[-1] < costs[0] == pytest.approx(np.log(2))
    model.save(tmp_path)
    assert LogisticRegression.load(tmp_path).predict(images).tolist() == labels.tolist()


def test_convolution_and_pooling_and_their_ways_back_are_theanos():
    """deconv2d is the gradient of conv2d with respect to its images, unpooling that of max pooling, where none are tied."""
    name = "half, subsample (2, 3), dilation (1, 1), flip True"
    border_mode, subsample, dilation, flip = CASES[name]
    images, filters, weights = arrays()
    conv = {part: read_arrays("conv2d")[f"{name}: {part}"] for part in "yx"}
    (pool,) = (case for case in read_json("pool_2d")["pool"] if case["arguments"] == POOL)
    unique = np.random.RandomState(0).permutation(2 * 2 * 7 * 6).reshape(2, 2, 7, 6).astype("float64")
    x, W, g, u, v = (pt.tensor(name, dtype="float64", shape=(None,) * 4) for name in "xWguv")
    settings = {"border_mode": border_mode, "subsample": subsample, "filter_flip": flip, "dilation": dilation}
    outputs = [
        conv2d(x, W, **settings),
        deconv2d(g, W, **settings, output_shape=images.shape[2:]),
        pool2d(u, (3, 2), (2, 1)),
        max_unpool2d(v, u, (3, 2), (2, 1)),
    ]
    y, pooled = conv["y"].shape, tuple(pool["shape"])
    counted = [weights[: conv["y"].size].reshape(y), np.arange(1.0, np.prod(pooled) + 1).reshape(pooled)]
    found = function([x, W, g, u, v], outputs)(images, filters, counted[0], unique, counted[1])
    expected = [conv["y"].tolist(), conv["x"].tolist(), pool["value"], pool["gradient"]]
    assert_same([*found[:2], found[2].ravel(), found[3].ravel()], expected, rtol=1e-10, atol=1e-10)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the first worksheet on symae's own digits, and return the folder."""
    folder = tmp_path_factory.mktemp("first") / "run"
    command = [sys.executable, "-m", "symae", "run", "01", "--epochs", "1", "--data", "digits", "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Training epoch 0, cost " in done.stdout
    return folder


def test_a_worksheet_leaves_a_run_that_the_inspector_reads(run):
    assert {"report.html", "filters.png", "model.safetensors", "history.jsonl"} <= {path.name for path in run.iterdir()}
    inspection = symae.inspect(run)
    assert len(inspection.filters()) == 100
    assert inspection.reconstruct(0).output.size == 784


def test_the_inspectors_page_answers(run):
    pytest.importorskip("starlette", reason="the extra inspect is not installed")
    command = [sys.executable, "-m", "symae", "inspect", str(run), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            (address,) = re.findall(r"http://\S+", process.stdout.readline())
            with urllib.request.urlopen(address, timeout=20) as answer:
                assert (answer.status, b"<html" in answer.read()) == (200, True)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)


def test_a_script_of_2012_prints_what_it_printed(tmp_path):
    pytest.importorskip("fissix", reason="the extra port is not installed")
    command = [sys.executable, "-m", "symae", "run", str(SCRIPT), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (FOLDER / "legacy_scripts" / f"{SCRIPT.stem}.txt").read_text()


def test_importing_symae_imports_no_backend_and_nothing_of_the_page_or_the_network():
    heavy = {"numba", "jax", "torch", "mlx", "starlette", "uvicorn", "jinja2", "fissix", "libcst", "scipy.optimize", "asyncio"}
    code = f"import sys, symae, symae.cli; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
