"""The worksheets as a person runs them: what they print, what they leave, how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytensor
import pytest
from PIL import Image

from symae import Autoencoder, DenoisingAutoencoder, ImageAutoencoder, InputError
from symae.datasets import load_data
from symae.errors import MissingFileError
from symae.worksheet import Worksheet, find_worksheet, worksheets

ROOT = Path(__file__).parents[1]
NAMES = ["01_autoencoder", "02_denoising_autoencoder"]


def size(picture):
    with Image.open(picture) as image:
        return image.size


def run(name, *arguments, env, cwd):
    command = [sys.executable, str(ROOT / "worksheets" / f"{name}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd, timeout=300)


def test_the_first_worksheet_leaves_filters_reconstructions_model_history_and_report(no_mnist, tmp_path):
    result = run("01_autoencoder", "--epochs", 2, env=no_mnist, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "Data: symae's own stroke digits, 5000/1000/1000 images"
    costs = [line.removeprefix("Training epoch ") for line in lines if line.startswith("Training epoch")]
    assert [c.split(", cost ")[0] for c in costs] == ["0", "1"]
    out = tmp_path / "out" / "01_autoencoder"
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
        (["--pool", "29"], "argument --pool: found '29', expected a whole number from 1 to 28"),
        (["--two-layer", "--maps", "2"], "--two-layer has maps and pooling windows of its own"),
        (["--data", "few.npz"], "--data: found 10 training images, expected at least one minibatch of 64"),
    ],
)
def test_bad_options_of_the_third_worksheet_are_one_line_and_status_2(no_mnist, tmp_path, arguments, message):
    few = {f"{part}_x": np.zeros((5, 784), np.uint8) for part in ("train", "valid", "test")}
    np.savez(tmp_path / "few.npz", **few, **{name.replace("x", "y"): np.arange(5) for name in few})
    result = run("03_image_autoencoder", *arguments, env=no_mnist, cwd=tmp_path)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("03_image_autoencoder: error: ")
    assert message in line


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
def test_bad_input_is_one_line_and_status_2(no_mnist, tmp_path, name, arguments, message):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "bad.npz").write_bytes(b"PK no archive")
    (tmp_path / "taken" / "model.json").mkdir(parents=True)
    few = {f"{part}_x": np.zeros((5, 784), np.uint8) for part in ("train", "valid", "test")}
    np.savez(tmp_path / "few.npz", **few, **{name.replace("x", "y"): np.arange(5) for name in few})
    result = run(name, *arguments, env=no_mnist, cwd=tmp_path)
    assert result.returncode == 2
    assert "Training" not in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{name}: error: ")
    assert message in line
    assert (tmp_path / "file").read_text() == "precious"


def test_mnist_is_used_when_it_is_there(mnist, tmp_path):
    sheet = Worksheet("01_autoencoder", "title", epochs=1, argv=["--out", str(tmp_path)])
    assert sheet.dataset.name.startswith("mini-MNIST")


def test_floatX_rules_the_whole_run(tmp_path):
    Worksheet("01_autoencoder", "title", epochs=1, argv=["--floatX", "float32", "--data", "digits", "--out", str(tmp_path)])
    assert pytensor.config.floatX == "float32"


def test_a_full_disk_ends_with_one_line(no_mnist, tmp_path):
    # the process may write files of at most 20 kB: what a full disk feels like
    script = str(ROOT / "worksheets" / "01_autoencoder.py")
    code = (
        "import resource, signal, sys, runpy; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); sys.dont_write_bytecode = True; "
        f"sys.argv = ['01_autoencoder', '--epochs', '1', '--out', 'r']; runpy.run_path({script!r})"
    )
    pytest.importorskip("resource")
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "model.safetensors").write_text("an older model")
    warm = run("01_autoencoder", "--epochs", 0, env=no_mnist, cwd=tmp_path)  # so that no cache has to be written
    assert warm.returncode == 0
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=no_mnist, cwd=tmp_path, timeout=300
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
    with pytest.raises(InputError, match=f"found '99', expected a path ending in .py, or one of {', '.join(worksheets())}"):
        find_worksheet("99")
    with pytest.raises(MissingFileError, match="found no such file, expected a worksheet"):
        find_worksheet("mine.py")


def test_worksheets_are_listed_in_order():
    assert list(worksheets())[:2] == NAMES


def test_a_seed_decides_everything(no_mnist, tmp_path):
    for folder in ("a", "b"):
        run("01_autoencoder", "--epochs", 1, "--seed", 7, "--out", tmp_path / folder, env=no_mnist, cwd=tmp_path)
    a, b = (Autoencoder.load(tmp_path / folder) for folder in ("a", "b"))
    np.testing.assert_array_equal(a.W.get_value(), b.W.get_value())
