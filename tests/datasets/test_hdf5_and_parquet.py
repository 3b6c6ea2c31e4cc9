"""HDF5 by h5py and Parquet by pyarrow, where these are installed."""

from __future__ import annotations

import io
import json
import sys
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from symae.datasets import read
from symae.errors import BackendError, InputError, MissingFileError

RNG = np.random.RandomState(0)
X = RNG.randint(0, 256, (12, 3, 5, 4)).astype(np.uint8)
Y = RNG.randint(0, 4, 12)


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


@pytest.fixture
def pyarrow():
    pytest.importorskip("pyarrow.parquet", exc_type=ImportError)
    return sys.modules["pyarrow"]


@pytest.mark.parametrize(
    "names",
    [
        ("train_x", "train_y", "test_x", "test_y"),
        ("train/data", "train/target", "test/data", "test/target"),
        ("X_train", "y_train", "X_test", "y_test"),
    ],
)
@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
def test_hdf5_has_the_names_of_other_arrays_in_groups_or_not(tmp_path, h5py, names, compression):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, array in zip(names, (X, Y, X[:2], Y[:2]), strict=True):
            file.create_dataset(name, data=array, compression=compression)
        file["readme"] = "words"
    dataset = read(tmp_path / "a.h5")
    assert (dataset.image_shape, [len(part.x) for part in dataset.parts]) == ((3, 5, 4), [10, 2, 2])
    np.testing.assert_array_equal(dataset.train.x, X[:10].reshape(10, -1))
    np.testing.assert_array_equal(dataset.test.y, Y[:2])


def test_hdf5_reads_nothing_outside_of_its_file(tmp_path, h5py):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = X
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["x"] = h5py.ExternalLink("other.h5", "x")
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout(X.shape, "u1")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", X.shape)
        file.create_virtual_dataset("x", layout)
    (tmp_path / "raw").write_bytes(X.tobytes())
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("x", X.shape, "u1", external=[(str(tmp_path / "raw"), 0, X.nbytes)])
    for name, message in (("link", "found arrays nothing"), ("virtual", "in other files"), ("external", "in other files")):
        with pytest.raises(InputError, match=message):
            read(tmp_path / f"{name}.h5")


