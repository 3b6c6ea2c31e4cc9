"""The page's server: what it answers, and what it refuses."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib

import numpy as np
import pytest
from inspector_runs import write_run
from PIL import Image

pytest.importorskip("starlette", reason="the extra inspect is not installed")

from symae import ImageAutoencoder
from symae.errors import InputError
from symae.images import principal_components
from symae.inspector.api.responses import worded
from symae.inspector.api.routes import OF_RUNS
from symae.inspector.assets import ASSETS
from symae.inspector.probe_images import read_examples
from symae.inspector.runs import open_run
from symae.inspector.security import LARGEST_BODY, LARGEST_FILE
from symae.inspector.server import application, bound_socket

PORT = 8123


class Client:
    """Asks the application as a server would, without a network."""

    def __init__(self, *runs):
        self.app = application([open_run(run) for run in runs], PORT)

    def __call__(self, path, method="GET", body=b"", query="", **headers):
        sent = {"host": f"127.0.0.1:{PORT}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        raw = [(name.encode(), value.encode()) for name, value in sent.items() if value is not None]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", PORT),
        }
        parts = [body[i : i + 9000] for i in range(0, len(body), 9000)] or [b""]
        messages = [{"type": "http.request", "body": p, "more_body": i + 1 < len(parts)} for i, p in enumerate(parts)]
        answers = []

        async def receive():
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message):
            answers.append(message)

        asyncio.run(self.app(scope, receive, send))
        content = b"".join(message.get("body", b"") for message in answers[1:])
        return answers[0]["status"], {k.decode().lower(): v.decode() for k, v in answers[0]["headers"]}, content

    def json(self, path, **keywords):
        status, _, content = self(path, **keywords)
        assert status == 200, content
        return json.loads(content)

    def draw(self, value, path="/api/0/model/draw"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self(path, "POST", body, content_type="application/json")


@pytest.fixture
def client(run):
    return Client(run)


def drawing(**more):
    pixels = base64.b64encode(bytes(range(256)) * 3 + bytes(16)).decode()
    return {"pixels": pixels, "level": 0.2, "kind": "zero", "seed": 1} | more


# what it answers


def test_the_page_and_its_files_are_there_with_headers_that_keep_it_to_itself(client):
    for name, kind in {"": "text/html", **{f"page/{name}": kind for name, kind in ASSETS.items()}}.items():
        status, headers, content = client(f"/{name}")
        assert (status, headers["content-type"].partition(";")[0]) == (200, kind)
        assert content
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_a_model_is_described_with_all_that_the_page_needs(client):
    about = client.json("/api/0/model/model")
    assert about["class"] == "Autoencoder"
    assert about["layers"] == [{"name": "W", "node": "hidden", "kind": "dense", "pixels": True, "units": 40, "weights": [784]}]
    assert about["examples"]["count"] == 1000
    assert about["epochs"] == [0, 1, 2]


def test_filters_come_as_numbers_and_a_sprite(client, trained):
    filters = client.json("/api/0/model/filters/W")
    np.testing.assert_allclose(filters["norms"], np.linalg.norm(trained.W.get_value(), axis=0), rtol=1e-4)
    _, headers, content = client("/api/0/model/sprite/W/0")
    assert headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(content)) as sprite:
        assert sprite.size == (32 * 28, 2 * 28)
    assert sorted(client.json("/api/0/model/order/W/similarity")) == list(range(40))
    assert client.json("/api/0/model/order/W/7")[0] == 7


def test_a_node_is_shown_with_its_least_and_its_largest_value(client, trained):
    hidden = next(node for node in client.json("/api/0/model/nodes/3") if node["name"] == "hidden")
    parameters = trained.parameters()
    values = 1 / (1 + np.exp(-(read_examples("digits").images[3] @ parameters["W"] + parameters["b"])))
    assert [hidden["low"], hidden["high"]] == pytest.approx([values.min(), values.max()], rel=1e-5)
    assert hidden["low"] > 0


def test_a_drawing_is_reconstructed_as_the_model_does_it(client, trained):
    status, _, content = client.draw(drawing(level=0))
    assert status == 200
    found = json.loads(content)
    pixels = np.frombuffer(base64.b64decode(drawing()["pixels"]), np.uint8) / 255.0
    expected = trained.reconstruct(pixels[None])[0]
    drawn = np.frombuffer(base64.b64decode(found["output"]["data"]), np.uint8) / 255.0
    np.testing.assert_allclose(drawn, expected, atol=0.003)
    assert found["code_shape"] == [40]


def picture(size=(40, 60), mode="RGB", kind="PNG", colour="white"):
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind)
    return file.getvalue()


def sent(client, content, query="", **headers):
    return client("/api/0/model/picture", "POST", content, query, content_type="application/octet-stream", **headers)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "PPM", "WEBP"])
def test_a_picture_is_brought_to_the_size_that_the_model_sees(client, kind):
    status, _, content = sent(client, picture(kind=kind))
    assert status == 200
    found = json.loads(content)["pixels"]
    assert (found["w"], found["h"], found["high"]) == (28, 28, 255)
    assert set(base64.b64decode(found["data"])) == {255}
    inverse = json.loads(sent(client, picture(kind=kind), "inverse=1")[2])["pixels"]
    assert set(base64.b64decode(inverse["data"])) == {0}


def test_a_picture_keeps_its_colours_for_a_model_of_colours(tmp_path):
    client = Client(write_run(tmp_path / "c", ImageAutoencoder(0, maps=3, image_shape=(3, 8, 8))))
    found = json.loads(sent(client, picture(colour="red"))[2])["pixels"]
    pixels = base64.b64decode(found["data"])
    assert (found["channels"], pixels[:6]) == (3, bytes([255, 0, 0, 255, 0, 0]))
    body = {"pixels": found["data"], "level": 0, "kind": "zero", "seed": 0}
    drawn = json.loads(client.draw(body)[2])
    assert base64.b64decode(drawn["original"]["data"]) == pixels


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no picture",
        picture()[:60],
        b"\xff\xd8\xff\xe0" + bytes(500),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS",
    ],
)
def test_what_is_no_picture_is_an_error_of_one_line(client, content):
    status, _, answer = sent(client, content)
    assert status == 400
    assert json.loads(answer)["error"].startswith("picture: found ")
    assert sent(client, picture())[0] == 200


def test_a_picture_of_more_pixels_than_memory_has_is_not_decoded(client):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    huge = chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(9999)))
    status, _, answer = sent(client, b"\x89PNG\r\n\x1a\n" + huge + chunk(b"IEND", b""))
    assert (status, "megapixels" in json.loads(answer)["error"]) == (400, True)


def test_pictures_may_be_larger_than_drawings_but_not_of_any_size(client):
    assert sent(client, picture((2000, 2000), kind="BMP"))[0] == 200
    assert sent(client, bytes(LARGEST_FILE + 1))[0] == 413
    assert client("/api/0/model/draw", "POST", bytes(100), content_type="application/octet-stream")[0] == 404
    assert sent(client, picture(), origin="http://evil.example")[0] == 403
    assert client("/api/0/model/picture", "POST", picture(), content_type="image/png")[0] == 415


def test_maps_neighbours_and_thumbnails_are_there_for_codes_of_any_size(client, trained):
    found = client.json("/api/0/model/map/hidden/pca")
    places = np.frombuffer(base64.b64decode(found["places"]), "<f4").reshape(-1, 2)
    codes = trained.transform(read_examples("digits").images)
    expected, _ = principal_components(codes)
    np.testing.assert_allclose(places, expected, atol=1e-4)
    near = client.json("/api/0/model/neighbours/hidden/5")
    away = np.linalg.norm(codes - codes[5], axis=1)
    assert near["images"] == np.argsort(away, kind="stable")[1:13].tolist()
    np.testing.assert_allclose(near["distances"], np.sort(away)[1:13], rtol=1e-3)
    thumbnails = client.json("/api/0/model/thumbnails/900")
    assert (thumbnails["count"], thumbnails["pictures"]["h"]) == (100, 2800)
    for path in ("map/none/pca", "map/hidden/none", "neighbours/hidden/1000", "thumbnails/1000"):
        assert client(f"/api/0/model/{path}")[0] == 400


def test_a_test_image_is_reconstructed_with_the_damage_asked_for(client):
    clean = client.json("/api/0/model/reconstruct/3")
    damaged = client.json("/api/0/model/reconstruct/3", query="kind=zero&level=0.5&seed=2")
    assert clean["corrupted"]["data"] == clean["original"]["data"] == damaged["original"]["data"]
    assert damaged["corrupted"]["data"] != damaged["original"]["data"]
    assert damaged["rmse"] > clean["rmse"]


def test_codes_are_drawn_as_numbers_and_as_a_file(strided, tmp_path):
    client = Client(write_run(tmp_path / "r", strided))
    space = client.json("/api/0/model/latent")
    assert len(space["codes"]) == 1000
    assert client.json("/api/0/model/drawn", query="code=0,1,-2")["w"] == 28
    _, headers, content = client("/api/0/model/drawn.png", query="code=0,1,-2&size=28")
    assert headers["content-type"] == "image/png"
    assert content.startswith(b"\x89PNG")
    for query in ("code=0,1", "code=a,b,c", "code=0,1,inf", "code=0,1,-2&size=99999", ""):
        assert client("/api/0/model/drawn", query=query)[0] == 400


def test_the_answers_to_all_that_the_page_asks_are_json(client):
    for path in ("runs", "training", "0/model/activity/W", "0/model/unit/W/3", "0/model/best/W/3", "0/model/images/0"):
        client.json(f"/api/{path}")
    for path in ("0/model/nodes/1", "0/model/epoch/2/W", "0/model/graph/training step/after"):
        client.json(f"/api/{path}")


# what it refuses


@pytest.mark.parametrize(
    "path",
    [
        "/page/../server.py",
        "/page/..%2fserver.py",
        "/page/%2e%2e/%2e%2e/cli.py",
        "/page//etc/passwd",
        "/../../../etc/passwd",
        "/api/0/../../etc/passwd",
        "/api/0/model/filters/../../../run.json",
        "/api/0/../run.json/model",
        "/run.json",
        "/page/export.py",
    ],
)
def test_no_file_is_served_that_is_not_the_pages(client, path):
    status, headers, content = client(path)
    assert status in (400, 404)
    assert headers["content-type"].startswith("application/json")
    assert json.loads(content)["error"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("api/1/model/model", "run: found '1', expected one of 0 (first)"),
        ("api/-1/model/model", "run: found '-1', expected one of 0 (first)"),
        ("api/x/model/model", "run: found 'x', expected one of 0 (first)"),
        ("api/0/none/model", "model: found 'none', expected one of model in first"),
        ("api/0/model/none", "/api/0/model/none: found no 'none', expected one of model, "),
        ("api/0/model/filters/none", "layer: found 'none', expected one of W"),
        ("api/0/model/filters", "end of the path: found '', expected LAYER"),
        ("api/0/model/unit/W", "end of the path: found 'W', expected LAYER/UNIT"),
        ("api/0/model/epoch/99/W", "epoch: found 99, expected one of "),
        ("api/0", "/api/0: found nothing there, expected runs, "),
        ("api/", "/api/: found nothing there, expected runs, "),
        ("api/0/model", "/api/0/model: found nothing there, expected runs, "),
        ("page/none.js", "/page/none.js: found no such file, expected one of app.js, "),
        ("none", "/none: found nothing there, expected /, /page/FILE or /api/PATH"),
    ],
)
def test_names_of_nothing_are_errors_that_say_what_there_is(client, path, error):
    status, _, content = client(f"/{path}")
    assert status in (400, 404)
    assert json.loads(content)["error"].startswith(error)


@pytest.mark.parametrize("path", ["unit/W/40", "unit/W/-1", "unit/W/1e3", "best/W/99999999999", "sprite/W/5", "images/1000"])
def test_numbers_out_of_range_are_refused(client, path):
    assert client(f"/api/0/model/{path}")[0] == 400


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:9", "127.0.0.1:8123.evil.example", None]
)
def test_a_foreign_host_is_refused(client, host):
    """DNS rebinding: the name of another page's host that points to 127.0.0.1."""
    status, headers, content = client("/api/runs", host=host)
    assert status == 403
    assert "expected 127.0.0.1:8123 or localhost:8123" in json.loads(content)["error"]
    assert "content-security-policy" in headers


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8123", "http://127.0.0.1:80"])
def test_a_foreign_origin_is_refused(client, origin):
    body = json.dumps(drawing()).encode()
    assert client("/api/0/model/draw", "POST", body, content_type="application/json", origin=origin)[0] == 403
    assert client("/api/runs", origin=origin)[0] == 403


