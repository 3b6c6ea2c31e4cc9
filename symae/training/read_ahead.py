"""The next minibatch is read by a thread while the present one is computed with."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np


class ReadAhead:
    """Call ``read(places)`` in a thread of its own, one call at a time, and before it is asked for where that is told.

    What is read does not depend on it: whoever takes a minibatch says which examples it has, and one that was read for nothing
    is thrown away. So a training has nothing to remember of it.
    """

    def __init__(self, read: Callable[[np.ndarray], Any]):
        self._read = read
        self._thread: ThreadPoolExecutor | None = None
        self._expected: tuple[np.ndarray, Future[Any]] | None = None

    def take(self, places: np.ndarray, following: np.ndarray | None = None) -> Any:
        """Return ``read(places)``, or raise its error; then begin to read `following`, if there are any."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="symae_reads_ahead")
        expected, self._expected = self._expected, None
        if expected is None or not np.array_equal(expected[0], places):
            expected = places, self._thread.submit(self._read, places)
        found = expected[1].result()
        if following is not None and len(following):
            self._expected = following, self._thread.submit(self._read, following)
        return found
