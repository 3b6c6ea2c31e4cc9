"""Sizes of files are read at a glance, from a few bytes to gigabytes."""

from __future__ import annotations

import pytest

from symae._runtime.decimals import size


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.00 kB"), (83, "0.08 kB"), (99_999, "100.00 kB"), (100_000, "0.10 MB"), (1_234_000_000, "1234.00 MB")],
)
def test_a_size_is_in_megabytes_or_below_a_tenth_of_one_in_kilobytes(count, text):
    assert size(count) == text
