"""Numbers with decimals, and sizes, as logs, tables, reports and commands print them."""

from __future__ import annotations

LARGEST = 1e10  # from here on six decimals are more digits than float64 has; of 1e300 they would fill lines


def fixed(number: float, decimals: int = 6) -> str:
    """Return `number` with so many decimals; one that has diverged, of 1e10 or more, with ten digits and an exponent."""
    return f"{number:.{decimals}f}" if abs(number) < LARGEST else f"{number:.10g}"


def size(count: int) -> str:
    """Return so many bytes in MB, with two decimals; in kB what is below a tenth of one."""
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.2f} kB"
