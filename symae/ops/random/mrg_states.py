"""States of MRG31k3p: seeds, and the starts of streams that are too far apart to meet.

A state is six int32, as `symae.kernels.random.mrg` describes. A step is linear, so 2^k steps are a matrix: the next stream is
2^134 steps on, and within one substreams are 2^72 steps apart.

Source: L'Ecuyer and Touzin (2000), "Fast combined multiple recursive generators with multipliers of the form a = ±2^q ± 2^r".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symae.errors import InputError

M1, M2 = 2**31 - 1, 2**31 - 21069
_STEPS = (
    (np.array([[0, 2**22, 2**7 + 1], [1, 0, 0], [0, 1, 0]]), M1),
    (np.array([[2**15, 0, 2**15 + 1], [1, 0, 0], [0, 1, 0]]), M2),
)


def _product(a: np.ndarray, b: np.ndarray, modulus: int) -> np.ndarray:
    """Multiply matrices modulo `modulus`, which is below 2^31, so that no sum is above 2^63."""
    return (a[:, :, None] * b[None] % modulus).sum(1) % modulus


def _jump(doublings: int) -> list[np.ndarray]:
    """Return the matrices of both recurrences for 2^doublings steps."""
    jumps = []
    for matrix, modulus in _STEPS:
        for _ in range(doublings):
            matrix = _product(matrix, matrix, modulus)
        jumps.append(matrix)
    return jumps


_SUBSTREAM, _STREAM = _jump(72), _jump(134)


def seed_state(seed: int | Sequence[int]) -> np.ndarray:
    """Return the state of a generator from its seed: six integers, or one for all six.

    Raises InputError for others, and for zero in the three numbers of one recurrence, which could never leave zero.
    """
    words: Any = [seed] * 6 if isinstance(seed, int | np.integer) else list(seed) if np.ndim(seed) == 1 else []
    if len(words) != 6:
        raise InputError("MRG_RandomStreams: seed", repr(seed), "an int, or six of them")
    for part, modulus, which in ((words[:3], M1, "first"), (words[3:], M2, "last")):
        if not any(part):
            raise InputError("MRG_RandomStreams: seed", repr(seed), f"a number other than 0 among the {which} three")
        if max(part) >= modulus:
            raise InputError("MRG_RandomStreams: seed", repr(seed), f"numbers below {modulus} as the {which} three")
        if min(part) < 0:  # Theano took them, and left the generator's arithmetic
            raise InputError("MRG_RandomStreams: seed", repr(seed), "no negative number")
    return np.array(words, np.int32)


def next_stream(state: np.ndarray) -> np.ndarray:
    """Return the state 2^134 steps later."""
    return np.concatenate(_moved(state.reshape(1, 6), _STREAM), axis=1)[0].astype(np.int32)


def substreams(state: np.ndarray, count: int) -> np.ndarray:
    """Return states (count, 6), 2^72 steps apart; the first is `state`."""
    states, jumps = state.reshape(1, 6), _SUBSTREAM
    while len(states) < count:  # twice as many each time, twice as far ahead
        states = np.concatenate([states, np.concatenate(_moved(states, jumps), axis=1)])
        jumps = [_product(jump, jump, modulus) for jump, (_, modulus) in zip(jumps, _STEPS, strict=True)]
    return states[:count].astype(np.int32)


def _moved(states: np.ndarray, jumps: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return both halves of `states`, each moved by its matrix."""
    halves = (states[:, :3], states[:, 3:])
    moduli = (modulus for _, modulus in _STEPS)
    return [_product(jump, half.T.astype(np.int64), m).T for jump, half, m in zip(jumps, halves, moduli, strict=True)]