def test_its_own_origins_are_served(client):
    body = json.dumps(drawing()).encode()
    for host in ("127.0.0.1", "localhost"):
        own = {"origin": f"http://{host}:{PORT}", "host": f"{host}:{PORT}", "sec_fetch_site": "same-origin"}
        assert client("/api/0/model/draw", "POST", body, content_type="application/json", **own)[0] == 200


def test_another_site_may_link_to_the_page_but_not_read_from_it(client):
    assert client("/", sec_fetch_site="cross-site")[0] == 200
    assert client("/api/runs", sec_fetch_site="cross-site")[0] == 403
    assert client("/page/app.js", sec_fetch_site="same-site")[0] == 403


def test_a_huge_drawing_is_refused_whether_it_tells_its_length_or_not(client):
    huge = b"x" * (LARGEST_BODY + 1)
    told = client("/api/0/model/draw", "POST", huge, content_type="application/json", content_length=str(len(huge)))
    untold = client.draw(huge)
    assert told[0] == untold[0] == 413
    assert str(LARGEST_BODY) in json.loads(untold[2])["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 30000,
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        json.dumps(drawing(pixels="####")).encode(),
        json.dumps(drawing(pixels="AAAA")).encode(),
        json.dumps(drawing(pixels=None)).encode(),
        json.dumps(drawing(level=2)).encode(),
        json.dumps(drawing(level="much")).encode(),
        json.dumps(drawing(level=None)).encode(),
        json.dumps(drawing(kind="none")).encode(),
        json.dumps(drawing(seed=-1)).encode(),
        json.dumps(drawing(seed=[1])).encode(),
        b'{"level": NaN, "pixels": ""}',
    ],
)
def test_a_malformed_drawing_is_an_error_and_the_next_one_is_drawn(client, body):
    status, _, content = client.draw(body)
    assert status == 400
    assert json.loads(content)["error"]
    assert client.draw(drawing())[0] == 200


