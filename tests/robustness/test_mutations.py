"""Some damaged files of each kind; `mutations.py` as a script makes as many as are wanted, of any seed."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("resource")

from mutations import READERS, run


@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_file_gives_right_data_or_one_clear_error(reader, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    wrong: list[str] = []
    outcomes = run(reader, 100, 0, wrong.append)
    assert not wrong
    assert outcomes["read"] + outcomes["refused"] == 100
