"""Threads are as many as have a core of their own beside the other programs of the machine."""

from __future__ import annotations

import pytest

from symae._runtime import free_cores
from symae._runtime.free_cores import FreeCores, running_threads


@pytest.fixture
def machine(monkeypatch):
    """Stand for a machine of four cores, whose threads that run and whose clock can be set."""
    state = {"running": 1, "seconds": 100.0}
    monkeypatch.setattr(free_cores.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(free_cores, "running_threads", lambda: state["running"])
    monkeypatch.setattr(free_cores.time, "monotonic", lambda: state["seconds"])
    return state


@pytest.mark.parametrize(("running", "threads", "limit"), [(1, 4, 4), (3, 4, 2), (9, 4, 1), (3, 2, 2), (9, 1, 1)])
def test_a_team_has_the_cores_that_others_leave(machine, running, threads, limit):
    machine["running"] = running
    assert FreeCores().limit(threads) == limit


def test_what_runs_for_a_moment_changes_nothing_and_what_stays_does(machine):
    cores = FreeCores()
    limits = []
    for running in (1, 2, 1, 1, 5, 5, 5, 5, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1):
        machine["running"] = running
        machine["seconds"] += 1
        limits.append(cores.limit(4))
    assert limits[:4] == [4, 4, 4, 4]
    assert limits[8] == 1
    assert limits[-1] == 4


def test_between_two_looks_nothing_is_read(machine):
    cores = FreeCores()
    assert cores.limit(4) == 4
    machine["running"] = 9
    assert cores.limit(4) == 4


def test_this_thread_is_among_those_that_run():
    assert running_threads() >= 1
