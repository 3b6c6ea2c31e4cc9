"""Examples are read some megabytes at a time by a thread, the next ones while the present ones are computed with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable

from symae.training.data import places_in_order


class ReadAhead:
    """Read minibatches in windows: so many of one length that follow one another as `span` says.

    ``read(places)`` is called by a thread of its own, one call at a time. While a window is gone over, the next one of the
    epoch is read; none of the next epoch, whose order is not known yet. `lengths` are those of an epoch's minibatches, all but
    the last of which are of one length, and `order` is that of the examples, as `symae.training.data.Pass` has them.

    Whoever has computed with a minibatch says with which number it goes on, in `next`. Any other number, and the first one, is
    of another epoch: all is read anew, and what was read ahead is thrown away. So a training has nothing to remember of it.

    ``rows(length)`` says which rows of each minibatch are read, all of them by default: (first, end).
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], Any],
        lengths: Sequence[int],
        span: int,
        order: SharedVariable | None = None,
        rows: Callable[[int], tuple[int, int]] | None = None,
    ):
        self._read, self._lengths, self._order = read, lengths, order
        self._part = rows or (lambda length: (0, length))
        self._full = sum(length == lengths[0] for length in lengths)
        self.span, self.next = max(1, min(span, self._full)), 0
        self._window: range = range(0)
        self._rows: Any = None
        self._thread: ThreadPoolExecutor | None = None
        self._ahead: tuple[range, Future[Any]] | None = None

    def take(self, index: int) -> tuple[range, Any]:
        """Return the window in which minibatch number `index` is and its examples, or raise the error of reading them.

        The examples are the same object as long as the window is.
        """
        goes_on = 0 < index == self.next
        if goes_on and index in self._window:
            return self._window, self._rows
        self._window, self._rows = range(0), None
        wanted = self._from(index)
        ahead, self._ahead = self._ahead, None
        if ahead is None or ahead[0] != wanted or not goes_on:
            if ahead is not None:
                ahead[1].cancel()
            ahead = wanted, self._begun(wanted)
        self._rows = ahead[1].result()
        self._window = wanted
        if wanted.stop < len(self._lengths):
            following = self._from(wanted.stop)
            self._ahead = following, self._begun(following)
        return self._window, self._rows

    def close(self) -> None:
        """Return when nothing is read any more. What is asked for after that is read anew."""
        self._window, self._rows, self._ahead = range(0), None, None
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)
            self._thread = None

    def _from(self, index: int) -> range:
        """Return which minibatches are read together from number `index` on: those of one length."""
        last = self._full if index < self._full else len(self._lengths)
        return range(index, min(index + self.span, last))

    def _begun(self, window: range) -> Future[Any]:
        first, end = self._part(self._lengths[window.start])
        starts = [i * self._lengths[0] for i in window]
        places = np.concatenate([places_in_order(self._order, start + first, start + end) for start in starts])
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "symae-reads-ahead")
        return self._thread.submit(self._read, places)
