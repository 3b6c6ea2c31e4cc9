"""Sums on Numba are NumPy's, however the array lies, and of one in C order nothing is compiled for other orders."""

import numba
import numpy as np
import pytensor.tensor as pt
import pytest
from numba.core import event
from pytensor import scalar
from pytensor.link.numba.dispatch import elemwise

import symae

ENTRIES = np.arange(24.0).reshape(2, 3, 4)
LAYOUTS = {
    "C": ENTRIES,
    "F": np.asfortranarray(ENTRIES),
    "neither": ENTRIES.transpose(1, 0, 2),
    "every second": np.arange(48.0).reshape(2, 6, 4)[:, ::2],
    "backwards": ENTRIES[:, ::-1],
    "of one row": ENTRIES[:, :1],
    "empty": ENTRIES[:, :0],
}


@pytest.mark.parametrize("axes", [None, 0, 1, 2, (0, 2), (1, 2)], ids=str)
def test_sums_are_those_of_numpy(axes):
    x = pt.dtensor3("x")
    sums = symae.function([x], [x.sum(axes), x.prod(axes), pt.any(x > 20, axis=axes)])
    for entries in LAYOUTS.values():
        for found, expected in zip(
            sums(entries), (entries.sum(axes), entries.prod(axes), (entries > 20).any(axes)), strict=True
        ):
            np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(("layout", "sorts"), [("C", False), ("F", True)])
def test_of_an_array_in_c_order_no_code_that_sorts_strides_is_compiled(layout, sorts):
    reduction = elemwise.create_multiaxis_reducer(scalar.add, identity=0.0, axes=(1,), ndim=2, out_dtype="float64")
    with event.install_recorder("numba:compile") as recorder:
        assert numba.njit(reduction)(np.ones((2, 3), order=layout)).tolist() == [3.0, 3.0]
    compiled = [of.data["dispatcher"].py_func.__code__ for _, of in recorder.buffer if of.is_start]
    assert any("argsort" in code.co_names for code in compiled) == sorts
