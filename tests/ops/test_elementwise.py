"""exp, log, sigmoid, softplus and tanh are exact to the stated units in the last place, over the whole range."""

from __future__ import annotations

import numpy as np
import pytest

# units in the last place, as `symae.kernels.elementwise` states them: (float32, float64)
BOUNDS = {"exp": (1.1, 1.1), "log": (1.1, 1.2), "sigmoid": (3, 3), "softplus": (2, 2.2), "tanh": (3, 3)}
# what their errors are measured against, in more digits
WIDER = {"float32": np.float64, "float64": np.longdouble}

SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e4, -1e4, 1e-310, -1e-310, 1e-40, -1e-40, 745.0, -745.2, 88.7, -103.9, 709.7]


def exact(name, x):
    with np.errstate(all="ignore"):
        far = np.exp(-np.abs(x))
        if name == "sigmoid":
            return np.where(x >= 0, 1, far) / (1 + far)
        if name == "softplus":
            return np.maximum(x, 0) + np.log1p(far)
        return {"exp": np.exp, "log": np.log, "tanh": np.tanh}[name](x)


@pytest.fixture(scope="module", params=["float32", "float64"])
def numbers(request):
    """Numbers of every size, most of them where something happens."""
    dtype = np.dtype(request.param)
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 2 ** (8 * dtype.itemsize), 300_000, dtype=f"uint{8 * dtype.itemsize}").view(dtype)
    near = np.concatenate([rng.normal(0, 5, 100_000), rng.uniform(-760, 720, 100_000), rng.uniform(-105, 90, 100_000)])
    tiny = np.exp(rng.uniform(-30, 0, 100_000)) * rng.choice([-1, 1], 100_000)
    return np.concatenate([whole, near.astype(dtype), tiny.astype(dtype), (1 + tiny).astype(dtype), np.array(SPECIAL, dtype)])


@pytest.mark.parametrize("name", BOUNDS)
def test_errors_are_within_the_stated_bounds(name, numbers):
    import numba

    from symae.kernels.elementwise import FUNCTIONS

    kernel = FUNCTIONS[name]

    @numba.njit
    def compute(x, y):
        for i in range(x.size):
            y[i] = kernel(x[i])

    found = np.empty_like(numbers)
    compute(numbers, found)
    with np.errstate(all="ignore"):
        wide = exact(name, numbers.astype(WIDER[numbers.dtype.name]))
        rounded = wide.astype(numbers.dtype)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(rounded))
    infinite = np.isinf(rounded)
    np.testing.assert_array_equal(found[infinite], rounded[infinite])
    finite = np.isfinite(rounded)
    assert np.isfinite(found[finite]).all()
    errors = np.abs(found[finite] - wide[finite]) / np.spacing(np.abs(rounded[finite]))
    assert errors.max() <= BOUNDS[name][numbers.dtype.itemsize // 8]
