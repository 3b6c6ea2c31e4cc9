"""Small files that would fill the memory are refused before they do."""

from __future__ import annotations

import gzip
import io
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from symae.datasets import read, read_idx, write_cntk_text
from symae.errors import InputError

BOMB = 64 << 20  # bytes; a gzip file of 64 kB
LITTLE = 40 << 20  # Python 3.12 and later read gzip files in larger pieces


def packed(begin: bytes = b"", fill: bytes = b"\0") -> bytes:
    return gzip.compress(begin + fill * BOMB, 1)


def idx_header(*shape: int) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()


def zipped(claimed: int) -> bytes:
    """Return an archive in which train_x has a header for so many bytes, and zeros for a bomb."""
    file, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (claimed,)})
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in ("train", "valid", "test"):
            for which in "xy":
                archive.writestr(f"{part}_{which}.npy", header.getvalue() + b"\0" * BOMB)
    return file.getvalue()


CLAIM = b"\x80\x03B" + (BOMB // 2).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("name", "pack", "message"),
    [
        ("train-images-idx3-ubyte.gz", packed, "found the first bytes"),
        (
            "labels.gz",
            lambda: packed(idx_header(10)),
            r"found more than \d+ bytes of values",
        ),
        ("labels.gz", lambda: packed(idx_header(BOMB)), "gzip data that unpacks to more than 200 times its length"),
        ("a.pkl.gz", packed, r"the byte '\\x00' at 0"),
        ("a.pkl.gz", lambda: packed(b"N."), r"more than \d+ bytes after the end of the pickle"),
        ("a.pkl.gz", lambda: packed(CLAIM), "gzip data that unpacks to more than 200 times its length"),
        ("a.pkl.gz", lambda: packed(b"S'", b"a"), "gzip data that unpacks to more than 200 times its length"),
        ("a.txt.gz", packed, "a line of more than 1048576 bytes"),
        ("a.txt.gz", lambda: packed(b"|labels 0", b" 0\n"), "line 1: found no .features"),
        ("a.npz", lambda: zipped(3), r"train_x: found 67108864 bytes of values, expected as many as uint8 in shape \(3,\)"),
        ("a.npz", lambda: zipped(BOMB), "train_x: found data that unpacks to more than 200 times its length"),
        (
            "a.npz.gz",
            lambda: gzip.compress(b"PK\3\4" + b"\0" * BOMB),
            "gzip data that unpacks to more than 200 times its length",
        ),
    ],
)
def test_a_file_that_unpacks_to_a_thousand_times_its_length_is_refused_at_once(tmp_path, monkeypatch, name, pack, message):
    for module in ("contents", "formats.npz"):
        monkeypatch.setattr(f"symae.datasets.{module}.UNSUSPICIOUS", 4 << 20)
    path, content = tmp_path / name, pack()
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message) as caught:
            (read_idx if "." not in name.removesuffix(".gz") else read)(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert peak < LITTLE + 2 * len(content)


def test_blank_images_are_no_bomb(tmp_path):
    x, y = np.zeros((1000, 784), np.uint8), np.arange(1000) % 10
    parts = tuple((x / np.float32(256), y) for _ in range(3))
    (tmp_path / "a.pkl.gz").write_bytes(gzip.compress(pickle.dumps(parts, 4)))
    np.savez_compressed(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    write_cntk_text(tmp_path / "a.txt.gz", x[:20], y[:20])
    counts = [len(read(tmp_path / name).train.x) for name in ("a.pkl.gz", "a.npz")]
    assert counts == [1000, 834]
    assert len(read(tmp_path / "a.txt.gz").test.x) == 2
