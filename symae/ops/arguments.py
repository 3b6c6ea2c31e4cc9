"""What ops accept: arrays, images and sizes, symbolic or not, and the windows that pooling functions describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.tensor.basic import Alloc, AllocEmpty, get_scalar_constant_value
from pytensor.tensor.shape import SpecifyShape
from pytensor.tensor.type import integer_dtypes

from symae._runtime.checks import flag, is_integer, pair
from symae.errors import InputError
from symae.geometry.windows import Axis, Windows
from symae.typing import TensorLike

FLOATS = ("float32", "float64")


def pooling_windows(where: str, ws: Any, stride: Any, pad: Any, ignore_border: bool) -> Windows:
    """Return the windows that the arguments of a pooling function describe."""
    sizes = pair(f"{where}: ws", ws)
    strides = sizes if stride is None else pair(f"{where}: stride", stride)
    if isinstance(pad, str):
        if pad not in ("same", "valid"):
            raise InputError(f"{where}: pad", repr(pad), '"same", "valid", an integer or two of them')
        kind = Axis.same if pad == "same" else Axis.whole
        rows, columns = map(kind, sizes, strides)
        return Windows(rows, columns)
    pads = pair(f"{where}: pad", pad, 0)
    if flag(f"{where}: ignore_border", ignore_border):
        if any(p >= size for p, size in zip(pads, sizes, strict=True)):
            raise InputError(f"{where}: pad", str(pads), f"less than the window, {sizes}: a window needs a pixel to look at")
        rows, columns = map(Axis.whole, sizes, strides, pads)
    else:
        if any(pads):
            raise InputError(f"{where}: pad", f"{pads} with ignore_border=False", "padding only with ignore_border=True")
        rows, columns = map(Axis.partial, sizes, strides)
    return Windows(rows, columns)


def as_array(where: str, value: Any) -> Variable:
    """Return `value` as a symbolic array."""
    try:
        return pt.as_tensor(value)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise TypeError(f"{where}: found {value!r}, expected an array or a symbolic one") from error


def as_images(where: str, images: TensorLike, *, pixels: bool = True) -> Variable:
    """Return `images` as a symbolic array of floats (n, c, h, w); with `pixels`, h and w are not 0."""
    variable = as_array(where, images)
    if variable.type.ndim != 4:
        raise InputError(where, f"{variable.type.ndim} dimensions", "4: (n, c, h, w)")
    if variable.type.dtype not in FLOATS:
        raise TypeError(f"{where}: found dtype {variable.type.dtype}, expected {' or '.join(FLOATS)}")
    if pixels:
        require_pixels(where, variable.type.shape)
    return variable


def require_pixels(where: str, shape: Sequence[int | None]) -> None:
    """Refuse images without a row or without a column; there may be no images at all."""
    if 0 in shape[2:]:
        raise InputError(where, f"shape {tuple(shape)}", "at least one row and one column")


def as_size(where: str, size: Any, *, checked: bool = True) -> Variable:
    """Return `size`, an integer or a symbolic one, as a symbolic scalar; if it is `checked` here, it cannot be negative."""
    if is_integer(size):
        if checked and size < 0:
            raise InputError(where, str(size), "a size of at least 0")
        return pt.constant(size, dtype="int64")
    variable = as_array(where, size) if isinstance(size, Variable | np.ndarray) else None
    if variable is None or variable.type.ndim != 0 or variable.type.dtype not in integer_dtypes:
        raise TypeError(f"{where}: found {size!r}, expected an integer")
    return pt.cast(variable, "int64")


def as_sizes(where: str, shape: Any, lengths: Sequence[int]) -> Sequence[Any]:
    """Return `shape`, a sequence or a symbolic vector, as a sequence that has one of the given lengths."""
    if isinstance(shape, Variable):
        known_length = shape.type.shape[0] if shape.type.ndim == 1 else None
        sizes: Sequence[Any] = [shape[i] for i in range(known_length or 0)]
    else:
        sizes = list(shape) if isinstance(shape, Sequence | np.ndarray) and not isinstance(shape, str) else []
    if len(sizes) not in lengths:
        raise InputError(where, str(shape), " or ".join(("", "", "(h, w)", "", "(n, c, h, w)")[length] for length in lengths))
    return sizes


def extent(array: Variable, axis: int) -> Any:
    """Return the size of an axis: an int where it is known, else symbolic."""
    size = array.type.shape[axis]
    return array.shape[axis] if size is None else size


def known(size: Variable) -> int | None:
    """Return the value of a symbolic scalar where it is constant, else None."""
    value = get_scalar_constant_value(size, raise_not_constant=False)
    return None if isinstance(value, Variable) else int(value)


# From which input on ops have sizes, by their type.
FIRST_SIZE: dict[type, int] = {Alloc: 1, AllocEmpty: 0, SpecifyShape: 1}


def with_known_numbers(function: Callable[..., Any], inputs: Sequence[Variable], first: int) -> Callable[..., Any]:
    """Return a function that calls `function` with Python's integers for the constants among `inputs` from number `first` on.

    A compiler that is handed sizes and places as tensors does not know them.
    """
    constants = [(i, np.asarray(v.data)) for i, v in enumerate(inputs) if i >= first and isinstance(v, Constant)]
    numbers = {i: int(value) for i, value in constants if not value.ndim and value.dtype.kind in "iu"}
    if not numbers:
        return function

    def with_numbers(*values: Any) -> Any:
        return function(*[numbers.get(i, value) for i, value in enumerate(values)])

    return with_numbers
