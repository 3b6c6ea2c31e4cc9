"""Expressions evaluated for many examples, some at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from symae._runtime.blas_threads import blas_threads
from symae.compile.functions import COMPILING, function

__all__ = ["Chunks"]


class Chunks:
    """What evaluates `outputs`; compiled once for each size of chunks, and kept.

    Parameters
    ----------
    name : str
        What the compiled functions are called.
    outputs : list of symbolic variables
    backend : str, optional
        As in `symae.function`.
    """

    def __init__(self, name: str, outputs: Sequence[Variable], backend: str | None):
        self.name = name
        self.outputs = list(outputs)
        self.backend = backend
        self._functions: dict[Any, Any] = {}

    def __call__(
        self, arrays: Mapping[Variable, np.ndarray], length: int, *, fill: bool = False
    ) -> list[tuple[list[np.ndarray], int]]:
        """The outputs for each `length` examples, and how many these were; with `fill` the last ones get zeros after them.

        `arrays` holds the values of each variable that the outputs hang on. With `fill` and no examples there is one chunk of
        zeros, and its number is 0.
        """
        examples = len(next(iter(arrays.values())))
        computed = []
        with blas_threads():
            for first in range(0, max(examples, int(fill)), length):
                parts = [a[first : first + length] for a in arrays.values()]
                n = len(parts[0])
                if fill and n < length:
                    parts = [np.concatenate([part, np.zeros((length - n, *part.shape[1:]), part.dtype)]) for part in parts]
                computed.append((self._compiled(list(arrays), [part.shape for part in parts])(*parts), n))
        return computed

    def _compiled(self, variables: Sequence[Variable], shapes: Sequence[tuple[int, ...]]) -> Any:
        key = tuple(shapes)
        with COMPILING:
            if key not in self._functions:
                # of sizes that are known: quicker to compile, and JAX compiles it once
                chunks = {v: pt.tensor(v.name, dtype=v.type.dtype, shape=s) for v, s in zip(variables, shapes, strict=True)}
                outputs = clone_replace(self.outputs, chunks, rebuild_strict=False)
                self._functions[key] = function(
                    list(chunks.values()), outputs, backend=self.backend, on_unused_input="ignore", name=self.name
                )
        return self._functions[key]
