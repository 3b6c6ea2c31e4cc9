"""CNTK's text format: as its installer writes it, and errors that name the line."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from symae.datasets import read, read_cntk_text, write_cntk_text
from symae.errors import InputError, MissingFileError, UnwritableError

ONE_HOT = "0 0 0 1 0 0 0 0 0 0"
PIXELS = " ".join(["0"] * 783)
LINE = f"|labels {ONE_HOT} |features 255 {PIXELS}\n"


@pytest.fixture
def text(tmp_path):
    """Return a function that stores text and returns the path."""

    def store(content: str):
        (tmp_path / "Train.txt").write_text(content, encoding="latin1")
        return tmp_path / "Train.txt"

    return store


def test_bytes_come_back_as_bytes(tmp_path, images):
    x, y = images(5)
    write_cntk_text(tmp_path / "a.txt", x, y)
    back = read_cntk_text(tmp_path / "a.txt")
    np.testing.assert_array_equal(back.x, x)
    np.testing.assert_array_equal(back.y, y)
    assert back.x.dtype == np.uint8


def test_images_of_only_0_and_1_stay_bytes_when_they_were(tmp_path):
    write_cntk_text(tmp_path / "a.txt", np.eye(3, 784, dtype=np.uint8), np.arange(3))
    assert read_cntk_text(tmp_path / "a.txt").x.dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_come_back_as_float32(tmp_path, dtype):
    x = np.random.RandomState(3).uniform(0, 1, (4, 784)).astype(dtype)
    x[0] = 0
    write_cntk_text(tmp_path / "a.txt", x.reshape(4, 28, 28), np.arange(4))
    back = read_cntk_text(tmp_path / "a.txt")
    np.testing.assert_array_equal(back.x, x.astype(np.float32))
    assert back.x.dtype == np.float32


def test_a_line_is_written_as_cntks_installer_writes_it(tmp_path):
    x = np.zeros((1, 784), np.uint8)
    x[0, 0] = 255
    write_cntk_text(tmp_path / "a.txt", x, np.array([3]))
    assert (tmp_path / "a.txt").read_text() == LINE


@pytest.mark.parametrize(
    "line",
    [
        f"0 |labels {ONE_HOT} |features 255 {PIXELS}",
        f"|features 255 {PIXELS} |labels {ONE_HOT}",
        f"|labels {ONE_HOT}\t|features  255 {PIXELS} |# a comment |weight 3\r",
        f"\n|labels {ONE_HOT.replace('1', '1.0')} |features 255 {PIXELS}\n\n",
    ],
)
def test_what_cntk_allows_beside_is_read_over(text, line):
    split = read_cntk_text(text(line))
    assert split.y.tolist() == [3]
    assert split.x[0, :2].tolist() == [255, 0]


def test_a_packed_file_is_read(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(LINE.encode() * 7))
    assert len(read(tmp_path / "a.txt.gz").train.x) == 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"|features 255 {PIXELS}", r"no \|labels"),
        (f"|labels {ONE_HOT}", r"no \|features"),
        ("nothing", "'nothing' at the beginning"),
        (f"x |labels {ONE_HOT} |features 255 {PIXELS}", "'x' at the beginning"),
        (f"|labels {ONE_HOT} |labels {ONE_HOT} |features 255 {PIXELS}", r"\|labels twice"),
        (f"|labels {ONE_HOT} |features {PIXELS}", r"783 numbers after \|features, expected 784"),
        (f"|labels {ONE_HOT} 0 |features 255 {PIXELS}", r"11 numbers after \|labels, expected 10"),
        (f"|labels |features 255 {PIXELS}", r"0 numbers after \|labels"),
        (f"|labels {ONE_HOT.replace('1', '2')} |features 255 {PIXELS}", "the labels .*, expected one 1 and 0 elsewhere"),
        (f"|labels {ONE_HOT.replace('1', '0')} |features 255 {PIXELS}", "expected one 1 and 0 elsewhere"),
        (f"|labels {ONE_HOT.replace('1', 'x')} |features 255 {PIXELS}", "the label 'x', expected a number"),
        (f"|labels {ONE_HOT.replace('1', 'nan')} |features 255 {PIXELS}", "expected one 1 and 0 elsewhere"),
        (f"|labels {ONE_HOT} |features 256 {PIXELS}", "the feature '256'"),
        (f"|labels {ONE_HOT} |features -1 {PIXELS}", "the feature '-1'"),
        (f"|labels {ONE_HOT} |features 1.5 {PIXELS}", "the feature '1.5'"),
        (f"|labels {ONE_HOT} |features nan {PIXELS}", "the feature 'nan'"),
        (f"|labels {ONE_HOT} |features inf {PIXELS}", "the feature 'inf'"),
        (f"|labels {ONE_HOT} |features 1e999 {PIXELS}", "the feature '1e999'"),
        (f"|labels {ONE_HOT} |features 1e39 {PIXELS}", r"the feature '1e\+?39'"),
        (f"|labels {ONE_HOT} |features 1_0 {PIXELS}", "the feature '1_0', expected a number"),
        (f"|labels {ONE_HOT} |features 3:1 {PIXELS}", r"found '0' after \|features, expected index:value"),
        (f"|labels {ONE_HOT} |features \xff {PIXELS}", "expected a number"),
        (f"|labels {ONE_HOT} |features {'9' * 100} {PIXELS}", r"the feature '9+\.\.\.,"),
        (f"|labels {ONE_HOT} |features 0.5 {PIXELS}", "line 1: found the feature 255 among floats"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(text, line, message):
    path = text(LINE + line + "\n")
    with pytest.raises(InputError, match=message) as caught:
        read_cntk_text(path)
    assert caught.value.where.startswith(f"{path}, line ")
    assert caught.value.where.endswith("line 1" if "among floats" in message else "line 2")


@pytest.mark.parametrize(("content", "found"), [("", "an empty file"), ("\n \n", "no lines")])
def test_a_text_without_lines_is_refused(text, content, found):
    with pytest.raises(InputError, match=found):
        read_cntk_text(text(content))


def test_one_file_is_cut_5_to_1_to_1_in_its_order(tmp_path, images):
    x, y = images(14)
    write_cntk_text(tmp_path / "all.txt", x, y)
    dataset = read(tmp_path / "all.txt")
    assert dataset.name == "all.txt, 10/2/2 images"
    np.testing.assert_array_equal(dataset.valid.x, x[10:12])
    np.testing.assert_array_equal(dataset.test.y, y[12:])


@pytest.mark.parametrize("n", [1, 2])
def test_one_file_of_fewer_than_three_images_is_refused(text, n):
    with pytest.raises(InputError, match=f"found {n} images, expected at least three"):
        read(text(LINE * n))


def test_a_folder_of_cntk_files_becomes_a_dataset(cntk_folder, splits):
    dataset = read(cntk_folder)
    np.testing.assert_array_equal(dataset.train.x, splits[0][0])
    np.testing.assert_array_equal(dataset.valid.y, splits[1][1])
    np.testing.assert_array_equal(dataset.test.x, splits[2][0])


def test_files_of_other_names_are_found_when_there_is_one_of_each(cntk_folder):
    (cntk_folder / "Train-28x28_cntk_text.txt").rename(cntk_folder / "Train_mine.txt")
    assert len(read(cntk_folder).train.x) == 10


def test_the_installers_name_wins_over_others(cntk_folder):
    (cntk_folder / "Train_other.txt").write_text("nothing")
    assert len(read(cntk_folder).train.x) == 10


def test_several_training_files_are_refused(cntk_folder):
    (cntk_folder / "Train-28x28_cntk_text.txt").rename(cntk_folder / "Train_a.txt")
    (cntk_folder / "Train_b.txt").write_text("nothing")
    with pytest.raises(InputError, match=r"2 files Train\*\.txt, expected one"):
        read(cntk_folder)


def test_a_folder_without_the_test_file_says_so(cntk_folder):
    (cntk_folder / "Test-28x28_cntk_text.txt").unlink()
    with pytest.raises(MissingFileError, match=r"no Test\*\.txt"):
        read(cntk_folder)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((2, 784)), np.array([1]), "2 images and 1 labels"),
        (np.zeros((1, 784)), np.array([-1]), "label -1"),
        (np.full((1, 784), 2.0), np.array([1]), r"expected values in \[0, 1\]"),
        (np.zeros(10), np.array([1]), "images of shape"),
    ],
)
def test_images_that_are_not_valid_are_not_written(tmp_path, x, y, message):
    with pytest.raises(InputError, match=message):
        write_cntk_text(tmp_path / "a.txt", x, y)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UnwritableError, match="missing"):
        write_cntk_text(tmp_path / "missing" / "a.txt", np.zeros((1, 784), np.uint8), np.array([1]))


def test_the_sparse_form_is_read(tmp_path):
    file = tmp_path / "sparse.txt"
    dense = " ".join("255" if k == 5 else "7" if k == 783 else "0" for k in range(784))
    lines = ["|labels 3:1 |features 5:255 783:7", f"|labels 0 0 0 1 0 0 0 0 0 0 |features {dense}", "|labels 9:1 |features 0:1"]
    file.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    split = read_cntk_text(file)
    assert (split.y.tolist(), split.x.dtype, split.x.sum(axis=1).tolist()) == ([3, 3, 9], np.uint8, [262, 262, 1])
    np.testing.assert_array_equal(split.x[0], split.x[1])
    file.write_text("|labels 3:1 |features 5:0.5 7:1e-1\n")
    assert read_cntk_text(file).x[0, [5, 7]].tolist() == pytest.approx([0.5, 0.1])


@pytest.mark.parametrize(
    ("labels", "found"), [("10:1", "10:1"), ("3:1 3:1", "3:1"), ("x:1", "x:1"), ("3:1 4", "4"), ("3:", "3:")]
)
def test_a_wrong_number_in_the_sparse_form_is_named(tmp_path, labels, found):
    (tmp_path / "sparse.txt").write_text(f"|labels {labels} |features 5:255\n")
    with pytest.raises(
        InputError, match=rf"line 1: found .*{found}.* after \|labels, expected index:value, each index from 0 to 9"
    ):
        read_cntk_text(tmp_path / "sparse.txt")
