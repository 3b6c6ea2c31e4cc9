"""What the compiler of C++ does once for all programs of PyTorch, done while the first program is still being written.

``torch.compile`` has its headers compiled before the first loop, which takes five seconds of the first call, and only looks on.
Here a thread has it done, on another core, while Python traces the graph. What it leaves is among PyTorch's own files, where
PyTorch looks for it, or waits for it, by its own locks.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Mapping
from typing import Any

import torch


@functools.cache
def compile_headers_ahead(**settings: Any) -> threading.Thread:
    """Start to compile the headers, once, under those settings of PyTorch's compiler that its programs have.

    A process does not end before that is done: what would be left is half a file. All that is to be imported is imported here,
    by the thread that needs it soon itself: two threads at imports of PyTorch's compiler have not found modules that are there.
    """
    with contextlib.suppress(Exception):  # what is wrong PyTorch says itself
        from torch._inductor import codecache, compile_fx  # noqa: F401  (takes a second)
    thread = threading.Thread(target=_compile, args=(settings,), name="PyTorch's headers")
    if torch.get_default_device().type == "cpu":
        thread.start()
    return thread


def _compile(settings: Mapping[str, Any]) -> None:
    with contextlib.suppress(Exception):  # PyTorch then does it itself, and says what is wrong
        from torch._inductor import config
        from torch._inductor.codecache import CppPythonBindingsCodeCache

        if not _is_of_this_thread(config):
            return
        with config.patch(dict(settings)):
            # compiles the headers at once, and this program if anybody called it
            CppPythonBindingsCodeCache.load_pybinding_async([], 'extern "C" void kernel() {}')


def _is_of_this_thread(config: Any) -> bool:
    """Return True if what a thread sets in `config` is its own; in older releases of PyTorch the compiler here would see it."""
    here, seen = config.size_asserts, []
    with config.patch(size_asserts=not here):
        other = threading.Thread(target=lambda: seen.append(config.size_asserts))
        other.start()
        other.join()
        return seen != [config.size_asserts]