def test_a_drawing_of_another_type_or_for_nobody_is_refused(client):
    body = json.dumps(drawing()).encode()
    assert client("/api/0/model/draw", "POST", body, content_type="text/plain")[0] == 415
    assert client.draw(drawing(), "/api/0/model/filters")[0] == 404
    assert client.draw(drawing(), "/api/7/model/draw")[0] == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(client, method):
    assert client("/api/runs", method)[0] == 405


def test_a_run_deleted_while_the_page_is_open_is_gone(client, run):
    client.json("/api/0/model/filters/W")
    shutil.rmtree(run)
    for path in ("/api/0/model/model", "/api/0/model/filters/W"):
        status, _, content = client(path)
        assert status == 410
        assert "no such folder any more" in json.loads(content)["error"]
    assert "no such folder any more" in client.json("/api/training")["problems"][0]
    assert "no such folder any more" in client.json("/api/runs")["runs"][0]["problem"]


def test_a_truncated_model_is_an_error_of_its_own(run):
    path = run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    client = Client(run)
    status, _, content = client("/api/0/model/model")
    assert status == 400
    assert "damaged file" in json.loads(content)["error"]
    assert client.json("/api/training")["curves"]


def test_a_defect_is_an_answer_and_no_crash(client, monkeypatch, caplog):
    monkeypatch.setitem(OF_RUNS, "training", lambda runs, live: 1 / 0)
    status, _, content = client("/api/training")
    assert status == 500
    assert "ZeroDivisionError" in json.loads(content)["error"]
    client.json("/api/runs")


