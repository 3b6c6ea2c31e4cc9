"""Some damaged files of each kind; `mutations.py` as a script makes as many as are wanted, of any seed."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("resource")

from mutations import READERS, acts, run, watching


@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_file_gives_right_data_or_one_clear_error(reader, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    wrong: list[str] = []
    outcomes = run(reader, 100, 0, wrong.append)
    assert not wrong
    assert outcomes["read"] + outcomes["refused"] == 100


def test_what_a_files_code_would_do_is_seen():
    with watching():
        os.system("true")
    assert acts == ["os.system (b'true',)"]
    os.system("true")
    assert len(acts) == 1
