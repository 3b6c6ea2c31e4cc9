"""Expressions evaluated for many examples, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from symae._runtime.blas_threads import blas_threads
from symae.compile.functions import COMPILING, function


class BatchedFunction:
    """Evaluates `outputs` by functions called `name`; compiled once for each shape of a batch, and kept."""

    def __init__(self, name: str, outputs: Sequence[Variable], backend: str | None):
        self.name = name
        self.outputs = list(outputs)
        self.backend = backend
        self._functions: dict[Any, Any] = {}

    def __call__(
        self, arrays: Mapping[Variable, np.ndarray], batch_size: int, *, pad_last: bool = False
    ) -> list[tuple[list[np.ndarray], int]]:
        """Return the outputs for each batch, and how many examples it has; with `pad_last` zeros fill the last one up.

        `arrays` holds the values of each variable that the outputs depend on. With `pad_last` and no examples there is one
        batch of zeros, and its number is 0.
        """
        examples = len(next(iter(arrays.values())))
        computed = []
        with blas_threads():
            for first in range(0, max(examples, int(pad_last)), batch_size):
                parts = [a[first : first + batch_size] for a in arrays.values()]
                n = len(parts[0])
                if pad_last and n < batch_size:
                    parts = [np.concatenate([part, np.zeros((batch_size - n, *part.shape[1:]), part.dtype)]) for part in parts]
                computed.append((self._compiled(list(arrays), [part.shape for part in parts])(*parts), n))
        return computed

    def _compiled(self, variables: Sequence[Variable], shapes: Sequence[tuple[int, ...]]) -> Any:
        key = tuple(shapes)
        with COMPILING:
            if key not in self._functions:
                # of sizes that are known: quicker to compile, and JAX compiles it once
                batch = {v: pt.tensor(v.name, dtype=v.type.dtype, shape=s) for v, s in zip(variables, shapes, strict=True)}
                outputs = clone_replace(self.outputs, batch, rebuild_strict=False)
                self._functions[key] = function(
                    list(batch.values()), outputs, backend=self.backend, on_unused_input="ignore", name=self.name
                )
        return self._functions[key]
