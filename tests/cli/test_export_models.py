"""``symae export RUN --onnx``, ``--torch``, ``--keras`` and ``--card``."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from symae import Autoencoder, ImageAutoencoder
from symae.cli.main import main
from symae.runs.record import RunRecord
from symae.training import EpochLog


@pytest.fixture
def run(tmp_path):
    """Return the folder of a finished run with two models, and what its history says."""
    folder = tmp_path / "run"
    folder.mkdir()
    record = RunRecord(folder, "02_denoising", "A *denoising* one | another", "mnist", {}, 256, (1, 12, 12))
    for name, model in {"model": Autoencoder(0, n_visible=144, n_hidden=7), "images": _images()}.items():
        record.training(model, name)
        model.save(folder / name)
        record.saved(model, name)
        EpochLog(folder / "history.jsonl", name, append=name != "model")(0, 2.5, 0.1, {"val_cost": 2.25})
    record.ended("finished", {"data": "MNIST <60000>", "epochs": 1})
    return folder


def _images():
    return ImageAutoencoder(0, maps=2, pool=3, image_shape=(1, 12, 12))


def test_onnx_is_written_where_it_is_wanted(run, tmp_path, capsys):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    assert main(["export", str(run), "--onnx", str(tmp_path / "m.onnx"), "--model", "images", "--part", "encoder"]) == 0
    assert re.search(r"m\.onnx: \d\.\d\d kB, ImageAutoencoder, encoder", capsys.readouterr().out)
    written = onnx.load(tmp_path / "m.onnx")
    assert [o.name for o in written.graph.output] == ["pool1", "pool1_switches"]
    assert {p.key: p.value for p in written.metadata_props}["symae_model"] == "ImageAutoencoder"
    assert not (tmp_path / "page.html").exists()


def test_pytorch_gets_weights_and_a_source_which_may_be_replaced(run, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for floatX in ("float64", "float32"):
        assert main(["export", str(run), "--torch", str(run / "net.pt"), "--floatX", floatX]) == 0
        assert str(torch.load(run / "net.pt", weights_only=True)["W"].dtype) == f"torch.{floatX}"
    assert "net.py: " in capsys.readouterr().out


def test_a_source_of_somebody_elses_stays(run, tmp_path, capsys):
    (tmp_path / "net.py").write_text("print('mine')\n")
    assert main(["export", str(run), "--torch", str(tmp_path / "net.pt")]) == 2
    assert "net.py: found a file that does not belong to net.pt" in capsys.readouterr().err
    assert (tmp_path / "net.py").read_text() == "print('mine')\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["RUN", "--onnx", "no_folder/m.onnx"], "no_folder/m.onnx: found no folder no_folder, expected a folder that is there"),
        (["RUN", "--onnx", "m.pb"], "m.pb: found the ending '.pb', expected a name that ends in .onnx"),
        (["RUN", "--torch", "m.bin"], "m.bin: found the ending '.bin', expected a name that ends in .pt or .pth"),
        (["RUN", "--keras", "m.h5"], "m.h5: found the ending '.h5', expected a name that ends in .keras"),
        (["nowhere", "--onnx", "m.onnx"], "nowhere: found no such file, expected the folder of a run"),
        ([".", "--card"], r"\.: found no run, expected the folder of a run"),
        (["RUN", "RUN", "--card"], "run: found 2 runs, expected one"),
        (["RUN", "--part", "encoder"], "--part: found encoder, expected --onnx, --torch or --keras beside it"),
        (["RUN", "--card", "--opset", "20"], "--opset: found 20, expected --onnx beside it"),
        (["RUN", "--onnx", "m.onnx", "--model", "other"], "--model: found 'other', expected one of model, images"),
    ],
)
def test_bad_input_is_a_line_and_nothing_is_written(run, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["export", *(str(run) if a == "RUN" else a for a in arguments)]) == 2
    assert re.fullmatch(f"symae: error: {message}.*\n", capsys.readouterr().err)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_card_says_what_the_run_knows(run, capsys):
    for name in ("net.onnx", "net.keras", "net.pt", "net.py"):
        (run / name).touch()
    assert main(["export", str(run), "--card"]) == 0
    text = (run / "README.md").read_text()
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["library_name"] == "symae"
    assert front["datasets"] == ["ylecun/mnist"]
    assert front["pipeline_tag"] == "image-to-image"
    assert {"onnx", "keras", "Autoencoder", "ImageAutoencoder"} < set(front["tags"])
    results = {entry["name"]: entry["results"][0] for entry in front["model-index"]}
    assert results["A *denoising* one | another: model"]["metrics"][1] == {
        "type": "val_cost",
        "value": 2.25,
        "name": "cost of test images",
    }
    assert "| `model` | 2.500000 | 2.250000 |" in text
    assert "| `model.safetensors` | Autoencoder, n_visible 144, n_hidden 7 | 1,159 | n x 144 | `hidden`, 7 |" in text
    assert "`pool1`, 2 x 4 x 4" in text
    assert "divided by 256" in text
    assert "MNIST <60000>" not in text.split("---\n")[2]


def test_the_card_says_which_model_has_diverged(run):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    EpochLog(run / "history.jsonl", "model", append=True)(1, float("nan"), 0.1, {"val_cost": 2.5})
    assert main(["export", str(run), "--card"]) == 0
    text = (run / "README.md").read_text()
    assert "| `model` | diverged | 2.500000 |" in text
    results = yaml.safe_load(text.split("---\n")[1])["model-index"][0]["results"][0]
    assert [metric["type"] for metric in results["metrics"]] == ["val_cost"]


def test_how_to_load_it_runs_as_printed(run, capsys, monkeypatch):
    monkeypatch.chdir(run)
    onnx = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    assert onnx
    assert main(["export", str(run), "--onnx", str(run / "net.onnx"), "--card"]) == 0
    capsys.readouterr()
    for snippet in re.findall(r"```python\n(.*?)```", (run / "README.md").read_text(), re.DOTALL):
        exec(snippet, {})
    assert capsys.readouterr().out == "(1, 7) (1, 144)\nreconstruction (1, 144)\n"


def test_a_card_that_somebody_has_written_stays(run, capsys):
    (run / "README.md").write_text("mine")
    assert main(["export", str(run), "--card"]) == 2
    assert "README.md: found a README.md that is not symae's" in capsys.readouterr().err
    assert (run / "README.md").read_text() == "mine"


def test_a_card_is_written_anew_until_somebody_changes_it(run, capsys):
    page = run / "README.md"
    assert main(["export", str(run), "--card"]) == 0
    page.write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    (run / "net.onnx").touch()
    assert main(["export", str(run), "--card"]) == 0
    assert "net.onnx" in page.read_text()
    changed = page.read_text() + "\nTrained on a Sunday.\n"
    page.write_text(changed)
    assert main(["export", str(run), "--card"]) == 2
    assert "README.md: found a README.md that is not symae's, or that somebody has changed" in capsys.readouterr().err
    assert page.read_text() == changed


def test_a_damaged_record_is_no_card(run, capsys):
    (run / "run.json").write_text("{")
    assert main(["export", str(run), "--card"]) == 2
    assert "damaged JSON" in capsys.readouterr().err
    assert not (run / "README.md").exists()


def test_what_is_exported_is_the_model_that_was_saved(run, tmp_path):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    assert main(["export", str(run / "model.safetensors"), "--onnx", str(tmp_path / "m.onnx")]) == 0
    (weights,) = [p for p in onnx.load(tmp_path / "m.onnx").graph.initializer if p.name == "W"]
    np.testing.assert_array_equal(
        onnx.numpy_helper.to_array(weights), Autoencoder(0, n_visible=144, n_hidden=7).W.get_value().astype("float32")
    )
    assert json.loads((run / "model.json").read_text())["model"] == "Autoencoder"
