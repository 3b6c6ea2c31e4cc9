"""A format of data sets is one file, which says what its files are called and reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from symae.datasets import formats, read
from symae.errors import MissingFileError


def test_each_file_of_the_folder_is_a_format_with_names_of_its_own():
    files = {file.stem for file in Path(formats.__file__).parent.glob("*.py")} - {"__init__", "base"}
    assert len(formats.FORMATS) == len(files)
    for what in ("endings", "names"):
        found = [name for known in formats.FORMATS for name in getattr(known, what)]
        assert sorted(found) == sorted(set(found))


def test_an_error_lists_what_could_have_been_there(tmp_path):
    with pytest.raises(MissingFileError, match="none of the files that symae reads") as raised:
        read(tmp_path)
    assert str(raised.value).endswith(f", expected {formats.WORDS}")
    assert formats.WORDS.startswith("a folder with MNIST's four IDX files or CIFAR's batches or ")
    assert len(formats.WORDS) < 600  # more would be cut out of the middle of an error


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], "nothing in it, none of the files that symae reads"),
        (["a.heic"], "'a.heic', none of the files"),
        ([f"{k}.heic" for k in range(9)], "'0.heic', '1.heic' and 7 more, none of the files"),
    ],
)
def test_an_error_says_what_is_in_a_folder_without_data(names, found, tmp_path):
    for name in names:
        (tmp_path / name).write_bytes(b"?")
    with pytest.raises(MissingFileError, match=f": found {found}"):
        read(tmp_path)
