"""The worksheets as a person runs them: what they print, what they leave, how they end."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each, in_double
from PIL import Image, ImageDraw

from symae import (
    Autoencoder,
    ConvolutionalAutoencoder,
    CoordinateVAE,
    DenoisingAutoencoder,
    ImageAutoencoder,
    InputError,
    StridedAutoencoder,
)
from symae.compile import first_run as told
from symae.compile.functions import CompileTime
from symae.datasets import load_data
from symae.errors import MissingFileError
from symae.images import psnr
from symae.runs.catalogue import find_worksheet, title_of, worksheets
from symae.runs.record import read_record
from symae.runs.worksheet import Worksheet

ROOT = Path(__file__).parents[2]
NAMES = ["01_autoencoder", "02_denoising_autoencoder"]


def size(picture):
    with Image.open(picture) as image:
        return image.size


def run(name, *arguments, env, cwd):
    command = [sys.executable, str(ROOT / "worksheets" / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, timeout=300)


def run_here(script):
    """Run a script in this process; its errors go where Python would send them."""
    try:
        runpy.run_path(script, run_name="__main__")
    except Exception:
        sys.excepthook(*sys.exc_info())


@pytest.fixture
def assert_refused(no_mnist, tmp_path, monkeypatch, capsys):
    """Run a worksheet in this process as a person runs it in `tmp_path`: it says one line with `message` and ends."""

    def assert_refused(name, arguments, message):
        script = str(ROOT / "worksheets" / f"{name}.py")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [script, *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            run_here(script)
        assert end.value.code == 2
        printed = capsys.readouterr()
        assert "Training" not in printed.out
        (line,) = printed.err.splitlines()
        assert line.startswith(f"{name}: error: ")
        assert message in line

    return assert_refused


@pytest.fixture
def few_images(tmp_path):
    """few.npz, with fewer images than a minibatch has."""
    few = {f"{part}_x": np.zeros((5, 784), np.uint8) for part in ("train", "valid", "test")}
    np.savez(tmp_path / "few.npz", **few, **{name.replace("x", "y"): np.arange(5) for name in few})


@pytest.fixture
def few_digits(tmp_path):
    """Write a data set of the first of symae's digits, of which so many are for tests; return its path."""
    shares = {"train": 1240, "valid": 40}

    def write(test):
        digits = np.load(ROOT / "data" / "digits.npz")
        counts = {**shares, "test": test}
        np.savez(tmp_path / "few.npz", **{key: digits[key][: counts[key.partition("_")[0]]] for key in digits})
        return str(tmp_path / "few.npz")

    return write


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Run the first worksheet for two epochs where there is no MNIST: its folder, what it printed and the environment."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "no data").mkdir()
    env = os.environ | {"SYMAE_DATA": str(folder / "no data")}
    result = run("01_autoencoder", "--epochs", 2, env=env, cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return SimpleNamespace(out=folder / "out" / "01_autoencoder", lines=result.stdout.splitlines(), env=env)


def test_the_first_worksheet_leaves_filters_reconstructions_model_history_and_report(first_run):
    lines, out = first_run.lines, first_run.out
    assert lines[0] == "Data: symae's own stroke digits, 5000/1000/1000 images"
    costs = [line.removeprefix("Training epoch ") for line in lines if line.startswith("Training epoch")]
    assert [c.split(", cost ")[0] for c in costs] == ["0", "1"]
    history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [f"{h['epoch']}, cost {h['cost']:f}" for h in history] == costs
    tile = (10 * 29 - 1, 10 * 29 - 1)
    assert {p.name: size(p) for p in out.glob("*.png")} == dict.fromkeys(
        ["filters.png", "originals.png", "reconstructions.png"], tile
    )
    assert Autoencoder.load(out).n_hidden == 100
    page = (out / "report.html").read_text()
    assert all(text in page for text in ["<title>", "reconstructions", "Training epoch 1, cost", "hidden units", "pytensor"])


def test_the_second_worksheet_shows_the_mask_and_both_models(no_mnist, tmp_path):
    result = run("02_denoising_autoencoder", "--epochs", 1, "--out", tmp_path / "r", env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert " [[1 1 1 1 1 0 1 0 1 1]" in " " + result.stdout.replace("\n", "\n ")
    out = tmp_path / "r"
    pictures = {p.stem for p in out.glob("*.png")}
    assert {"mask", "filters", "filters_autoencoder", "filters_denoising", "reconstructions_denoising"} <= pictures
    assert DenoisingAutoencoder.load(out / "model").W.get_value().shape == (784, 100)
    assert Autoencoder.load(out / "autoencoder").W.get_value().shape == (784, 100)
    history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [h["model"] for h in history] == ["denoising autoencoder", "autoencoder"]
    page = (out / "report.html").read_text()
    assert all(f">{text}<" in page for text in ["original", "autoencoder", "denoising autoencoder"])


@pytest.mark.default_mode
def test_the_third_worksheet_trains_the_chosen_model_and_shows_its_code(no_mnist, tmp_path):
    result = run("03_image_autoencoder", "--pool", 2, "--epochs", 2, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    epochs = [line for line in lines if line.startswith("Training epoch ")]
    assert [re.sub(r"0\.\d{6}", "#", line) for line in epochs] == [f"Training epoch {e}, cost #, test RMSE #" for e in (0, 1)]
    (final,) = (line for line in lines if "final" in line)
    train, test = map(float, re.fullmatch(r"1_map_2x2: final train RMSE (\S+), test RMSE (\S+)", final).groups())
    assert test == float(epochs[-1].split()[-1])
    assert 0 < train < float(epochs[0].split()[4].rstrip(","))
    out = tmp_path / "out" / "03_image_autoencoder"
    history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [(h["model"], f"{h['test RMSE']:f}") for h in history] == [("1_map_2x2", e.split()[-1]) for e in epochs]
    model = ImageAutoencoder.load(out / "1_map_2x2")
    (_, _), (_, _), (test_x, _) = load_data("digits")
    code = model.transform(test_x.get_value()[:5])
    np.testing.assert_allclose(np.loadtxt(out / "1_map_2x2_pool1.txt"), code.reshape(5, 196), atol=1e-5)
    assert {"1_map_2x2_images.png", "1_map_2x2_W1.png", "1_map_2x2_V1.png"} <= {p.name for p in out.iterdir()}
    page = (out / "report.html").read_text()
    assert all(text in page for text in ["0.136", "0.131", "train RMSE", "time constant of 600 images"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--maps", "0"], "argument --maps: found '0', expected a whole number from 1 to 1000"),
        (["--pool", "29"], "pool: found 29 x 29 windows on maps of 28 x 28"),
        (["--two-layer", "--maps", "2"], "--two-layer has maps and pooling windows of its own"),
        (["--data", "few.npz"], "--data: found 10 training images, expected at least one minibatch of 64"),
    ],
)
def test_bad_options_of_the_third_worksheet_are_one_line_and_status_2(assert_refused, few_images, arguments, message):
    assert_refused("03_image_autoencoder", arguments, message)


@pytest.mark.parametrize(
    ("name", "channels", "message"),
    [
        ("01_autoencoder", 4, "--data: found images of 4 channels, expected 1 or 3: grey, or red, green and blue"),
        ("05_image_denoising", 2, "--data: found images of 2 channels"),
        ("05_image_denoising", 3, "(3, 8, 8) fits, --image-shape 3x8x8 of a worksheet"),
        ("06_any_resolution", 4, "--data: found images of 4 channels, expected 1 or 3"),
    ],
)
def test_images_that_a_worksheet_cannot_have_are_refused_before_the_training(assert_refused, tmp_path, name, channels, message):
    shape = (400, 10, 10, 4) if channels == 4 else (400, channels, 10, 10)
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    assert_refused(name, ["--data", "x.npy"], message)


def test_fewer_images_are_seen_as_often_in_more_epochs(tmp_path):
    settings = {"epochs": 3, "images": 60000, "data": "mnist"}
    sheet = Worksheet("03", "title", **settings, argv=["--data", "digits", "--out", str(tmp_path)])
    assert sheet.epochs == 30
    sheet = Worksheet("03", "title", **settings, argv=["--data", "digits", "--epochs", "2", "--out", str(tmp_path)])
    assert sheet.epochs == 2


@pytest.mark.skipif(os.name != "posix", reason="signals as Unix has them")
def test_ctrl_c_leaves_the_finished_epochs_results_and_pictures(no_mnist, tmp_path):
    command = [
        sys.executable,
        str(ROOT / "worksheets" / "01_autoencoder.py"),
        "--epochs",
        "100000",
        "--out",
        str(tmp_path / "r"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=no_mnist)
    for line in process.stdout:
        if line.startswith("Training epoch 10,"):
            process.send_signal(signal.SIGINT)
            break
    rest, error = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "Training interrupted after " in rest
    assert "Traceback" not in error
    out = tmp_path / "r"
    assert Autoencoder.load(out).n_visible == 784
    assert "interrupted" in (out / "report.html").read_text()
    assert size(out / "filters.png") == (289, 289)
    assert len((out / "history.jsonl").read_text().splitlines()) >= 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "many"], "argument --epochs: found 'many', expected a whole number of at least 0"),
        (["--epochs", "-1"], "argument --epochs: found '-1', expected a whole number of at least 0"),
        (["--seed", str(2**32)], "argument --seed: found '4294967296', expected a whole number from 0 to 4294967295"),
        (["--backend", "fortran"], "argument --backend: invalid choice: 'fortran'"),
        (["--data", "nowhere.gz"], "nowhere.gz: found no such file or folder, expected"),
        (["--data", "bad.npz"], "bad.npz: found "),
        (["--out", "file"], "file: found a file, expected a folder, or a name that is free"),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
        (["--out", ""], "argument --out: found '', expected a name or a path"),
        (["--data", ""], "argument --data: found '', expected a name or a path"),
        (["--out", "taken"], "model.json: found a folder, expected a place for a file"),
        (["--data", "few.npz"], "--data: found 5 training images, expected at least one minibatch of 20"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_bad_input_is_one_line_and_status_2(assert_refused, few_images, tmp_path, name, arguments, message):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "bad.npz").write_bytes(b"PK no archive")
    (tmp_path / "taken" / "model.json").mkdir(parents=True)
    assert_refused(name, arguments, message)
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("01_autoencoder", ["--epochs", "many"]),
        ("02_denoising_autoencoder", ["--data", "nowhere.gz"]),
        ("03_image_autoencoder", ["--pool", "29"]),
        ("04_convolutional_autoencoder", ["--images", "127"]),
        ("05_image_denoising", ["--noise", "nan"]),
    ],
)
def test_bad_input_ends_a_process_with_one_line_and_status_2(no_mnist, tmp_path, name, arguments):
    result = run(name, *arguments, env=no_mnist, cwd=tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{name}: error: ")
    assert "Training" not in result.stdout


def test_mnist_is_used_when_it_is_there(mnist, tmp_path):
    sheet = Worksheet("01_autoencoder", "title", epochs=1, argv=["--out", str(tmp_path)])
    assert sheet.dataset.name.startswith("mini-MNIST")


def test_floatX_rules_the_whole_run(tmp_path):
    Worksheet("01_autoencoder", "title", epochs=1, argv=["--floatX", "float32", "--data", "digits", "--out", str(tmp_path)])
    assert pytensor.config.floatX == "float32"


def test_a_full_disk_ends_with_one_line(first_run, tmp_path):
    # the process may write files of at most 20 kB: what a full disk feels like
    script = str(ROOT / "worksheets" / "01_autoencoder.py")
    code = (
        "import resource, signal, sys, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); sys.dont_write_bytecode = True; "
        f"sys.argv = ['01_autoencoder', '--epochs', '0', '--out', 'r']; runpy.run_path({script!r})"
    )
    pytest.importorskip("resource")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "model.safetensors").write_text("an older model")
    # no cache has to be written, because the worksheet has run before
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=first_run.env, cwd=tmp_path, timeout=300
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith(
        "model.safetensors: found File too large, expected a place that can be written"
    )
    assert (tmp_path / "r" / "model.safetensors").read_text() == "an older model"
    assert not list((tmp_path / "r").glob(".*"))