def test_hdf5_that_claims_more_than_it_has_is_refused_before_memory_is_taken(tmp_path, h5py):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (1 << 20, 1 << 12), "u1", chunks=(1, 1 << 12))
    with pytest.raises(InputError, match=r"a\.h5, x: found 4096 MiB, expected at most 2048"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("x", (1 << 17, 1 << 12), "u1", chunks=(1, 1 << 12))
    with pytest.raises(InputError, match="unpacks to more than 200 times its length"):
        read(tmp_path / "b.h5")


def test_a_damaged_hdf5_file_is_refused(tmp_path, h5py):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = X
    data = (tmp_path / "a.h5").read_bytes()
    for damaged, message in (
        (data[:700], "broken HDF5 data"),
        (b"nothing" * 9, "the first bytes 'nothingn', expected an HDF5"),
    ):
        (tmp_path / "a.h5").write_bytes(damaged)
        with pytest.raises(InputError, match=message):
            read(tmp_path / "a.h5")


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def table(pyarrow, n: int = 12, **columns: object):
    pictures = [{"bytes": png(x.transpose(1, 2, 0)), "path": None} for x in X[:n]]
    return pyarrow.table({"image": pictures, "label": pyarrow.array(Y[:n]), **columns})


def test_parquet_of_hugging_faces_hub_is_read_with_its_class_names(tmp_path, pyarrow):
    features = {"info": {"features": {"label": {"names": ["cat", "dog", "eel", "fox"]}}}}
    found = table(pyarrow).replace_schema_metadata({"huggingface": json.dumps(features)})
    (tmp_path / "data").mkdir()
    pyarrow.parquet.write_table(found.slice(0, 7), tmp_path / "data/train-00000-of-00002.parquet")
    pyarrow.parquet.write_table(found.slice(7), tmp_path / "data/train-00001-of-00002.parquet")
    pyarrow.parquet.write_table(found.slice(0, 2), tmp_path / "data/test-00000-of-00001.parquet")
    dataset = read(tmp_path)
    assert (dataset.image_shape, dataset.class_names) == ((3, 5, 4), ("cat", "dog", "eel", "fox"))
    np.testing.assert_array_equal(dataset.training_images(), X.reshape(12, -1))
    np.testing.assert_array_equal(dataset.test.y, Y[:2])
    alone = read(tmp_path / "data/train-00000-of-00002.parquet", image_shape=(1, 4, 4))
    assert (alone.image_shape, len(alone.train.x)) == ((1, 4, 4), 5)


def test_parquet_that_has_no_pictures_or_lacks_labels_is_refused(tmp_path, pyarrow):
    write = pyarrow.parquet.write_table
    write(pyarrow.table({"a": [1, 2], "label": [0, 1]}), tmp_path / "numbers.parquet")
    write(pyarrow.table({"image": [png(X[0, 0])] * 3, "label": [0, None, 1]}), tmp_path / "null.parquet")
    write(table(pyarrow, other=[b"x"] * 12), tmp_path / "two.parquet")
    write(table(pyarrow), tmp_path / "cut.parquet")
    data = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[: len(data) // 2])
    (tmp_path / "no.parquet").write_bytes(b"no")
    for name, message in (
        ("numbers", "0 columns of pictures and 1 of labels among a, label, expected one of pictures"),
        ("null", "found no label in row 1"),
        ("two", "2 columns of pictures"),
        ("cut", "broken Parquet data"),
        ("no", "expected a Parquet file"),
    ):
        with pytest.raises(InputError, match=message):
            read(tmp_path / f"{name}.parquet")


def test_a_broken_picture_in_a_table_is_left_out(tmp_path, pyarrow):
    pictures = [png(X[i, 0]) for i in range(5)] + [b"broken"]
    pyarrow.parquet.write_table(pyarrow.table({"image": pictures, "label": [*range(6)]}), tmp_path / "a.parquet")
    dataset = read(tmp_path / "a.parquet")
    assert [label for part in dataset.parts for label in part.y] == [0, 1, 2, 3, 4]
    assert dataset.notes == ("1 of 6 pictures left out, because they cannot be decoded: a.parquet, row 5",)


@pytest.mark.parametrize(
    ("module", "name", "begin"), [("h5py", "a.h5", b"\x89HDF\r\n\x1a\n"), ("pyarrow.parquet", "a.parquet", b"PAR1")]
)
def test_without_the_package_the_way_to_install_it_is_named(tmp_path, monkeypatch, module, name, begin):
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(begin * 3)
    with pytest.raises(BackendError, match=r"which reads it, expected it installed: pip install \"symae\[data\]\""):
        read(tmp_path / name)


def test_hdf5_visits_a_group_once_and_counts_every_link(tmp_path, h5py):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = X
        file["again"] = file["/"]
        group = file.create_group("group")
        for i in range(200):
            group[f"link{i}"] = group
    np.testing.assert_array_equal(read(tmp_path / "a.h5").train.x, X[:10].reshape(10, -1))
    with h5py.File(tmp_path / "a.h5", "a") as file:
        for i in range(900):
            file["group"][f"more{i}"] = file["group"]
    with pytest.raises(InputError, match="more than 1000 objects"):
        read(tmp_path / "a.h5")


@pytest.mark.parametrize("kind", ["struct", "binary", "large_binary"])
def test_a_picture_that_a_thousand_rows_share_is_counted_in_each(tmp_path, monkeypatch, pyarrow, kind):
    monkeypatch.setattr("symae.datasets.formats.parquet.UNSUSPICIOUS", 4 << 20)
    picture = png(np.zeros((2, 2), np.uint8)) + bytes(300_000)
    pictures = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 1000, "i4"), [picture])
    if kind == "struct":
        pictures = pyarrow.StructArray.from_arrays([pictures], ["bytes"])
    elif kind == "large_binary":
        pictures = pyarrow.array([picture] * 1000, "large_binary")
    pyarrow.parquet.write_table(pyarrow.table({"image": pictures}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 40_000
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="pictures of more than 4 MiB"):
            read(tmp_path / "a.parquet")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_pages_that_unpack_to_much_are_refused_before_they_are_unpacked(tmp_path, monkeypatch, pyarrow):
    monkeypatch.setattr("symae.datasets.formats.parquet.UNSUSPICIOUS", 4 << 20)
    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "iter_batches", None)
    pictures = pyarrow.table({"image": pyarrow.array([bytes(100_000)] * 100)})
    pyarrow.parquet.write_table(pictures, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    with pytest.raises(InputError, match="pictures of more than 4 MiB"):
        read(tmp_path / "a.parquet")


def test_texts_as_labels_of_parquet_are_sorted_classes(tmp_path, pyarrow):
    names = [["fox", "cat", "eel", "dog"][i] for i in Y]
    found = table(pyarrow).drop(["label"]).append_column("label", pyarrow.array(names))
    pyarrow.parquet.write_table(found, tmp_path / "train-00000-of-00001.parquet")
    dataset = read(tmp_path)  # training images alone are one part
    assert [len(part.x) for part in dataset.parts] == [10, 1, 1]
    assert dataset.class_names == tuple(sorted(set(names)))
    assert [dataset.class_names[i] for part in dataset.parts for i in part.y] == names
    pyarrow.parquet.write_table(found, tmp_path / "valid.parquet")
    with pytest.raises(MissingFileError, match=r"no test\*\.parquet"):
        read(tmp_path)
    pyarrow.parquet.write_table(table(pyarrow), tmp_path / "test.parquet")
    with pytest.raises(InputError, match="some are texts and some are numbers"):
        read(tmp_path)
