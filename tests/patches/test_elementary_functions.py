"""Elementary functions are NumPy's on every backend, also of NaN, infinity and halves."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from backend_params import each

from symae import function
from symae.compile.backends import BY_NAME

X = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -7.25], "float32")
A, B = (v.ravel() for v in np.meshgrid(X, X))


@pytest.fixture
def computed(float32_backend):
    """Return a function that computes an expression of arrays x and y."""

    def compute(build, x, y):
        variables = [pt.tensor(name, dtype=value.dtype, shape=(None,) * value.ndim) for name, value in (("x", x), ("y", y))]
        return function(variables, build(*variables), backend=float32_backend, on_unused_input="ignore")(x, y)

    return compute


@pytest.mark.filterwarnings("ignore:Numba will use object mode")  # to round halves away from zero
def test_sign_rounding_and_clip(computed):
    away = [np.nan, np.inf, -np.inf, 0, 0, 1, -1, 2, 3, -3, 3, -7]
    with np.errstate(invalid="ignore"):  # of NaN
        outputs = [np.sign(X), np.round(X), away, np.clip(X, -1, 2), np.exp2(X), np.deg2rad(X), np.rad2deg(X)]
    build = lambda x, y: [  # noqa: E731
        pt.sign(x),
        pt.round(x, mode="half_to_even"),
        pt.round(x, mode="half_away_from_zero"),
        pt.clip(x, -1.0, 2.0),
        pt.exp2(x),
        pt.deg2rad(x),
        pt.rad2deg(x),
    ]
    for found, wanted in zip(computed(build, X, X), outputs, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("axis", [None, 0, pytest.param(1, marks=pytest.mark.default_mode)])
def test_the_gradient_of_a_product_with_zeros(computed, axis):
    x = np.array([[0, 0, 3], [0, 2, 3], [1, 2, 3]], "float32")
    wanted = np.zeros_like(x)
    for i, j in np.ndindex(x.shape):
        others = np.ones_like(x, bool)
        others[i, j] = False
        along = {None: others, 0: others[:, j], 1: others[i]}[axis]
        wanted[i, j] = {None: x, 0: x[:, j], 1: x[i]}[axis][along].prod()
    np.testing.assert_allclose(computed(lambda a, b: pytensor.grad(pt.prod(a, axis=axis).sum(), a), x, x), wanted)


PRODUCTS = [("int8", "int8"), ("int32", "int64"), ("int8", "float32"), ("int32", "float32"), ("float32", "float64")]


@pytest.mark.parametrize("backend", each())
@pytest.mark.default_mode
def test_products_of_matrices_of_two_dtypes(backend):
    made = {}
    for left, right in PRODUCTS:
        for rows, columns in (((2,), (2, 3)), ((3, 2), (2,)), ((3, 2), (2, 3)), ((2, 3, 2), (2, 2, 3)), ((2,), (2,))):
            a, b = np.arange(np.prod(rows), dtype=left).reshape(rows), np.arange(np.prod(columns)).reshape(columns)
            b = b.astype(right)
            x, y = (pt.tensor(dtype=v.dtype, shape=(None,) * v.ndim) for v in (a, b))
            product = pt.matmul(x, y)
            if str(product.type.dtype) in BY_NAME[backend].floats or product.type.dtype.startswith("int"):
                made[left, right, a.ndim, b.ndim] = (x, y), product, (a, b)
    inputs = [variable for (variables, _, _) in made.values() for variable in variables]
    outputs = [product for (_, product, _) in made.values()]
    found = function(inputs, outputs, backend=backend)(*(v for (_, _, values) in made.values() for v in values))
    for (names, (_, product, (a, b))), value in zip(made.items(), found, strict=True):
        np.testing.assert_array_equal(value, a @ b, err_msg=str(names))
        assert value.dtype == product.type.dtype, names


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_batches_of_matrices_that_do_not_fit_are_an_error(dtype):
    x, y = (pt.tensor(name, dtype=dtype, shape=(None,) * 3) for name in "xy")
    f = function([x, y], pt.matmul(x, y), backend="numba")
    a = np.arange(12, dtype=dtype).reshape(2, 2, 3)
    np.testing.assert_array_equal(f(a, a.swapaxes(1, 2)), a @ a.swapaxes(1, 2))
    for shape in ((1, 3, 2), (3, 3, 2), (2, 2, 2)):
        with pytest.raises(ValueError, match="batched_dot: found shapes"):
            f(a, np.ones(shape, dtype))


@pytest.mark.parametrize("backend", each())
def test_sums_and_products_of_whole_numbers_do_not_go_over(backend):
    inputs, outputs, values = [], [], []
    for dtype in ("uint8", "int8", "int32", "uint32"):
        inputs.append(pt.vector(dtype=dtype))
        values.append(np.full(5, 100, dtype))
        outputs += [inputs[-1].sum(), inputs[-1].prod()]
    found = function(inputs, outputs, backend=backend)(*values)
    for value, output, wanted in zip(found, outputs, [500, 100**5] * 4, strict=True):
        assert (value, value.dtype) == (wanted, output.type.dtype)


def test_powers_and_remainders(computed):
    with np.errstate(all="ignore"):
        outputs = [A**B, A % B]
    for found, wanted in zip(computed(lambda x, y: [x**y, x % y], A, B), outputs, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-6)


def test_powers_remainders_and_quotients_of_whole_numbers(computed):
    a, b = (v.ravel() for v in np.meshgrid([7, -7, 0, 5, -1], [2, -2, 3, -3, 1]))
    outputs = [a ** abs(b), a % b, a // b]
    for found, wanted in zip(computed(lambda x, y: [x ** abs(y), x % y, x // y], a, b), outputs, strict=True):
        np.testing.assert_array_equal(found, wanted)