@pytest.mark.parametrize("command", [["worksheets/01_autoencoder.py"], ["-m", "symae", "run", "01"]])
def test_a_reader_who_leaves_ends_the_run_quietly(no_mnist, tmp_path, command):
    command = [sys.executable, *command, "--epochs", "5", "--out", str(tmp_path / "r")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=no_mnist, cwd=ROOT)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=300) == 141


def test_in_a_notebook_the_defaults_count(monkeypatch, tmp_path):
    import builtins

    monkeypatch.setattr(builtins, "__IPYTHON__", True, raising=False)
    monkeypatch.setattr(sys, "argv", ["ipykernel_launcher.py", "-f", "kernel.json"])
    monkeypatch.chdir(tmp_path)
    hook = sys.excepthook
    sheet = Worksheet("01_autoencoder", "title", epochs=7)
    assert (sheet.epochs, sheet.backend, sheet.floatX, sheet.seed) == (7, "numba", "float64", 123)
    assert sys.excepthook is hook


def test_after_ctrl_c_later_trainings_do_nothing(tmp_path):
    sheet = Worksheet("01_autoencoder", "title", epochs=3, argv=["--data", "digits", "--out", str(tmp_path)])

    def interrupted(index):
        raise KeyboardInterrupt

    model = Autoencoder(np.random.RandomState(1), n_visible=6, n_hidden=4)
    assert sheet.train(interrupted, 2, model).interrupted
    assert sheet.train(lambda index: 1.0, 2, model, "second").costs == []
    assert (tmp_path / "history.jsonl").read_text() == ""


