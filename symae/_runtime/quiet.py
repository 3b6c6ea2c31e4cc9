"""Warnings held back in one thread, for as long as a block lasts.

``warnings.catch_warnings`` and a logger's level belong to the whole process: where blocks of two threads overlap, the one that
ends last puts back what the other had set. Here a filter stands among those of the process while any thread is in such a
block. It looks at the messages of threads that are in one only, and nothing else is changed.
"""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from symae._runtime.locks import Lock


class _Thread(threading.local):
    """Hold what a thread keeps back: patterns of warnings' messages, and for each logger how many blocks silence it."""

    def __init__(self) -> None:
        self.messages: list[re.Pattern[str]] = []
        self.loggers: list[str] = []


_thread = _Thread()


class _Messages:
    """Match a warning's text against all patterns of this thread; stands where a warnings filter has its pattern."""

    def match(self, text: str) -> bool:
        return any(pattern.match(text) for pattern in _thread.messages)


_FILTER: Any = ("ignore", _Messages(), Warning, None, 0)


class _LogFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or not any(
            record.name == name or record.name.startswith(f"{name}.") for name in _thread.loggers
        )


class _Installed:
    """Keep one warnings filter in front of the others while there are blocks.

    A ``catch_warnings`` of somebody else's that begins or ends meanwhile puts another list in the place of the filters.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0
        self._lists: list[list[Any]] = []

    def __enter__(self) -> None:
        with self._lock:
            self._blocks += 1
            filters: list[Any] = warnings.filters  # type: ignore[assignment]
            if not filters or filters[0] is not _FILTER:
                self._remove(filters)
                filters.insert(0, _FILTER)
                self._lists.append(filters)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._blocks -= 1
            if self._blocks == 0:
                for filters in (*self._lists, warnings.filters):
                    self._remove(filters)
                self._lists.clear()

    def _remove(self, filters: Any) -> None:
        filters[:] = [entry for entry in filters if entry is not _FILTER]


_installed = _Installed()
_log_filter = _LogFilter()


@contextmanager
def without_warnings(*messages: str) -> Iterator[None]:
    """Ignore warnings of this thread whose message begins with what one of the patterns `messages` matches."""
    before = _thread.messages
    with _installed:
        _thread.messages = [*before, *(re.compile(message, re.IGNORECASE) for message in messages)]
        try:
            yield
        finally:
            _thread.messages = before


class without_log:
    """Hold back what this thread logs below errors under `name`, and below it; levels and handlers of loggers stay as they are.

    An object may be used for many blocks, each of which costs next to nothing; handlers that are added after it was made show
    all messages of loggers below `name`.
    """

    def __init__(self, name: str):
        self.name = name
        # Entries that do nothing outside of such blocks, so they may stay. Loggers below hand records to these handlers.
        logging.getLogger(name).addFilter(_log_filter)
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            for handler in logger.handlers:
                handler.addFilter(_log_filter)
            logger = logger.parent if logger.propagate else None

    def __enter__(self) -> None:
        _thread.loggers.append(self.name)

    def __exit__(self, *_: object) -> None:
        _thread.loggers.pop()
