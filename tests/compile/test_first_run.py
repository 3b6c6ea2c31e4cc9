"""Whoever asks is told about how long a first run compiles; nobody else is."""

from __future__ import annotations

import gc
import io
import re
import threading
import weakref
from contextlib import contextmanager

import numba
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.graph.basic import Apply
from pytensor.graph.fg import FunctionGraph

from symae import function
from symae.compile import first_run


@pytest.fixture
def told():
    """Hear what is told inside a test: the seconds, and the end."""
    heard = []

    @contextmanager
    def tell(seconds):
        heard.append(seconds)
        yield
        heard.append("over")

    with first_run.telling(tell):
        yield heard


def compiled_in(seconds):
    """Compile something new, estimated at `seconds`."""
    f = numba.njit(lambda x: x + 1)
    with first_run.watched(lambda: seconds):
        f.compile((numba.int64,))
    return f


def test_what_is_compiled_is_told_once_and_what_is_there_is_not(told):
    f = compiled_in(5.0)
    assert told == [5.0, "over"]
    with first_run.watched(lambda: 7.0):
        f.compile((numba.int64,))
    assert told == [5.0, "over"]


def test_what_takes_no_time_is_not_told(told):
    compiled_in(first_run.LEAST - 0.1)
    assert told == []


def test_what_another_thread_compiles_is_not_told(told):
    with first_run.watched(lambda: 5.0):
        thread = threading.Thread(target=compiled_in, args=(5.0,))
        thread.start()
        thread.join()
    assert told == []


def test_a_library_is_silent(capfd):
    x = pt.dvector("x")
    function([x], pt.cumsum(x) * 3.5, backend="numba")
    assert capfd.readouterr() == ("", "")


def test_a_function_that_is_compiled_is_told(told, monkeypatch):
    monkeypatch.setattr(first_run, "_compiled", set())
    monkeypatch.setattr(first_run, "LEAST", 0.0)
    monkeypatch.setattr(first_run, "_slower", lambda: 1.0)
    x = pt.dvector("x")
    with pytensor.config.change_flags(numba__cache=False):
        function([x], pt.cumsum(x) * 3.25, backend="numba")
    assert len(told) == 2
    assert first_run._PROCESS + first_run._KIND <= told[0] < 10


def test_the_estimate_grows_with_the_kinds_of_nodes_and_less_for_what_was_compiled(monkeypatch):
    monkeypatch.setattr(first_run, "_compiled", set())
    monkeypatch.setattr(first_run, "_slower", lambda: 1.0)
    x = pt.dmatrix("x")
    one, many = pt.cumsum(x, axis=0), pt.exp(pt.cumsum(pt.tanh(pt.cumsum(x, axis=1)), axis=0).sum(axis=0))
    looped = pytensor.scan(lambda row: pt.exp(pt.cumsum(pt.sqrt(row))), sequences=[x], return_updates=False)
    few, more, again, inner = (
        first_run.seconds_to_compile(FunctionGraph([x], [y], clone=True)) for y in (one, many, many, looped)
    )
    assert again < few
    assert few < first_run._PROCESS + more
    assert again < more
    assert inner > more


class Op(pytensor.graph.op.Op):
    __props__ = ()

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        raise NotImplementedError


def test_what_was_compiled_is_not_kept():
    op, x = Op(), pt.dmatrix("x")
    kept = weakref.ref(op)
    first_run.seconds_to_compile(FunctionGraph([x], [op(x)], clone=True))
    del op
    gc.collect()
    assert kept() is None


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_has_a_bar_and_an_empty_line_afterwards(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with first_run.on_terminal(6.2):
        pass
    shown = terminal.getvalue()
    assert re.search(r"first run: compiling, \d+ of about 6 s: \|", shown)
    assert shown.rpartition("\r")[2] == ""
    assert shown.split("\r")[-2].strip() == ""
    assert "\n" not in shown


def test_a_pipe_gets_one_line_a_process(monkeypatch, capsys):
    monkeypatch.setattr(first_run, "_said", set())
    for seconds in (6.2, 3.0):
        with first_run.on_terminal(seconds):
            pass
    assert capsys.readouterr() == ("", "first run: compiling, about 6 s\n")
