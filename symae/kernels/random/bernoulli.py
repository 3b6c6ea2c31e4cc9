"""When ``binomial(1, p)`` of NumPy's legacy streams is a comparison of one uniform number.

NumPy searches: it draws a number, and gives 0 if that is at most the probability of 0. Otherwise it gives 1, unless the rest is
more than the probability of 1, for which both have to be rounded down and the number has to be one of the highest; then it
starts again. Where p is above 1/2, it searches with 1 - p, and 0 and 1 change places.

Source: NumPy's ``random_binomial_inversion``.
"""

from __future__ import annotations

import math

HIGHEST = 1 - 2.0**-53  # of the uniform numbers


def search(p: float) -> tuple[float, float] | None:
    """Return what NumPy compares a number and what is left of it with; None where `p` is no probability."""
    if not 0.0 <= p <= 1.0:
        return None
    less = p if p <= 0.5 else 1.0 - p
    q = 1.0 - less
    nothing = math.exp(1 * math.log(q))
    return nothing, (1 * less * nothing) / (1 * q)


def bernoulli_threshold(p: float) -> int | None:
    """Return up to which numerator of 2^53 a number of the stream is ``binomial(1, p)``'s likelier value.

    None where `p` is no probability, or one of those for which NumPy's search may have to start again.
    """
    bounds = search(p)
    if bounds is None or HIGHEST - bounds[0] > bounds[1]:
        return None
    return int(bounds[0] * 2.0**53)
