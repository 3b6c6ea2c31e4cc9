"""Compiled functions of one model for one image at a time: ready in milliseconds, and quick enough to follow a pen.

They are PyTensor's in the mode FAST_COMPILE, so each node is computed by NumPy: for one image that takes a tenth of a
millisecond to six, where Numba would first compile for seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from symae.compile import function

# PyTensor rewrites one graph at a time.
COMPILING = threading.Lock()


class Functions:
    """Keep functions by key, each compiled when it is first asked for; several threads may call them."""

    def __init__(self) -> None:
        self._functions: dict[Any, tuple[Any, threading.Lock]] = {}

    def __call__(
        self, key: Any, build: Callable[[], tuple[Sequence[Variable], Sequence[Variable]]], *arguments: Any
    ) -> list[np.ndarray]:
        """Return the outputs for `arguments` of the function `key`; `build` makes its inputs and outputs.

        An input may be an intermediate result: what it is computed from does not count then.
        """
        if key not in self._functions:  # what is there already never waits for what is compiled
            self._compile(key, build)
        compiled, calling = self._functions[key]
        # of a model that has diverged, all is infinite or not a number: that is seen in the values
        with calling, np.errstate(all="ignore"):  # a function's storage is for one call
            return [np.array(value) for value in compiled(*arguments)]

    def _compile(self, key: Any, build: Callable[[], tuple[Sequence[Variable], Sequence[Variable]]]) -> None:
        with COMPILING:
            if key not in self._functions:
                inputs, outputs = build()
                compiled = function(list(inputs), list(outputs), mode="FAST_COMPILE", on_unused_input="ignore", name=str(key))
                self._functions[key] = compiled, threading.Lock()
