"""CSV and .amat: tables of pixels, an image a line."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc

import numpy as np
import pytest

from symae.datasets import read
from symae.errors import InputError

X = np.random.RandomState(0).randint(0, 256, (9, 16))
Y = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5])
HEADER = "label," + ",".join(f"pixel{i}" for i in range(16))


def lines(x: np.ndarray, y: np.ndarray | None = Y, header: str = "", between: str = ",") -> str:
    table = x if y is None else np.column_stack([y, x])
    return (header + "\n" if header else "") + "".join(between.join(map(str, row)) + "\n" for row in table.tolist())


@pytest.mark.parametrize(
    ("text", "labelled"),
    [
        (lines(X), True),
        (lines(X, header=HEADER), True),
        (lines(X, None, HEADER.removeprefix("label,")), False),
        (lines(X, None), False),
        (lines(X, between="\t"), True),
        (lines(X, between=";"), True),
        ("\ufeff" + lines(X, header=HEADER).replace("label", '"Label"').replace("\n", "\r\n"), True),
    ],
)
def test_csv_has_its_labels_by_a_header_or_in_the_first_column(tmp_path, text, labelled):
    (tmp_path / "a.csv").write_bytes(text.encode())
    dataset = read(tmp_path / "a.csv")
    assert dataset.image_shape == (1, 4, 4)
    np.testing.assert_array_equal(dataset.train.x, X[:7])
    assert dataset.train.x.dtype == np.uint8
    assert (dataset.train.y is not None) == labelled
    assert not labelled or dataset.train.y.tolist() == Y[:7].tolist()


def test_a_label_may_stand_in_any_named_column(tmp_path):
    text = lines(np.column_stack([X[:, :5], Y, X[:, 5:]]), None, ",".join([*"abcde", "class", *"fghijklmnop"]))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    dataset = read(tmp_path / "a.csv.gz")
    np.testing.assert_array_equal(dataset.train.x, X[:7])
    assert dataset.train.y.tolist() == Y[:7].tolist()


def test_kaggles_folder_has_a_test_file_without_labels(tmp_path):
    (tmp_path / "train.csv.bz2").write_bytes(bz2.compress(lines(X, header=HEADER).encode()))
    (tmp_path / "test.csv").write_text(lines(X[:2], None, HEADER.removeprefix("label,")))
    dataset = read(tmp_path)
    assert [len(part.x) for part in dataset.parts] == [8, 1, 2]
    assert (dataset.valid.y.tolist(), dataset.test.y) == ([5], None)


def test_floats_of_a_table_are_floats(tmp_path):
    (tmp_path / "a.csv").write_text(lines(X / 256, header=HEADER))
    np.testing.assert_array_equal(read(tmp_path / "a.csv").train.x, (X[:7] / 256).astype(np.float32))


def test_amat_has_its_label_at_the_end_of_a_line(tmp_path):
    text = "".join("   ".join([*(f"{v / 256:.7e}" for v in row), f"{y}.0000"]) + "\n" for row, y in zip(X, Y, strict=True))
    (tmp_path / "mnist_train.amat").write_text(text)
    (tmp_path / "mnist_test.amat").write_text(text)
    dataset = read(tmp_path)
    np.testing.assert_allclose(dataset.test.x, X / 256, rtol=1e-6)
    assert dataset.test.y.tolist() == Y.tolist()
    assert len(dataset.train.x) == 8


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", lines(X[:3], Y[:3]) + "1,2\n", "a.csv, line 4: found 2 cells, expected 17, as in the first line"),
        (
            "a.csv",
            lines(X, header=HEADER) + "1," + ",".join(["0"] * 8) + "," + ",0" * 7 + "\n",
            "line 11: found an empty cell in column 10",
        ),
        ("a.csv", lines(X).replace(",", ",x", 1), "line 1: found the cell 'x"),
        (
            "a.csv",
            lines(X) + "1," + ",".join(["256"] * 16) + "\n",
            "line 10: found the cell '256', expected whole numbers 0 to 255",
        ),
        ("a.csv", lines(X) + "1.5," + ",".join(["0"] * 16) + "\n", "line 10: found the label '1.5', expected a whole number"),
        ("a.csv", lines(X) + "-1," + ",".join(["0"] * 16) + "\n", "label -1"),
        ("a.csv", lines(X) + "nan," + ",".join(["0"] * 16) + "\n", "the label 'nan'"),
        ("a.csv", "label,class,a\n1,2,3\n", "2 columns of labels"),
        ("a.csv", HEADER + "\n", "a header and no lines"),
        ("a.csv", "\n\n", "no lines"),
        ("a.csv", "label\n1\n", "the columns 'label', expected pixels"),
        ("a.amat", "0.5 0.5 0.5 0.5 1\n0.5 1\n", "a.amat, line 2: found 1 numbers and a label, expected 4"),
        ("a.amat", "0.5 0.5 x 0.5 1\n", "line 1: found the number 'x'"),
        ("a.amat", "0.5 0.5 \u00e4 0.5 1\n", "line 1: found the number '\u00e4'"),
        ("a.amat", "5\n", "line 1: found 0 numbers and a label"),
        ("a.amat", "\n", "no lines"),
    ],
)
def test_a_damaged_table_is_refused_with_the_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name)


def test_two_training_files_are_refused(tmp_path):
    for name in ("train_a.csv", "train_b.csv"):
        (tmp_path / name).write_text(lines(X))
    with pytest.raises(InputError, match=r"found 2 files \*train\*.csv, expected one"):
        read(tmp_path)


def test_a_label_and_an_index_are_no_pixels_of_images_that_are_no_square(tmp_path):
    x, y = np.random.RandomState(0).randint(0, 256, (7, 560)), np.arange(7)
    (tmp_path / "a.csv").write_text(lines(x, y))
    dataset = read(tmp_path / "a.csv", image_shape=(28, 20))
    assert (dataset.image_shape, [part.y.tolist() for part in dataset.parts]) == ((1, 28, 20), [[0, 1, 2, 3, 4], [5], [6]])
    np.testing.assert_array_equal(dataset.train.x, x[:5])
    (tmp_path / "b.csv").write_text("Id,p0,p1,label,p2,p3\n" + "".join(f"row{i},1,2,{i},3,4\n" for i in range(3)))
    dataset = read(tmp_path / "b.csv")
    assert (dataset.train.x.tolist(), dataset.test.y.tolist()) == ([[1, 2, 3, 4]], [2])


@pytest.mark.parametrize(
    ("text", "pixels"), [("255.0,0.0,1.0,7\n", [255, 0, 1, 7]), ("1,0,1,0\n", [1, 0, 1, 0]), ("1.0,0.5,0,0\n", [1, 0.5, 0, 0])]
)
def test_whole_numbers_with_a_point_are_bytes(tmp_path, text, pixels):
    (tmp_path / "a.csv").write_text(text * 2 + text.replace(".0", ""))
    x = read(tmp_path / "a.csv").train.x
    assert (x.tolist(), x.dtype) == ([pixels], np.float32 if 0.5 in pixels else np.uint8)
    (tmp_path / "b.csv").write_text(text * 3 + "0.25,0,0,0\n255,1,1,1\n")
    with pytest.raises(InputError, match=r"line [15]: found the cell 255 among floats"):
        read(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("name", "line"),
    [("a.csv", "1,2,3\n"), ("a.amat", "1 2 3\n"), ("a.libsvm", "1 1:1\n"), ("a.txt", "|labels 0 1 |features 1\n")],
)
def test_short_lines_take_a_few_times_their_length(tmp_path, name, line):
    (tmp_path / name).write_text(line * 6000)
    tracemalloc.start()
    try:
        assert len(read(tmp_path / name).test.x) == 6000 // 7
        assert tracemalloc.get_traced_memory()[1] < 5 << 19
    finally:
        tracemalloc.stop()


def test_numbers_of_a_text_are_bounded_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("symae.datasets.text_numbers.LARGEST", 99)
    monkeypatch.setattr("symae.datasets.formats.libsvm.LARGEST", 99)
    (tmp_path / "a.csv").write_text("1,2,3,4\n" * 25 + "x\n")
    with pytest.raises(InputError, match="MiB of numbers"):
        read(tmp_path / "a.csv")
    (tmp_path / "a.libsvm").write_text("1 4:1\n" * 25 + "x\n")
    with pytest.raises(InputError, match="line 25: found 25 images of 4 pixels"):
        read(tmp_path / "a.libsvm")
