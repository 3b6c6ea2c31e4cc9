"""A result is written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from symae import UnwritableError
from symae._runtime.atomic_files import make_folder, replacing, write_text, write_together


def test_the_file_appears_with_all_its_bytes(tmp_path):
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_new_file_is_readable_as_the_umask_says_which_nobody_changes(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        monkeypatch.delattr(os, "umask")  # of the whole process: other threads' files would get it too
        write_text(tmp_path / "a", "new")
        monkeypatch.undo()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_an_error_in_between_keeps_the_old_file_and_leaves_no_other(tmp_path):
    write_text(tmp_path / "a", "good")
    with pytest.raises(TypeError), replacing(tmp_path / "a") as file:
        file.writelines([b"half of a n", None])
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "good"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_is_named(tmp_path, monkeypatch, call):
    write_text(tmp_path / "a", "good")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(UnwritableError, match=r"a: found No space left on device, expected a place that can be written"):
        write_text(tmp_path / "a", "new")
    monkeypatch.undo()
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "good"


def test_files_that_belong_together_are_all_new_or_all_old(tmp_path, monkeypatch):
    a, b = tmp_path / "a", tmp_path / "b"
    write_together({a: b"old a", b: b"old b"})
    calls = iter(range(10))

    def full_after_the_first(descriptor):
        if next(calls):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full_after_the_first)
    with pytest.raises(UnwritableError, match="b: found No space left on device"):
        write_together({a: b"new a", b: b"new b"})
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"old a", "b": b"old b"}


def test_a_folder_in_the_way_is_named(tmp_path):
    with pytest.raises(UnwritableError, match="found a folder, expected a file name"):
        write_text(tmp_path, "x")


def test_results_are_as_readable_as_other_files(tmp_path):
    write_text(tmp_path / "a", "x")
    (tmp_path / "b").write_text("")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_make_folder_makes_parents_and_takes_existing_ones(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("path", ["file", "file/below", "file/far/below"])
def test_a_file_in_the_way_of_a_folder_is_named(tmp_path, path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(UnwritableError, match=r"file: found a file, expected a folder"):
        make_folder(tmp_path / path)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_read_only_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(UnwritableError, match="found a read-only folder"):
        make_folder(tmp_path)
