"""What is shown of a saved model: its nodes, pictures of them, numbers as text; from Python and as a command."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from symae import Autoencoder, ImageAutoencoder, InputError
from symae.cli import main as cli
from symae.datasets import read
from symae.images import feature_maps, filter_maps, node_picture
from symae.runs.nodes import show_nodes


@pytest.fixture
def model():
    return ImageAutoencoder(np.random.RandomState(1), maps=3)


@pytest.fixture
def run(model, tmp_path):
    """Write a run's folder with two models of different nodes."""
    folder = tmp_path / "run"
    folder.mkdir()
    model.save(folder / "images")
    Autoencoder(np.random.RandomState(1), n_hidden=9).save(folder / "rows")
    return folder


@pytest.fixture
def images():
    return np.random.RandomState(0).uniform(size=(5, 784))


def test_maps_are_black_at_zero_and_white_at_the_largest_value_of_all():
    values = np.array([[[[0.0, 1.0]], [[-5.0, 2.0]]]])  # one image, two maps of 1 x 2
    tile = feature_maps(values, cell=4)
    assert tile.shape == (2 + 4 + 2, 4)
    np.testing.assert_array_equal(tile[:2], [[0, 0, 0.5, 0.5]] * 2)
    np.testing.assert_array_equal(tile[2:6], 1)
    np.testing.assert_array_equal(tile[6:], [[0, 0, 1, 1]] * 2)


@pytest.mark.parametrize(("k", "shape"), [(9, (3, 3)), (10, (1, 10))])
def test_vectors_are_squares_where_they_can_be(k, shape):
    assert feature_maps(np.ones((1, k)), cell=1).shape == shape


def test_dead_maps_are_black():
    assert not feature_maps(np.zeros((1, 1, 2, 2))).any()


def test_filters_are_grey_at_zero_each_with_its_own_contrast():
    filters = np.array([[[[0.0, 4.0]]], [[[-0.1, 0.05]]], [[[0.0, 0.0]]]])  # three filters of 1 x 2
    tile = filter_maps(filters, cell=2)
    np.testing.assert_array_equal(tile[0], [0.5, 1, 1, 1, 1, 1, 0, 0.75, 1, 1, 1, 1, 0.5, 0.5])


@pytest.mark.parametrize("filters", [np.zeros((3, 3)), np.zeros((0, 1, 2, 2)), np.full((1, 1, 2, 2), np.nan)])
def test_filters_that_cannot_be_drawn_are_refused(filters):
    with pytest.raises(InputError, match="filters: found "):
        filter_maps(filters)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 4)), r"feature maps: found shape \(2, 3, 4\)"),
        (np.zeros((0, 1, 4, 4)), r"feature maps: found shape \(0, 1, 4, 4\)"),
        (np.full((1, 4), np.inf), "feature maps: found NaN or infinite values"),
    ],
)
def test_what_cannot_be_drawn_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        feature_maps(values)


def test_nodes_of_any_size_get_columns_of_one_width(model, images):
    picture = node_picture([(name, model.node_values(name, images)) for name in ("input", "pool1", "deconv1")])
    assert picture.width == 16 + 5 * 112 + 4 * 4 + 16


def test_numbers_are_written_an_image_a_line_as_cntk_does(model, images, tmp_path):
    shown = show_nodes(model, ["pool1", "deconv1"], images, tmp_path, "mine")
    assert [file.name for file in shown.files] == ["mine_pool1_deconv1.png", "mine_pool1.txt", "mine_deconv1.txt"]
    numbers = np.loadtxt(tmp_path / "mine_pool1.txt")
    np.testing.assert_allclose(numbers, shown.values["pool1"].reshape(5, 3 * 49), atol=5.1e-7)
    assert len((tmp_path / "mine_pool1.txt").read_text().split("\n")[0].split(" ")[0].split(".")[1]) == 6
    with Image.open(tmp_path / "mine_pool1_deconv1.png") as picture:
        assert picture.size == shown.picture.size


def test_show_lists_the_nodes_of_every_model(run, capsys):
    assert cli.main(["show", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "images, ImageAutoencoder:"
    assert "  pool1        3 x 7 x 7" in lines
    assert lines[lines.index("rows, Autoencoder:") + 2] == "  hidden         9"


def test_show_writes_the_nodes_of_the_models_that_have_them(run, capsys, tmp_path):
    out = tmp_path / "shown"
    arguments = ["show", str(run), "--node", "pool1", "--images", "2", "--data", "digits", "--out", str(out)]
    assert cli.main(arguments) == 0
    assert sorted(file.name for file in out.iterdir()) == ["images_pool1.png", "images_pool1.txt"]
    assert np.loadtxt(out / "images_pool1.txt").shape == (2, 147)
    assert capsys.readouterr().out.startswith("images, pool1 (2, 3, 7, 7): from ")


@pytest.mark.parametrize("scale", [255, 256])
def test_show_divides_bytes_by_what_the_run_divided_them_by(run, scale):
    (run / "run.json").write_text(json.dumps({"symae_run": 1, "pixel_scale": scale}))
    assert cli.main(["show", str(run / "rows"), "--node", "input", "--images", "3", "--data", "digits"]) == 0
    np.testing.assert_allclose(np.loadtxt(run / "rows_input.txt"), read("digits").test.x[:3] / scale, atol=5.1e-7)


def test_show_takes_the_data_of_the_run(run, capsys):
    pixels = np.random.RandomState(0).randint(0, 256, (20, 6, 5)).astype(np.uint8)
    np.save(run / "x.npy", pixels)
    Autoencoder(np.random.RandomState(1), n_visible=30, n_hidden=4).save(run / "own")
    record = {"symae_run": 1, "pixel_scale": 255, "image_shape": [1, 6, 5], "data": str(run / "x.npy")}
    (run / "run.json").write_text(json.dumps(record))
    arguments = ["show", str(run / "own"), "--node", "input"]
    assert cli.main(arguments) == 0
    test = read(run / "x.npy").test.x
    np.testing.assert_allclose(np.loadtxt(run / "own_input.txt"), test[:5] / 255, atol=5.1e-7)
    (run / "run.json").write_text(json.dumps(record | {"data": None}))
    assert cli.main(arguments[:2]) == 0
    assert "  input          30\n  hidden         4\n" in capsys.readouterr().out
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("run: found a run that has made its images itself, expected --data with images to show")
    assert cli.main([*arguments, "--data", str(run / "x.npy")]) == 0


def test_show_leaves_its_files_beside_the_model(run):
    assert cli.main(["show", str(run / "rows"), "--node", "hidden", "--node", "input", "--data", "digits"]) == 0
    assert {"rows_hidden_input.png", "rows_hidden.txt", "rows_input.txt"} <= {file.name for file in run.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--node", "pool9"], "--node: found pool9, expected nodes of one model in "),
        (["run", "--node", "pool1", "--node", "hidden"], "--node: found pool1, hidden, expected nodes of one model in"),
        (["run", "--node", "pool1", "--data", "nowhere"], "nowhere: found no such file or folder"),
        (["nowhere"], "nowhere.safetensors: found no such file, expected the two files of a saved model"),
        ([""], "found no saved model, expected a run's folder"),
        (["run/damaged"], "damaged.json: found damaged JSON"),
        (["run", "--node", "pool1", "--data", "digits", "--out", "file"], "file: found a file, expected a folder"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_status_2(run, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(run.parent)
    (run.parent / "file").touch()
    if "run/damaged" in arguments:
        (run / "damaged.safetensors").touch()
        (run / "damaged.json").write_text("{")
    assert cli.main(["show", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
