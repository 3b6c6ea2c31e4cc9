"""Runs that one wants to look at all the more: diverged, damaged, very large, in colours, and of another scale of pixels."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import shutil
import socket
import threading
import time

import numpy as np
import pytest
from inspector_runs import write_run

import symae
from symae import Autoencoder, ConvolutionalAutoencoder, ImageAutoencoder, InputError
from symae.datasets import read
from symae.errors import MissingFileError
from symae.images import png_bytes
from symae.inspector.api.routes import Answers
from symae.inspector.export import export_html
from symae.inspector.figure import HOLE
from symae.inspector.layout import guessed_layout, layout_of, parsed_layout
from symae.inspector.runs import open_run
from symae.models.base import Model
from symae.runs.record import FILE, read_record


def asked(folder, path, **query):
    """Return the JSON that the page gets; it has no NaN, which a browser cannot read."""
    kind, content = Answers([open_run(folder)]).get(path, query)
    assert kind == "application/json"
    return json.loads(content, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def picture(found):
    """Return the bytes of a picture, (h, w[, 3]), and which of its pixels are marked as no numbers."""
    shape = (found["h"], found["w"], *([3] if found.get("channels") == 3 else []))
    pixels = np.frombuffer(base64.b64decode(found["data"]), np.uint8).reshape(shape)
    if "holes" not in found:
        return pixels, np.zeros(shape[:2], bool)
    bits = np.unpackbits(np.frombuffer(base64.b64decode(found["holes"]), np.uint8))
    return pixels, bits[: shape[0] * shape[1]].reshape(shape[:2]).astype(bool)


def exported(folder):
    text = export_html([open_run(folder)])
    start = text.index('id="exported">') + len('id="exported">')
    return json.loads(text[start : text.index("</script>", start)])


# codes of a few numbers


@pytest.fixture(scope="module")
def narrow(tmp_path_factory, digits):
    """Return the run of an autoencoder with six hidden units, trained a little."""
    model = Autoencoder(3, n_visible=784, n_hidden=6).fit(digits, epochs=2)
    return write_run(tmp_path_factory.mktemp("narrow") / "run", model)


def test_an_autoencoder_of_few_units_has_a_map_of_its_codes_and_draws_from_it(narrow):
    space = asked(narrow, "0/model/latent")
    assert len(space["names"]) == 6
    model = Model.load(narrow)
    code = space["codes"][0]
    drawn, _ = picture(asked(narrow, "0/model/drawn", code=",".join(map(str, code))))
    np.testing.assert_allclose(drawn / 255, model.inverse_transform([code]).reshape(28, 28), atol=0.003)


def test_the_page_of_an_autoencoder_of_few_units_is_exported_with_its_latent_map(narrow):
    kept = exported(narrow)
    assert len(kept["0/model/latent"]["codes"]) == 1000
    assert kept["0/model/atlas"]["count"] == 12


def test_one_answer_that_fails_leaves_its_error_in_the_exported_page_and_all_others(run, monkeypatch, caplog):
    monkeypatch.setattr("symae.inspector.api.unit.unit_json", lambda *_: 1 / 0)
    with caplog.at_level(logging.CRITICAL):
        kept = exported(run)
    assert kept["0/model/unit/W/3"] == {"refused": "symae failed: ZeroDivisionError: division by zero"}
    assert kept["0/model/filters/W"]["count"] == 40


# diverged


def diverged_run(tmp_path, trained, change):
    model = Autoencoder(0, n_visible=784, n_hidden=40)
    values = {name: value.copy() for name, value in trained.parameters().items()}
    change(values)
    model.set_parameters(values)
    return write_run(tmp_path / "diverged", model)


def some_nan(values):
    values["W"][:, 3] = np.nan
    values["W"][100, 4] = np.inf
    values["W"][:, 5] = 1e308
    values["b"][3] = np.nan


def all_nan(values):
    for value in values.values():
        value[...] = np.nan


def huge(values):
    values["W"] *= 1e308


@pytest.mark.parametrize("change", [some_nan, all_nan, huge])
def test_everything_is_answered_of_a_training_that_has_diverged(tmp_path, trained, change):
    folder = diverged_run(tmp_path, trained, change)
    about = asked(folder, "0/model/model")
    assert any("W holds" in line for line in about["diverged"])
    for path in ("filters/W", "order/W/similarity", "order/W/norm", "order/W/active", "activity/W", "epoch/2/W", "nodes/0"):
        asked(folder, f"0/model/{path}")
    for unit in (0, 3, 4):
        asked(folder, f"0/model/unit/W/{unit}")
        asked(folder, f"0/model/best/W/{unit}")
    asked(folder, "0/model/reconstruct/0", level="0.3")
    inspection = symae.inspect(folder)
    assert png_bytes(inspection.filters().figure().image)
    assert inspection.reconstruct(0)._repr_png_()


def test_weights_that_are_no_numbers_are_marked_where_they_are(tmp_path, trained):
    folder = diverged_run(tmp_path, trained, some_nan)
    assert asked(folder, "0/model/filters/W")["broken"] == [3, 4]
    pixels, holes = picture(asked(folder, "0/model/unit/W/4")["picture"])
    assert np.flatnonzero(holes).tolist() == [100]
    assert pixels.std() > 0
    assert asked(folder, "0/model/unit/W/4")["not_finite"] == 1
    assert asked(folder, "0/model/best/W/4") == {"diverged": True}
    norms = asked(folder, "0/model/filters/W")["norms"]
    np.testing.assert_allclose(norms[9], np.linalg.norm(trained.W.get_value()[:, 9]), rtol=1e-4)
    figure = np.asarray(symae.inspect(folder).filters().figure(order=[4], spacing=(0, 0)).image)
    assert np.flatnonzero((figure == HOLE).all(axis=2)).tolist() == [100]


def test_a_reconstruction_that_is_no_number_is_marked_and_has_no_error(tmp_path, trained):
    found = asked(diverged_run(tmp_path, trained, all_nan), "0/model/reconstruct/0")
    assert picture(found["output"])[1].all()
    assert not picture(found["original"])[1].any()
    assert found["rmse"] is None


def test_filters_of_numbers_near_the_largest_float_keep_their_contrast(tmp_path, trained):
    folder = diverged_run(tmp_path, trained, lambda values: values["W"].__imul__(1e307))
    pixels, holes = picture(asked(folder, "0/model/unit/W/7")["picture"])
    assert not holes.any()
    expected = trained.W.get_value()[:, 7]
    rounded = np.rint((expected / np.abs(expected).max() + 1) * 127.5)
    np.testing.assert_allclose(pixels.reshape(-1), rounded, atol=1)


# odd records


ODD = [
    ("title", "NaN"),
    ("title", "1" + "0" * 400),
    ("title", json.dumps("long " * 1000)),
    ("state", "[]"),
    ("started", "NaN"),
    ("data", "{}"),
    ("settings", '{"noise": "much", "seed": Infinity, "n": 1' + "0" * 400 + ', "deep": [[[]]], "nothing": null}'),
    ("facts", '{"a": {"b": NaN}}'),
    ("versions", '{"pytensor": NaN}'),
    ("process", '{"pid": 1' + "0" * 400 + ', "host": NaN}'),
    ("process", '{"pid": true}'),
    ("models", '[{"label": NaN, "class": [], "file": 3, "configuration": NaN}, null, {}]'),
    ("pixel_scale", '"256"'),
    ("image_shape", '["a", NaN]'),
]


@pytest.mark.parametrize(("key", "value"), ODD, ids=[f"{key}-{value[:20]}" for key, value in ODD])
def test_an_odd_value_in_a_record_does_not_spoil_the_page(run, trained, tmp_path, key, value):
    other = write_run(tmp_path / "other", trained)
    record = json.loads((run / FILE).read_text())
    record[key] = "?"
    (run / FILE).write_text(json.dumps(record).replace('"?"', value))
    answers = Answers([open_run(run), open_run(other)])
    for path in ("runs", "training", "1/model/model"):
        json.loads(answers.get(path, {})[1], parse_constant=pytest.fail)
    listed = json.loads(answers.get("runs", {})[1])["runs"]
    assert [isinstance(one["title"], str) and len(one["title"]) <= 201 for one in listed] == [True, True]
    if key != "models":
        json.loads(answers.get("0/model/model", {})[1])


def test_odd_lines_of_a_history_are_left_out_and_the_others_are_drawn(run):
    lines = ['{"epoch": 0, "cost": 2.5, "model": 3}', '{"epoch": 1, "cost": "many"}', '{"epoch": true, "cost": 1}']
    lines += ['{"epoch": 1' + "0" * 400 + ', "cost": 1}', '{"epoch": 2, "cost": 1' + "0" * 400 + ', "x": [1]}']
    lines += ['{"epoch": 3, "cost": 1.5, "a": NaN, "b": Infinity, "c": true}', '{"epoch": -1, "cost": 9}']
    (run / "history.jsonl").write_text("\n".join(lines))
    curves = {(c["model"], c["figure"]): (c["x"], c["y"]) for c in asked(run, "training")["curves"]}
    assert curves == {("", "cost"): ([3], [1.5]), ("3", "cost"): ([0], [2.5])} or curves == {("", "cost"): ([0, 3], [2.5, 1.5])}


def test_as_many_models_as_a_page_can_show_are_listed_and_the_rest_is_told(run):
    record = json.loads((run / FILE).read_text())
    entry = record["models"][0] | {"file": None}
    record["models"] += [entry | {"label": f"m{i}"} for i in range(20000)]
    (run / FILE).write_text(json.dumps(record))
    started = time.perf_counter()
    (listed,) = asked(run, "runs")["runs"]
    assert len(listed["models"]) == 500
    assert "found 20001 models, expected at most 500" in listed["problem"]
    asked(run, "0/model/model")
    assert time.perf_counter() - started < 10


def test_a_record_of_many_megabytes_is_refused_unread(run):
    with (run / FILE).open("ab") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(InputError, match="found 17825792 bytes"):
        read_record(run)
    assert "found 17825792 bytes" in asked(run, "runs")["runs"][0]["problem"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("name", [FILE, "history.jsonl"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(run, name):
    (run / name).unlink()
    os.mkfifo(run / name)
    asked(run, "training")
    (listed,) = asked(run, "runs")["runs"]
    assert (listed["problem"] is not None) == (name == FILE)


@pytest.mark.parametrize(("n_hidden", "message"), [(500000, r"W of shape \(784, 500000\), where"), (10**300, "n_hidden")])
def test_a_record_with_a_huge_model_is_refused_before_one_is_built(trained, tmp_path, n_hidden, message):
    folder = write_run(tmp_path / "r", trained, saved=False)
    record = json.loads((folder / FILE).read_text())
    record["models"][0]["configuration"]["n_hidden"] = n_hidden
    (folder / FILE).write_text(json.dumps(record))
    started = time.perf_counter()
    with pytest.raises(InputError, match=message):
        open_run(folder).inspection("model")
    assert time.perf_counter() - started < 1


# what can be opened


def test_a_run_in_a_read_only_folder_is_read_without_writing(trained, tmp_path, monkeypatch):
    folder = write_run(tmp_path / "r", trained, saved=False)
    monkeypatch.setattr(
        "symae.training.training_folder.make_folder", lambda path: pytest.fail(f"{path} would have to be writable")
    )
    assert open_run(folder).inspection("model").model.n_hidden == 40


@pytest.mark.parametrize("name", ["best", "last", "plain_best", "plain_last"])
def test_a_model_saved_under_the_name_of_a_checkpoint_is_listed(trained, tmp_path, name):
    folder = write_run(tmp_path / "r", trained)
    for suffix in (".safetensors", ".json"):
        (folder / f"model{suffix}").rename(folder / f"{name}{suffix}")
    (folder / FILE).unlink()
    found = open_run(folder)
    assert list(found.models()) == [name]
    assert found.inspection(name).model.n_hidden == 40


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".pt", ".npz"])
def test_a_file_of_another_library_is_refused_by_its_own_name(tmp_path, suffix):
    path = tmp_path / f"m{suffix}"
    with pytest.raises(MissingFileError, match=rf"m\{suffix}: found no such file"):
        Model.load(path)
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=rf"m\{suffix}: found a \{suffix} file, .*load_weights\(model, path\)"):
        Model.load(path)


def test_a_model_of_symae_may_be_called_like_a_file_of_another_library(trained, tmp_path):
    trained.save(tmp_path / "m.pt")
    assert Model.load(tmp_path / "m.pt").n_hidden == 40


# pixels: their scale


@pytest.mark.parametrize(
    ("record", "scale"),
    [
        ({"pixel_scale": 256, "worksheet": "mine"}, 256),
        ({"pixel_scale": 255, "worksheet": "01_autoencoder"}, 255),
        ({"worksheet": "01_autoencoder"}, 256),
        ({"worksheet": "02_denoising_autoencoder"}, 256),
        ({"worksheet": "03_image_autoencoder"}, 256),
        ({"worksheet": "04_convolutional_autoencoder"}, 255),
        ({"worksheet": "mine"}, 255),
    ],
)
def test_bytes_are_divided_by_what_the_run_divided_them_by(run, record, scale):
    known = json.loads((run / FILE).read_text())
    known.pop("pixel_scale")
    (run / FILE).write_text(json.dumps(known | record))
    found = open_run(run)
    images = read("digits").test.x[:1000] / np.float32(scale)
    np.testing.assert_array_equal(found.examples().images, images.astype(np.float32))
    model = found.inspection("model").model
    np.testing.assert_allclose(found.inspection("model").activity("W").strongest, model.transform(images), rtol=1e-5)
    pixels = bytes(range(256)) * 3 + bytes(16)
    body = {"pixels": base64.b64encode(pixels).decode(), "level": 0}
    drawn = json.loads(Answers([found]).post("0/model/draw", body)[1])
    expected = model.reconstruct(np.frombuffer(pixels, np.uint8)[None] / scale)
    np.testing.assert_allclose(picture(drawn["output"])[0].reshape(-1), 255 * expected[0], atol=0.5001)


def test_older_runs_without_a_record_are_known_by_the_number_of_their_worksheet(trained, tmp_path):
    for name, scale in (("01_autoencoder", 256), ("05_image_denoising", 255)):
        folder = write_run(tmp_path / name, trained)
        (folder / FILE).unlink()
        assert open_run(folder).pixel_scale == scale


# pixels: their shape


@pytest.fixture(scope="module")
def colours():
    """Two hundred images of 8 x 8 pixels, each of one colour that fades to the right: (n, h, w, 3)."""
    colour = np.random.RandomState(0).uniform(size=(200, 1, 1, 3))
    return np.broadcast_to(colour * np.linspace(1, 0.2, 8)[:, None], (200, 8, 8, 3)).copy()


@pytest.mark.parametrize("interleaved", [True, False])
def test_coloured_images_are_drawn_in_colours(colours, interleaved):
    images = colours if interleaved else np.moveaxis(colours, 3, 1)
    model = Autoencoder(0, n_visible=192, n_hidden=5)
    model.W.set_value(images[:5].reshape(5, 192).T - 0.5)
    inspection = symae.inspect(model, images)
    np.testing.assert_allclose(inspection.filters().pictures, colours[:5] - 0.5, rtol=1e-6)
    seen = inspection.reconstruct(7)
    np.testing.assert_allclose(seen.original, colours[7], rtol=1e-6)
    assert seen.output.shape == (8, 8, 3)
    assert seen.error.shape == (8, 8)
    assert np.asarray(inspection.filters().figure(spacing=(0, 0)).image).shape == (16, 24, 3)
    assert inspection.alone("W", 2).shape == (8, 8, 3)
    assert seen._repr_png_()


def test_a_saved_model_remembers_the_shape_of_its_images(colours, tmp_path):
    model = Autoencoder(0, n_visible=192, n_hidden=5)
    model.W.set_value(colours[:5].reshape(5, 192).T)
    model.image_shape = (8, 8, 3)
    folder = write_run(tmp_path / "r", model)
    assert Model.load(folder).image_shape == (8, 8, 3)
    about = asked(folder, "0/model/model")
    assert (about["shape"], about["shape_known"]) == ([3, 8, 8], True)
    assert asked(folder, "0/model/filters/W")["coloured"]
    pixels, _ = picture(asked(folder, "0/model/unit/W/1")["picture"])
    np.testing.assert_allclose(pixels, (colours[1] / colours[1].max() + 1) * 127.5, atol=1)


def test_where_no_shape_is_told_and_there_is_no_square_the_page_says_so(tmp_path):
    folder = write_run(tmp_path / "r", Autoencoder(0, n_visible=192, n_hidden=5))
    about = asked(folder, "0/model/model")
    assert (about["shape"], about["shape_known"]) == ([3, 8, 8], False)
    told = Answers([open_run(folder, layout=parsed_layout("--shape", "8x8x3"))])
    about = json.loads(told.get("0/model/model", {})[1])
    assert (about["shape"], about["shape_known"]) == ([3, 8, 8], True)
    json.loads(told.get("0/model/unit/W/1", {})[1])


def test_the_run_tells_the_shape_of_its_images(tmp_path):
    folder = write_run(tmp_path / "r", Autoencoder(0, n_visible=12, n_hidden=2))
    record = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps(record | {"image_shape": [2, 6]}))
    assert asked(folder, "0/model/model")["shape"] == [1, 2, 6]


@pytest.mark.parametrize(
    ("make", "first", "last"),
    [
        (lambda: ConvolutionalAutoencoder(0, maps=(6,), image_shape=(3, 8, 8)), ("conv1_W", (6, 3, 3, 3)), None),
        (lambda: ImageAutoencoder(0, maps=3, image_shape=(3, 8, 8)), ("W1", (3, 5, 5, 3)), ("V1", (3, 5, 5, 3))),
    ],
)
def test_filters_on_the_pixels_of_coloured_images_are_in_colours(make, first, last):
    inspection = symae.inspect(make())
    for name, shape in filter(None, (first, last)):
        assert inspection.filters(name).pictures.shape == shape
        weights = inspection.model.parameters()[name]
        np.testing.assert_array_equal(inspection.filters(name).pictures, np.float32(np.moveaxis(weights, 1, 3)))


@pytest.mark.parametrize("shape", [(8,), (0, 8), (8, 8, 3, 1), (8.0, 8), (1, 5000)])
def test_shapes_of_no_image_are_refused(shape):
    with pytest.raises(InputError, match=r"expected \(h, w\)"):
        layout_of("image_shape", shape)
    with pytest.raises(InputError, match="--shape"):
        parsed_layout("--shape", "8x")


def test_a_layout_takes_rows_to_pictures_and_grey_pictures_to_rows():
    for layout in (layout_of("s", (3, 2, 5)), layout_of("s", (2, 5, 3)), layout_of("s", (2, 5)), guessed_layout(9)):
        grey = np.random.RandomState(0).uniform(size=layout.shape[1:])
        (drawn,) = layout.pictures(layout.row(grey)[None])
        np.testing.assert_array_equal(drawn, np.repeat(grey[..., None], 3, axis=2) if layout.coloured else grey)


# half-open requests


def test_half_a_request_is_not_waited_for_and_a_whole_one_is_answered(run, monkeypatch):
    pytest.importorskip("uvicorn", reason="the extra inspect is not installed")
    from symae.inspector import protocol
    from symae.inspector.server import bound_socket, uvicorn_server

    monkeypatch.setattr(protocol, "REQUEST_SECONDS", 0.5)
    with bound_socket(None) as listening:
        address = listening.getsockname()
        server = uvicorn_server([open_run(run)], address[1])
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            head = f"POST /api/0/model/draw HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\nContent-Length: 9\r\n"
            halves = [b"", b"GET / HT", head.encode(), f"{head}\r\nabc".encode()]
            connections = [socket.create_connection(address, timeout=20) for _ in halves]
            for connection, half in zip(connections, halves, strict=True):
                connection.sendall(half)
            with socket.create_connection(address, timeout=20) as whole:
                whole.sendall(f"GET /api/runs HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\n\r\n".encode())
                assert whole.recv(15) == b"HTTP/1.1 200 OK"
            for connection in connections:
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(1000) == b""
                connection.close()
        finally:
            server.should_exit = True
            thread.join(20)
    assert not thread.is_alive()


def test_a_deleted_filters_folder_is_no_loss(run):
    shutil.rmtree(run / "filters")
    assert asked(run, "0/model/model")["epochs"] == []
