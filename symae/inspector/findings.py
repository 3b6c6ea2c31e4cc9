"""What has been found out about a model while its parameters were the same, kept for who asks again."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from symae.inspector.activation_maximization import BestInput
from symae.inspector.activity import Activity
from symae.inspector.codes import Codes
from symae.inspector.filters import Filters
from symae.inspector.latent import Latent

LARGEST_BEST = 2**26  # bytes of the inputs that excite units most
OVERHEAD = 512  # bytes that an entry takes beside its input
BestKey: TypeAlias = tuple[str, int, float]  # layer, unit and bound


class Findings:
    """Hold what was computed of one state of a model's parameters; another state has other `Findings`."""

    def __init__(self, stamp: Any):
        self.stamp = stamp
        self.filters: dict[str, Filters] = {}
        self.activities: dict[str, Activity] | None = None
        self.codes: dict[str, Codes] = {}
        self.latent: Latent | None = None
        self.diverged: dict[str, str] | None = None
        self.best = KeptBest()


class KeptBest:
    """Keep the inputs that excite units most, the newest that take at most `room` bytes; several threads may ask."""

    def __init__(self, room: int = LARGEST_BEST):
        self.room = room
        self.size = 0
        self._kept: dict[BestKey, BestInput | None] = {}
        self._lock = threading.Lock()
        self._computing: dict[str, threading.Lock] = {}

    def get(
        self, layer: str, units: Sequence[int], bound: float, compute: Callable[[list[int]], Sequence[BestInput | None]]
    ) -> list[BestInput | None]:
        """Return the inputs of `units`; `compute` gets those that are missing, one call at a time for a layer."""
        found = self._known(layer, units, bound)
        if len(found) < len(set(units)):
            with self._lock:
                computing = self._computing.setdefault(layer, threading.Lock())
            with computing:  # who asks for the same meanwhile finds it kept
                found |= self._known(layer, units, bound)
                missing = [unit for unit in dict.fromkeys(units) if unit not in found]
                if missing:
                    computed = dict(zip(missing, compute(missing), strict=True))
                    found |= computed
                    self._keep({(layer, unit, bound): best for unit, best in computed.items()})
        return [found[unit] for unit in units]

    def _known(self, layer: str, units: Sequence[int], bound: float) -> dict[int, BestInput | None]:
        with self._lock:
            return {unit: self._kept[layer, unit, bound] for unit in units if (layer, unit, bound) in self._kept}

    def _keep(self, computed: Mapping[BestKey, BestInput | None]) -> None:
        with self._lock:
            for key, best in computed.items():
                self._kept[key] = best
                self.size += _size(best)
            while self.size > self.room:
                self.size -= _size(self._kept.pop(next(iter(self._kept))))


def _size(best: BestInput | None) -> int:
    return OVERHEAD + (0 if best is None else best.input.nbytes)


def stamp_of(parameters: Mapping[str, np.ndarray]) -> tuple[Any, ...]:
    """Return what differs once a parameter has other values, in place or as another array."""
    return tuple(
        (name, value.shape, zlib.crc32(np.ascontiguousarray(value).view(np.uint8).data)) for name, value in parameters.items()
    )
