"""Compare what a script prints with what it printed under Theano."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?(?![\w])")
# From as many decimals on, the last one may be rounded otherwise; of fewer, as of whole numbers, all have to be the same.
MANY = 6


def differences(printed: str, golden: str) -> list[str]:
    """Return the lines that are not the same: text to the letter, numbers to the printed digits."""
    found, expected = printed.rstrip().split("\n"), golden.rstrip().split("\n")
    lines = [f"found {f!r}, expected {e!r}" for f, e in zip(found, expected, strict=False) if not _is_same(f, e)]
    return lines + ([f"found {len(found)} lines, expected {len(expected)}"] if len(found) != len(expected) else [])


def _is_same(found: str, expected: str) -> bool:
    numbers, others = NUMBER.findall(found), NUMBER.findall(expected)
    if NUMBER.sub("0", found).split() != NUMBER.sub("0", expected).split():
        return False
    return len(numbers) == len(others) and all(_is_close(*pair) for pair in zip(numbers, others, strict=True))


def _is_close(found: str, expected: str) -> bool:
    if found == expected:
        return True
    if not ("." in found or "e" in found) or not ("." in expected or "e" in expected):
        return False
    a, b = float(found), float(expected)
    decimals = {len(number.partition(".")[2].partition("e")[0]) for number in (found, expected)}
    if len(decimals) == 1:
        step = 10.0 ** -decimals.pop()
        return a == b or (step <= 10.0**-MANY and abs(a - b) < 1.5 * step)
    # Written out in full, as repr does, by Python 2 with twelve digits.
    return abs(a - b) <= 1e-11 * max(abs(a), abs(b))