def test_the_browser_is_opened_at_the_page(run, tmp_path):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{opened}"\n')
    browser.chmod(0o700)
    command = [sys.executable, "-m", "symae", "inspect", str(run)]
    with subprocess.Popen(command, env=os.environ | {"BROWSER": str(browser)}, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            end = time.monotonic() + 20
            while not (opened.exists() and opened.read_text()):
                assert time.monotonic() < end, "no browser was started"
                time.sleep(0.02)
            assert f" {opened.read_text()} " in line
            with urllib.request.urlopen(opened.read_text(), timeout=20) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == 0


def test_a_port_that_is_taken_is_named():
    with bound_socket(None) as taken:
        port = taken.getsockname()[1]
        assert taken.getsockname()[0] == "127.0.0.1"
        with pytest.raises(InputError, match=f"--port: found {port}, where something listens already"):
            bound_socket(port)
    with bound_socket(port) as again:
        assert isinstance(again, socket.socket)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("image_shape", [1, 28, 28], "1 × 28 × 28"),
        ("maps", [32, 64], "(32, 64)"),
        ("affine", False, "no"),
        ("n_hidden", 9, "9"),
    ],
)
def test_settings_are_put_in_words(name, value, words):
    assert worded(name, value) == words


def test_filters_of_several_maps_are_told_with_the_weights_that_they_have(strided, tmp_path):
    layers = Client(write_run(tmp_path / "strided", strided)).json("/api/0/model/model")["layers"]
    assert {layer["name"]: layer["weights"] for layer in layers} == {
        "conv1_W": [1, 5, 5],
        "conv2_W": [2, 5, 5],
        "conv3_W": [3, 3, 3],
        "code_W": [36],
        "dense_W": [3],
        "deconv1_W": [3, 3, 3],
        "deconv2_W": [2, 5, 5],
        "output_W": [1, 5, 5],
    }


def test_what_a_unit_draws_alone_has_its_contrast_stretched(client):
    alone = client.json("/api/0/model/unit/W/7")["alone"]
    data = base64.b64decode(alone["data"])
    assert (min(data), max(data)) == (0, 255)
    assert 0 < alone["low"] < alone["high"] < 1
