"""Sizes of convolutions: Python's formulas, Numba's and C++'s are the same, and are NumPy's and PyTorch's."""

from __future__ import annotations

import ctypes
import subprocess

import numba
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from symae.geometry.convolution import NAMED, Geometry
from symae.kernels import header

IN_CPP = """
#include <cstddef>
typedef std::ptrdiff_t npy_intp;
{header}
extern "C" int measure(int mode, npy_intp before, npy_intp after, npy_intp stride, npy_intp dilation, npy_intp size,
                       npy_intp kernel, npy_intp *found) {{
    symae_convolution::axis axis = {{(symae_convolution::border)mode, before, after, stride, dilation}};
    return axis.measure(size, kernel, found, found + 1, found + 2);
}}
"""

lengths, kernels = st.integers(0, 40), st.integers(1, 9)
axes = st.builds(
    Geometry,
    border=st.sampled_from(NAMED) | st.tuples(st.integers(0, 5), st.integers(0, 5)),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 4),
)


@pytest.fixture(scope="module")
def in_cpp(tmp_path_factory):
    """Return padding before, padded length and positions by the C++ kernels; None where they refuse."""
    if not pytensor.config.cxx:
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("geometry")
    (folder / "axis.cpp").write_text(IN_CPP.format(header=header("conv/geometry.h")), encoding="utf-8")
    library = folder / "axis.so"
    subprocess.run([pytensor.config.cxx, "-shared", "-fPIC", "-o", str(library), str(folder / "axis.cpp")], check=True)
    measure = ctypes.CDLL(str(library)).measure
    size = ctypes.c_ssize_t
    measure.argtypes = [ctypes.c_int, *[size] * 6, ctypes.POINTER(size)]

    def measured(axis, n, kernel):
        found = (size * 3)()
        named = isinstance(axis.border, str)
        mode, given_zeros = (1 + NAMED.index(axis.border), (0, 0)) if named else (0, axis.border)
        return list(found) if measure(mode, *given_zeros, axis.stride, axis.dilation, n, kernel, found) else None

    return measured


def in_python(axis, n, kernel):
    """Return the same by Python's formulas."""
    before, after = axis.padding(n, kernel)
    positions = axis.length(n, kernel)
    return [before, n + before + after, positions] if positions >= 1 else None


@given(axis=axes, n=lengths, kernel=kernels)
def test_cpp_measures_what_python_does(in_cpp, axis, n, kernel):
    assert in_cpp(axis, n, kernel) == in_python(axis, n, kernel)


@pytest.mark.parametrize("border", [*NAMED, (2, 3)])
def test_numba_compiles_the_same_function(border):
    axis = Geometry(border, 3, 2)
    compiled = numba.njit(axis.measure(max))
    for n, kernel in ((0, 1), (1, 4), (7, 4), (20, 3)):
        assert compiled(n, kernel) == (axis.reach(kernel), *axis.padding(n, kernel), axis.length(n, kernel))


@pytest.mark.parametrize("border", [*NAMED, (2, 3)])
def test_symbolic_sizes_give_the_same(border):
    axis, n = Geometry(border, 3, 2), pt.lscalar()
    symbolic = pt.stack([*axis.padding(n, 4), axis.length(n, 4)])
    for value in (1, 7, 20):
        assert symbolic.eval({n: value}).tolist() == [*axis.padding(value, 4), axis.length(value, 4)]


@given(axis=axes, n=st.integers(1, 40), kernel=kernels)
def test_there_are_as_many_positions_as_numpy_finds_windows(axis, n, kernel):
    before, after = axis.padding(n, kernel)
    padded, reach = np.zeros(n + before + after), (kernel - 1) * axis.dilation + 1
    windows = sliding_window_view(padded, reach)[:: axis.stride] if padded.size >= reach else []
    assert max(axis.length(n, kernel), 0) == len(windows)


@given(n=st.integers(1, 40), kernel=kernels)
def test_named_borders_are_numpys(n, kernel):
    image, filters = np.zeros(max(n, kernel)), np.zeros(kernel)
    for border in ("valid", "full"):
        assert Geometry(border, 1, 1).length(image.size, kernel) == np.convolve(image, filters, border).size
    assert Geometry("same", 1, 1).length(image.size, kernel) == np.convolve(image, filters, "same").size
    if kernel % 2:
        assert Geometry("half", 1, 1).length(image.size, kernel) == image.size


@given(axis=axes, n=st.integers(1, 40), kernel=kernels)
def test_lengths_and_their_inverse_are_pytorchs(axis, n, kernel):
    torch = pytest.importorskip("torch")
    before, after = axis.padding(n, kernel)
    positions = axis.length(n, kernel)
    if positions < 1:
        return
    padded, filters = torch.empty(1, 1, n + before + after, device="meta"), torch.empty(1, 1, kernel, device="meta")
    y = torch.nn.functional.conv1d(padded, filters, stride=axis.stride, dilation=axis.dilation)
    assert y.shape[2] == positions
    if axis.border != "same" and before == after and (size := axis.transposed_length(positions, kernel, 0)) >= 1:
        back = torch.nn.functional.conv_transpose1d(y, filters, stride=axis.stride, dilation=axis.dilation, padding=before)
        assert back.shape[2] == size
