"""The next examples of an epoch are read by a thread while the present ones are computed with, and none of another epoch."""

from __future__ import annotations

import threading
from itertools import chain

import numpy as np
import pytest
from pytensor import shared

from symae.training.read_ahead import ReadAhead

LENGTHS = [2, 2, 2, 2, 2, 1]


class Read:
    """Read places: it gives them, and waits for `goes` before it has those from `slow` on."""

    def __init__(self):
        self.places, self.threads, self.slow = [], set(), None
        self.begun, self.goes = threading.Event(), threading.Event()

    def __call__(self, places):
        if places[0] == self.slow:
            self.begun.set()
            assert self.goes.wait(60)
        self.threads.add(threading.current_thread())
        self.places.append(places.tolist())
        return places


@pytest.fixture
def read():
    return Read()


@pytest.fixture
def ahead(read):
    made = ReadAhead(read, LENGTHS, 2, shared(np.arange(11)))
    yield made
    read.goes.set()
    made.close()


def go_over(ahead, *numbers):
    for number in numbers:
        window, rows = ahead.take(number)
        begin = (number - window.start) * 2
        yield rows[begin : begin + LENGTHS[number]].tolist()
        ahead.next = number + 1


def test_an_epoch_is_read_in_windows_of_one_length_by_one_thread(ahead, read):
    for _ in range(2):
        assert [*chain(*go_over(ahead, *range(6)))] == [*range(11)]
    assert read.places == 2 * [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [10]]
    assert len(read.threads) == 1
    assert threading.current_thread() not in read.threads


def test_the_next_window_is_read_while_this_one_is_gone_over(ahead, read):
    read.slow = 8
    assert [*go_over(ahead, 0, 1, 2)] == [[0, 1], [2, 3], [4, 5]]
    assert read.begun.wait(60)
    assert read.places == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_an_epoch_that_was_stopped_in_its_middle_is_read_anew(ahead):
    assert [*go_over(ahead, 0, 1, 2)] == [[0, 1], [2, 3], [4, 5]]
    ahead._order.set_value(np.arange(11)[::-1].copy())
    assert [*chain(*go_over(ahead, *range(6)))] == [*range(10, -1, -1)]
    ahead.take(0)  # the step failed
    ahead._order.set_value(np.arange(11))
    assert [*chain(*go_over(ahead, *range(6)))] == [*range(11)]


def test_an_error_is_raised_where_the_window_is_asked_for(ahead, monkeypatch):
    def fails(places):
        if places[0] == 4:
            raise OSError("the file is gone")
        return places

    monkeypatch.setattr(ahead, "_read", fails)
    assert [*go_over(ahead, 0, 1)] == [[0, 1], [2, 3]]
    with pytest.raises(OSError, match="the file is gone"):
        ahead.take(2)


def test_closing_waits_for_what_is_being_read_and_reads_no_more(ahead, read):
    read.slow = 8
    assert [*go_over(ahead, 0, 1, 2)] == [[0, 1], [2, 3], [4, 5]]
    assert read.begun.wait(60)
    threading.Timer(0.05, read.goes.set).start()
    ahead.close()
    assert read.places == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert not any(thread.is_alive() for thread in read.threads)
    ahead.close()
    assert [*chain(*go_over(ahead, *range(6)))] == [*range(11)]