@pytest.mark.parametrize("wanted", ["01", "1", "01_autoencoder", "autoencoder", str(ROOT / "worksheets" / "01_autoencoder.py")])
def test_a_worksheet_is_found_by_number_name_and_path(wanted):
    assert find_worksheet(wanted).name == "01_autoencoder.py"


def test_an_unknown_worksheet_is_answered_with_those_there_are():
    with pytest.raises(InputError, match=f"found '99', expected the path of a script, or one of {', '.join(worksheets())}"):
        find_worksheet("99")
    with pytest.raises(MissingFileError, match="found no such file, expected a worksheet"):
        find_worksheet("mine.py")


def test_worksheets_are_listed_in_order():
    assert list(worksheets())[:2] == NAMES


@pytest.mark.parametrize("name", worksheets())
def test_a_worksheets_heading_and_file_are_its_reports_title_and_name(name):
    """So that nothing but the file has to say them."""
    tree = ast.parse(worksheets()[name].read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Worksheet")
    assert [[ast.literal_eval(argument) for argument in call.args] for call in calls] == [[name, title_of(worksheets()[name])]]


@pytest.mark.default_mode
def test_a_seed_decides_everything(first_run, tmp_path):
    def weights(seed, epochs):
        out = tmp_path / str(seed)
        run("01_autoencoder", "--epochs", epochs, "--seed", seed, "--out", out, env=first_run.env, cwd=tmp_path)
        return Autoencoder.load(out).W.get_value()

    of_123 = weights(123, 2)
    np.testing.assert_array_equal(Autoencoder.load(first_run.out).W.get_value(), of_123)
    assert not np.array_equal(weights(123, 0), weights(124, 0))


def costs_by_epoch(out):
    """Return the history without what differs between equal runs."""
    lines = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    return [{name: figure for name, figure in line.items() if name != "seconds"} for line in lines]


@pytest.mark.default_mode
def test_the_fourth_worksheet_draws_digits(no_mnist, few_digits, tmp_path):
    few = ["--backend", "jax", "--images", 256, "--data", few_digits(50)]  # the quickest to compile
    result = run("04_convolutional_autoencoder", *few, "--epochs", 2, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    epochs = [line for line in lines if line.startswith("Training epoch ")]
    assert [re.sub(r"0\.\d{6}", "#", line) for line in epochs] == [f"Training epoch {e}, cost #, val_cost #" for e in (0, 1)]
    whole = tmp_path / "out" / "04_convolutional_autoencoder"
    history = costs_by_epoch(whole)
    assert history[1]["cost"] < history[0]["cost"] < 0.75  # grey costs 0.69
    final = f"cost {history[1]['cost']:.6f}, of test images {history[1]['val_cost']:.6f}, nats per pixel"
    assert f"After 2 epochs: {final}" in lines
    model = ConvolutionalAutoencoder.load(whole)
    assert model.maps == (16, 8, 8)
    filters = {f"{layer}_W.png" for layer in ("conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "output")}
    assert {p.name for p in whole.glob("*.png")} == {"codes.png", "reconstructions.png", *filters}
    page = (whole / "report.html").read_text()
    assert all(
        text in page
        for text in ["16 filters 3 × 3 on 1 map<", "Adadelta, rate 4 and falling, rho 0.95", final, "Reconstructions"]
    )


@pytest.mark.default_mode
def test_the_fourth_worksheet_goes_on_to_the_last_bit(no_mnist, few_digits, tmp_path):
    few = ["--backend", "jax", "--images", 256, "--data", few_digits(50), "--resume"]
    env = no_mnist | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    for folder, epochs in (("whole", 2), ("parts", 1), ("parts", 2)):
        arguments = [*few, "--epochs", epochs, "--out", tmp_path / folder]
        result = run("04_convolutional_autoencoder", *arguments, env=env, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
    assert "Training goes on after 1 of 2 epochs" in result.stdout.splitlines()
    assert costs_by_epoch(tmp_path / "parts") == costs_by_epoch(tmp_path / "whole")
    parts, whole = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("parts", "whole"))
    assert parts == whole


@pytest.mark.default_mode
def test_the_fourth_worksheet_makes_a_map_of_a_few_numbers(no_mnist, few_digits, tmp_path):
    arguments = ["--code", 10, "--backend", "jax", "--images", 256, "--epochs", 1, "--data", few_digits(260)]
    result = run("04_convolutional_autoencoder", *arguments, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    out = tmp_path / "out" / "04_convolutional_autoencoder"
    assert StridedAutoencoder.load(out).n_code == 10
    with Image.open(out / "codes.png") as picture:
        assert picture.mode == "RGB"
    page = (out / "report.html").read_text()
    assert all(text in page for text in ["260 test images", "strides, a code of 10 numbers", "64 filters 5 × 5 on 32 maps"])


@pytest.mark.parametrize("backend", each(in_double, long=["c", "pytorch"], default_mode=["numba"], backends=["jax"]))
def test_the_fifth_worksheet_takes_noise_out(backend, no_mnist, few_digits, tmp_path):
    arguments = ["--images", 1280, "--epochs", 3, "--backend", backend, "--data", few_digits(50)]
    result = run("05_image_denoising", *arguments, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    told = "3 epochs of 1280 images: a few seconds on two cores, once compiled"
    assert (told in lines) == (backend == "numba")  # it is known of no other backend
    (line,) = (line for line in lines if line.startswith("PSNR"))
    before, after = map(float, re.fullmatch(r"PSNR of test images: noisy (\S+) dB, denoised (\S+) dB", line).groups())
    assert after > before
    out = tmp_path / "out" / "05_image_denoising"
    history = costs_by_epoch(out)
    assert [h["epoch"] for h in history] == [0, 1, 2]
    assert history[2]["val_cost"] < history[0]["val_cost"]
    # the noise, drawn again: half a standard normal, the test images first
    clean = np.load(ROOT / "data" / "digits.npz")["test_x"][:50].reshape(50, 784) / 255
    noisy = np.clip(clean + 0.5 * np.random.RandomState(123).standard_normal(clean.shape), 0, 1)
    assert before == pytest.approx(psnr(noisy, clean).mean(), abs=0.006)
    model = ConvolutionalAutoencoder.load(out)
    assert model.maps == (32, 32)
    assert after == pytest.approx(psnr(model.reconstruct(noisy).reshape(50, 784), clean).mean(), abs=0.006)
    assert {p.name for p in out.glob("*.png")} == {"denoised.png", "filters.png"}
    page = (out / "report.html").read_text()
    assert all(text in page for text in [f"{before:.2f} dB", f"{after:.2f} dB", "Peak signal-to-noise ratio", "32, 32 maps"])


WITH_AND_WITHOUT_POSE = [([], 2), (["--affine"], 16)]


@pytest.mark.default_mode
@pytest.mark.parametrize(("more", "test"), WITH_AND_WITHOUT_POSE, ids=["plain", "affine"])
def test_the_sixth_worksheet_draws_at_any_resolution(more, test, no_mnist, few_digits, tmp_path):
    arguments = ["--backend", "jax", "--images", 128, "--epochs", 2, "--resolution", 40, "--data", few_digits(test), *more]
    result = run("06_any_resolution", *arguments, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    epochs = [line for line in lines if line.startswith("Training epoch ")]
    assert [re.sub(r"\d+\.\d{6}", "#", e) for e in epochs] == [f"Training epoch {e}, cost #, nll #, kl #" for e in (0, 1)]
    assert "digit_40x40.png is the first test image" in lines
    out = tmp_path / "out" / "06_any_resolution"
    history = costs_by_epoch(out)
    assert history[1]["nll"] < history[0]["nll"] < 0.75
    assert size(out / "digit_40x40.png") == (40, 40)
    side = 4 * 168 + 3 * 4
    assert size(out / "after_the_first_epoch.png") == (side, side)
    assert size(out / "walk.png") == (9 * 112, 112)
    assert size(out / "renderings.png")[0] > 3 * side
    assert (out / "normalised.png").is_file() == bool(more)
    model = CoordinateVAE.load(out)
    assert model.affine == bool(more)
    page = (out / "report.html").read_text()
    assert all(text in page for text in ["Sixteen test images", "128 of 1280", "nats per image"])


WAYS = [
    pytest.param("jax", ["as it is", "ported"], marks=pytest.mark.default_mode),
    pytest.param("numba", ["as it is", "ported", "ported, modern"], marks=pytest.mark.long),
]


@pytest.mark.parametrize(("backend", "ways"), WAYS, ids=["jax", "numba"])
def test_the_seventh_worksheet_ports_a_script_and_its_numbers_stay(backend, ways, no_mnist, tmp_path):
    pytest.importorskip("libcst", reason="it is not installed")
    result = run("07_porting_theano", "--backend", backend, "--epochs", 1, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    # what real Theano 1.0.5 prints of the same script and digits
    assert "epoch 0: cost 149.5751772756, wrong 0.0789045918" in lines
    assert "They print the same, to the last digit." in lines
    out = tmp_path / "out" / "07_porting_theano"
    assert "print >>sys.stderr" in (out / "before.py").read_text()
    assert "import symae.theano as theano" in (out / "after.py").read_text()
    assert (out / "modern.py").exists() == ("ported, modern" in ways)
    page = (out / "report.html").read_text()
    assert all(f">{way}<" in page for way in ways)


BAD_IMAGES = [
    (["--images", "0"], "argument --images: found '0', expected a whole number of at least 1"),
    (["--images", "127"], "--images: found 127, expected at least one minibatch of 128"),
    (["--images", "6001"], "--images: found 6001, expected at most 6000, the images that there are to train on"),
    (["--data", "few.npz"], "--data: found 10 training images, expected at least one minibatch of 128"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        *(("04_convolutional_autoencoder", *case) for case in BAD_IMAGES),
        ("04_convolutional_autoencoder", ["--code", "0"], "argument --code: found '0', expected a whole number from 1 to 1000"),
        (
            "04_convolutional_autoencoder",
            ["--code", "2", "--images", "255"],
            "--images: found 255, expected at least one minibatch",
        ),
        *(("05_image_denoising", *case) for case in BAD_IMAGES[:2]),
        ("05_image_denoising", ["--noise", "-0.1"], "argument --noise: found '-0.1', expected a number of at least 0"),
        ("05_image_denoising", ["--noise", "nan"], "argument --noise: found 'nan', expected a number of at least 0"),
        ("05_image_denoising", ["--noise", "inf"], "argument --noise: found 'inf'"),
        ("05_image_denoising", ["--noise", "loud"], "argument --noise: found 'loud'"),
        ("05_image_denoising", ["--resume", "--out", "damaged"], "last.safetensors: a damaged file"),
        ("01_autoencoder", ["--resume"], "unrecognized arguments: --resume"),
    ],
)
def test_bad_options_of_worksheets_that_resume_are_one_line_and_status_2(
    assert_refused, few_images, tmp_path, name, arguments, message
):
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "last.safetensors").write_bytes(b"no checkpoint")
    assert_refused(name, arguments, message)


# What Worksheet.fit does, with a model that compiles at once


def sheet_of(folder, *arguments, **keywords):
    argv = ["--data", "digits", "--out", str(folder), *map(str, arguments)]
    return Worksheet("04", "title", **{"epochs": 4, "resumable": True, **keywords}, argv=argv)


def small_fit(sheet, n_hidden=3, name=None, X=None, **keywords):
    """Train a linear model on 20 images of 4 pixels; returns its weights and the history."""
    x = pt.matrix("x", dtype="float64")
    W = pytensor.shared(np.random.RandomState(0).normal(size=(4, n_hidden)), name="W")
    cost = ((x.dot(W).dot(W.T) - x) ** 2).mean()
    updates = [(W, W - 0.1 * pt.grad(cost, W))]
    X = np.random.RandomState(1).rand(20, 4) if X is None else X
    history = sheet.fit(
        cost, updates, {x: X}, SimpleNamespace(params=[W]), name, batch_size=5, **{"validation": {x: X[:6]}} | keywords
    )
    return W.get_value(), history


def test_a_training_goes_on_after_its_checkpoint(tmp_path, capsys):
    expected, history = small_fit(sheet_of(tmp_path / "whole"))
    assert len(history) == 4
    small_fit(sheet_of(tmp_path / "parts", "--epochs", 2))
    capsys.readouterr()
    W, again = small_fit(sheet_of(tmp_path / "parts", "--resume"))
    np.testing.assert_array_equal(W, expected)
    assert (again.costs, again.measures) == (history.costs, history.measures)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("Compiling the training step … ")
    assert lines[2].startswith("Compiling the test cost … ")
    assert lines[3] == "Training goes on after 2 of 4 epochs"
    assert lines[4].startswith("Training epoch 2, cost ")
    assert costs_by_epoch(tmp_path / "parts") == costs_by_epoch(tmp_path / "whole")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_a_first_run_says_about_how_long_it_compiles(tmp_path, monkeypatch, terminal):
    sheet = sheet_of(tmp_path)
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())

    def compiled(*_, **__):
        for seconds in (6.2, 3.0):  # as where a function has another one compiled
            with told._tell.get()(seconds):
                pass
        return "compiled"

    monkeypatch.setattr("symae.runs.worksheet.function", compiled)
    monkeypatch.setattr("symae.runs.worksheet.compile_time", lambda _: CompileTime(1.0, 4.0, cached=False))
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    assert sheet.function("the step", [], None) == "compiled"
    begun = "Compiling the step … "
    # on a terminal the bar stands in the line meanwhile
    assert out.getvalue() == (f"{begun}\r{begun}\r{begun}5.0 s\n" if terminal else f"{begun}first run: about 6 s … 5.0 s\n")
    assert ("about 6 s" in err.getvalue()) == terminal


def test_where_there_is_nothing_to_go_on_with_it_says_so(tmp_path, capsys):
    expected, _ = small_fit(sheet_of(tmp_path / "a"))
    W, _ = small_fit(sheet_of(tmp_path / "b", "--resume"))
    np.testing.assert_array_equal(W, expected)
    said = capsys.readouterr().out
    assert f"--resume: there is no {tmp_path / 'b' / 'last.safetensors'} yet, so the training begins from the start\n" in said
    W, history = small_fit(sheet_of(tmp_path / "b", "--resume", "--epochs", 1))
    np.testing.assert_array_equal(W, expected)
    assert len(history) == 4
    assert "last.safetensors has 4 epochs already: nothing is left to train\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (
            ["--seed", 5],
            {},
            r"found seed: 5, expected 123, with which .*last\.safetensors was trained; give the options of that",
        ),
        (
            [],
            {"X": np.zeros((20, 4))},
            r"found data: 'x float64 \(20, 4\), SHA-256 \w{8}…', expected 'x float64 \(20, 4\), SHA",
        ),
        (
            [],
            {"n_hidden": 2},
            r"found .*last\.safetensors: W of shape \(4, 3\) .*, expected W of shape \(4, 2\) .*another --out$",
        ),
        ([], {"shuffle": False}, "found shuffle: False, expected True"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(tmp_path, arguments, keywords, message):
    small_fit(sheet_of(tmp_path, "--epochs", 1))
    before = (tmp_path / "last.safetensors").read_bytes()
    with pytest.raises(InputError, match=f"^--resume: {message}") as refused:
        small_fit(sheet_of(tmp_path, "--resume", *arguments), **keywords)
    assert "\n" not in str(refused.value)
    assert (tmp_path / "last.safetensors").read_bytes() == before


def test_an_error_that_has_nothing_to_do_with_resuming_stays_as_it_is(tmp_path):
    with pytest.raises(InputError, match=r"^data\[x\]: found NaN or infinite values"):
        small_fit(sheet_of(tmp_path, "--resume"), X=np.full((4, 4), np.nan))


def test_a_training_that_has_not_begun_leaves_no_record_and_keeps_the_one_that_was_there(tmp_path):
    sheet = sheet_of(tmp_path)
    record = tmp_path / "run.json"
    for there in (False, True):
        if there:
            record.write_bytes(b"{}")
        with pytest.raises(InputError, match=r"^data\[x\]: found NaN or infinite values"):
            small_fit(sheet, X=np.full((4, 4), np.nan))
        assert record.exists() == there


def test_devices_that_do_not_divide_a_minibatch_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(Worksheet, "_shared_by", lambda self: 3)
    sheet = sheet_of(tmp_path)
    for begin in (lambda: sheet.training_images(128), lambda: small_fit(sheet)):
        with pytest.raises(InputError, match=r"^--devices: found 3, expected a number that divides (128|5), the images of a"):
            begin()
    assert {p.name for p in tmp_path.iterdir()} <= {".training.lock"}


def test_ctrl_c_in_fit_ends_all_trainings_and_says_how_to_go_on(tmp_path, capsys):
    def press(epoch, *figures):
        if epoch == 1:
            raise KeyboardInterrupt

    sheet = sheet_of(tmp_path)
    _, history = small_fit(sheet, name="a", on_epoch=press)
    assert (history.interrupted, len(history)) == (True, 2)
    assert small_fit(sheet, name="b")[1].costs == []
    assert capsys.readouterr().out.endswith("after 2 of 4 epochs\nThe same command with --resume goes on from there\n")
    expected, _ = small_fit(sheet_of(tmp_path / "whole"), name="a")
    W, _ = small_fit(sheet_of(tmp_path, "--resume"), name="a")
    np.testing.assert_array_equal(W, expected)
    assert [line["model"] for line in costs_by_epoch(tmp_path)] == ["a"] * 4
    assert {p.name for p in tmp_path.glob("*.safetensors")} == {"a_last.safetensors", "a_best.safetensors"}


def test_training_and_compiling_are_counted_apart(tmp_path):
    sheet = sheet_of(tmp_path)
    small_fit(sheet)
    assert sheet.compiling > sheet.training > 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.01, "a few seconds"), (0.5, "about 40 seconds"), (3, "about 4 minutes"), (60, "about 88 minutes")]
)
def test_a_long_training_says_first_how_long_it_will_be(tmp_path, capsys, seconds, words):
    small_fit(sheet_of(tmp_path), seconds_an_image=seconds)  # 20 images, and 6 that are only looked at
    assert f"4 epochs of 20 images: {words} on two cores, once compiled\n" in capsys.readouterr().out


def test_validation_images_are_trained_on_too_and_images_takes_the_first(tmp_path):
    whole = sheet_of(tmp_path).training_images(128)
    (_, _), (valid_x, _), _ = load_data("digits")
    assert whole.shape == (6000, 784)
    np.testing.assert_array_equal(whole[5000:] / np.array(256, pytensor.config.floatX), valid_x.get_value())
    np.testing.assert_array_equal(sheet_of(tmp_path, "--images", 200).training_images(128), whole[:200])


def test_costs_are_reported_of_about_ten_epochs_and_of_none(tmp_path, capsys):
    sheet = sheet_of(tmp_path, "--epochs", 25)
    sheet.report_costs(small_fit(sheet)[1], "nats")
    (table,) = re.findall(r"<table.*?</table>", sheet.report.html(), re.DOTALL)
    assert re.findall(r">(\d+)<", table) == [str(epoch) for epoch in range(0, 25, 3)]
    assert re.search(r"After 25 epochs: cost 0\.\d{6}, of test images 0\.\d{6}, nats\n", capsys.readouterr().out)
    sheet = sheet_of(tmp_path, "--epochs", 0)
    sheet.report_costs(small_fit(sheet)[1], "nats")
    assert "No epoch was finished." in sheet.report.html()


def leaves(path, seed):
    """Draw discs of any size and grey over one another, whose edges have all directions: a picture as of nature."""
    rng = np.random.RandomState(seed)
    picture = Image.new("L", (200, 160))
    pen = ImageDraw.Draw(picture)
    for _ in range(600):
        (x, y), r = rng.uniform(0, 200, 2), 3 / rng.uniform(0.05, 1)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=int(rng.randint(256)))
    picture.save(path)


@pytest.mark.default_mode
def test_the_eighth_worksheet_finds_edges_in_pictures_of_ones_own(no_mnist, tmp_path):
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        leaves(tmp_path / "photos" / f"{seed}.png", seed)
    options = ["--data", "photos", "--patches", 20000, "--units", 36, "--active", 3, "--epochs", 60]
    result = run("08_natural_patches", *options, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("Data: 20000 patches of 8 x 8 pixels, of photos\n")
    edges, units = map(int, re.search(r"^(\d+) of (\d+) filters are edges", result.stdout, re.MULTILINE).groups())
    assert units == 36
    assert edges > 12  # of noise none is
    out = tmp_path / "out" / "08_natural_patches"
    assert {"filters.png", "patches.png", "whitened.png", "drawn.png", "model.safetensors", "report.html"} <= {
        path.name for path in out.iterdir()
    }
    record = read_record(out)
    assert (record["data"], record["image_shape"]) == (None, [1, 8, 8])


def test_patches_are_of_photographs_that_are_there(assert_refused):
    for data in ([], ["--data", "."]):
        message = "--image-shape: found 1x8x8, expected none: photographs stay as they are"
        assert_refused("08_natural_patches", [*data, "--image-shape", "1x8x8"], message)
    assert_refused("08_natural_patches", ["--data", "nowhere"], "nowhere: found no such file or folder")
    assert_refused("08_natural_patches", ["--data", "digits", "--size", "64"], "pictures of at most 28 pixels a side")
    assert_refused(
        "08_natural_patches", ["--data", "digits", "--active", "100"], "--active: found 100, expected fewer than the 100"
    )
