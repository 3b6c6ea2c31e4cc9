"""Processes whose CPU time is compared are bound to cores, unless somebody wants them to be free."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes cannot be bound to cores here")
@pytest.mark.parametrize(("options", "expected"), [([], [3, 5]), (["--unbound"], [])])
def test_processes_are_bound_to_cores_in_turn_unless_they_are_unbound(monkeypatch, options, expected):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import scaling

    bound = []
    answer = {"cpu": 1.0, "cost": 2.0, "seconds": 3.0}
    monkeypatch.setattr(scaling.subprocess, "Popen", lambda *command, **pipes: SimpleNamespace(pid=1))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5})
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: bound.extend(cores))
    monkeypatch.setattr(scaling.Group, "_answers", lambda group: [])
    monkeypatch.setattr(scaling.Group, "epoch", lambda group: answer)
    monkeypatch.setattr(scaling.Group, "close", lambda group: group.errors.close())
    command = ["scaling.py", "--models", "06", "--counts", "1", "2", "--only", "work", *options]
    monkeypatch.setattr(sys, "argv", command)
    scaling.main()
    assert bound == expected
    for name in ("scaling", "race"):
        sys.modules.pop(name, None)
