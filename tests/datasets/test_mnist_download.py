"""Downloading, from a small server on this machine: verified, retried, and never half a file."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from pathlib import Path

import pytest

from symae.datasets import MIRRORS, download_mnist, read
from symae.datasets import download as module
from symae.errors import InputError, UnwritableError

CONTENTS = {f"{name}.gz": bytes([i]) * 300_000 for i, name in enumerate(("images", "labels", "more"))}


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENTS; `faults` says what goes wrong, by file name: a list of faults, one a request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = dict(CONTENTS)
        self.faults: dict[str, list[str]] = {}
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mnist/"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        self.server.requests.append(name)
        faults = self.server.faults.get(name, [])
        fault = faults.pop(0) if faults else ""
        if fault.isdigit():
            self.send_error(int(fault))
            return
        data = self.server.contents[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write({"cut": data[: len(data) // 2], "wrong": b"x" + data[1:]}.get(fault, data))

    def log_message(self, *_):
        pass


@pytest.fixture
def servers(monkeypatch):
    """Two servers, the mirrors."""
    monkeypatch.setattr(module, "SHA256", {name: hashlib.sha256(data).hexdigest() for name, data in CONTENTS.items()})
    monkeypatch.setattr(module, "PAUSE", 0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    pair = Server(), Server()
    threads = [threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}) for server in pair]
    for thread in threads:
        thread.start()
    yield pair
    for server, thread in zip(pair, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mirrors(servers):
    return [server.address for server in servers]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_arrive_from_the_first_mirror(tmp_path, servers, mirrors):
    folder = download_mnist(tmp_path / "new" / "folder", mirrors)
    assert folder == tmp_path / "new" / "folder"
    assert contents(folder) == CONTENTS
    assert servers[1].requests == []


def test_a_connection_that_is_cut_is_tried_again(tmp_path, servers, mirrors):
    servers[0].faults["labels.gz"] = ["cut", "cut"]
    assert contents(download_mnist(tmp_path, mirrors)) == CONTENTS
    assert servers[0].requests.count("labels.gz") == 3
    assert servers[1].requests == []


@pytest.mark.parametrize(
    ("fault", "requests", "why"),
    [
        ("wrong", 1, "SHA-256 .* instead of"),
        ("404", 1, "HTTP status 404"),
        ("503", 3, "HTTP status 503"),
        ("cut", 3, "connection"),
    ],
)
def test_a_mirror_that_fails_is_followed_by_the_next(tmp_path, servers, mirrors, caplog, fault, requests, why):
    caplog.set_level("INFO")
    servers[0].faults["labels.gz"] = [fault] * 9
    assert contents(download_mnist(tmp_path, mirrors)) == CONTENTS
    assert servers[0].requests.count("labels.gz") == requests
    assert servers[1].requests == ["labels.gz"]
    assert re.search(f"{mirrors[0]}labels.gz: .*{why}", caplog.text)


@pytest.mark.parametrize(("fault", "why"), [("wrong", "SHA-256"), ("404", "HTTP status 404"), ("cut", "connection")])
def test_when_every_mirror_fails_each_is_named_with_its_reason(tmp_path, servers, mirrors, fault, why):
    servers[0].faults["labels.gz"] = [fault] * 9
    servers[1].faults["labels.gz"] = ["404"]
    expected = f"labels.gz: found no mirror .*{mirrors[0]} .*{why}.*{mirrors[1]} .HTTP status 404"
    with pytest.raises(InputError, match=expected):
        download_mnist(tmp_path, mirrors)
    assert contents(tmp_path) == {"images.gz": CONTENTS["images.gz"]}


@pytest.mark.parametrize("mirror", ["http://127.0.0.1:9/", "no address", "ftp://127.0.0.1/", "http://[/"])
def test_a_mirror_that_cannot_be_reached_is_named(tmp_path, servers, mirror):
    with pytest.raises(InputError, match=r"images\.gz: found no mirror that serves it: "):
        download_mnist(tmp_path, [mirror])
    assert contents(tmp_path) == {}


def test_no_mirrors_at_all_are_refused(tmp_path, servers):
    with pytest.raises(InputError, match="none given"):
        download_mnist(tmp_path, [])


def test_files_that_are_there_and_correct_are_kept_without_the_network(tmp_path, servers):
    for name, data in CONTENTS.items():
        (tmp_path / name).write_bytes(data)
    download_mnist(tmp_path, [])
    assert contents(tmp_path) == CONTENTS


def test_only_what_is_missing_is_fetched(tmp_path, servers, mirrors):
    (tmp_path / "images.gz").write_bytes(CONTENTS["images.gz"])
    download_mnist(tmp_path, mirrors)
    assert servers[0].requests == ["labels.gz", "more.gz"]


def test_a_wrong_file_is_reported_and_replaced(tmp_path, mirrors, caplog):
    (tmp_path / "images.gz").write_bytes(b"half a download")
    download_mnist(tmp_path, mirrors)
    assert contents(tmp_path) == CONTENTS
    assert "images.gz: found SHA-256" in caplog.text


def test_a_wrong_file_stays_while_nothing_better_arrives(tmp_path, servers):
    (tmp_path / "images.gz").write_bytes(b"half a download")
    with pytest.raises(InputError):
        download_mnist(tmp_path, ["http://127.0.0.1:9/"])
    assert contents(tmp_path) == {"images.gz": b"half a download"}


def test_ctrl_c_leaves_nothing_half_written(tmp_path, servers, mirrors, monkeypatch):
    def interrupted(url, file, *_):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_transfer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download_mnist(tmp_path, mirrors)
    assert contents(tmp_path) == {}


def test_a_folder_that_is_a_file_is_refused(tmp_path, servers, mirrors):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableError, match="a file"):
        download_mnist(tmp_path / "file", mirrors)
    assert servers[0].requests == []


def test_a_folder_in_a_files_place_is_refused(tmp_path, servers, mirrors):
    (tmp_path / "images.gz").mkdir()
    with pytest.raises(UnwritableError, match="a folder"):
        download_mnist(tmp_path, mirrors)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, servers, mirrors, monkeypatch):
    (tmp_path / "images.gz").touch()

    def forbidden(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(InputError, match=r"images\.gz: found permission denied"):
        download_mnist(tmp_path, mirrors)


def test_nothing_is_drawn_where_stderr_is_not_a_terminal(tmp_path, mirrors, capfd):
    download_mnist(tmp_path, mirrors)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("progress", "drawn"), [(True, True), (False, False)])
def test_a_bar_is_drawn_on_a_terminal_unless_it_is_not_wanted(tmp_path, mirrors, capsys, monkeypatch, progress, drawn):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    download_mnist(tmp_path, mirrors, progress=progress)
    assert ("images.gz: 100%" in capsys.readouterr().err) == drawn


def test_the_data_folder_that_is_named_is_where_files_go(empty_data_folder, servers, mirrors):
    assert download_mnist(mirrors=mirrors) == empty_data_folder
    assert contents(empty_data_folder) == CONTENTS


def test_without_one_they_go_where_read_looks_first(tmp_path, servers, mirrors, monkeypatch):
    monkeypatch.delenv("SYMAE_DATA")
    monkeypatch.setattr("symae.datasets.folders._checkout", lambda: None)
    monkeypatch.setattr("symae.datasets.folders.cache_folder", lambda: tmp_path / "cache")
    assert download_mnist(mirrors=mirrors) == tmp_path / "cache"
    assert contents(tmp_path / "cache") == CONTENTS


def test_the_sums_are_those_of_four_gz_files_and_there_are_three_mirrors():
    assert len(module.SHA256) == 4
    assert all(name.endswith(".gz") and len(sum_) == 64 for name, sum_ in module.SHA256.items())
    assert len(MIRRORS) == 3


def test_real_mnist_passes_through_a_mirror_and_is_readable(tmp_path, real_mnist, servers, mirrors, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SYMAE_DATA", str(tmp_path))
    servers[0].contents = {name: (real_mnist / name).read_bytes() for name in module.SHA256}
    download_mnist(mirrors=mirrors)
    assert read("mnist").name == "MNIST, 50000/10000/10000 images"
