"""Names that NumPy dropped between 1.7 and 2."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from symae.shims.standard_names import as_bytes


class _Cast:
    """Provide ``np.cast[dtype](x)``."""

    def __getitem__(self, dtype: Any) -> Callable[[Any], np.ndarray]:
        return lambda x: np.asarray(x).astype(np.dtype(dtype))


def fromstring(text: Any, dtype: Any = float, count: int = -1, sep: str = "", **more: Any) -> np.ndarray:
    """Read bytes without a separator, numbers with one."""
    if sep:
        return np.asarray(_fromstring(text, dtype, count, sep=sep, **more))
    return np.frombuffer(as_bytes(text) if isinstance(text, str) else text, dtype, count).copy()


_fromstring = np.fromstring


def _random_integers(low: Any, high: Any = None, size: Any = None) -> Any:
    """Draw random integers, both ends included."""
    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size)


def _find_common_type(array_types: Any, scalar_types: Any) -> np.dtype:
    return np.result_type(*array_types, *scalar_types)


def former_names() -> dict[str, Any]:
    """Return what was in ``numpy`` and is gone, or has another name."""
    names: dict[str, Any] = {
        **{kind.__name__: kind for kind in (float, complex, object, str, builtins.bool)},
        **{"int": int, "long": int, "unicode": str},
        **{"float_": np.float64, "complex_": np.complex128, "singlecomplex": np.complex64, "cfloat": np.complex128},
        **{"longfloat": np.longdouble, "unicode_": np.str_, "string_": np.bytes_, "bool8": np.bool_, "object0": np.object_},
        **{"int0": np.intp, "uint0": np.uintp, "void0": np.void, "str0": np.str_, "bytes0": np.bytes_},
        **{"Inf": np.inf, "Infinity": np.inf, "infty": np.inf, "PINF": np.inf, "NINF": -np.inf, "NaN": np.nan, "NAN": np.nan},
        **{"PZERO": 0.0, "NZERO": -0.0},
        **{"cast": _Cast(), "product": np.prod, "cumproduct": np.cumprod, "sometrue": np.any, "alltrue": np.all},
        **{"round_": np.round, "mat": np.asmatrix, "row_stack": np.vstack, "asscalar": lambda a: np.asarray(a).item()},
        **{"in1d": lambda a, b, *rest, **more: np.isin(np.ravel(a), b, *rest, **more)},
        **{"trapz": getattr(np, "trapezoid", None), "rank": np.ndim, "alen": len},
        "msort": lambda a: np.sort(a, axis=0),
        "asfarray": lambda a, dtype=np.float64: np.asarray(a, dtype),
        "find_common_type": _find_common_type,
        "issubclass_": lambda a, b: isinstance(a, type) and issubclass(a, b),
        "issubsctype": lambda a, b: np.issubdtype(a, b),
        "issctype": lambda kind: isinstance(kind, type) and issubclass(kind, np.generic),
        "obj2sctype": lambda kind, default=None: np.dtype(kind).type,
        "sctype2char": lambda kind: np.dtype(kind).char,
        "typeDict": np.sctypeDict,
        "sctypes": SCTYPES,
        "set_string_function": lambda *arguments, **keywords: None,
        "deprecate": lambda *arguments, **keywords: lambda function: function,
        "fastCopyAndTranspose": lambda a: np.array(np.transpose(a)),
        "safe_eval": __import__("ast").literal_eval,
        "getbuffer": memoryview,
        "tracemalloc_domain": 0,
        "disp": lambda text, *arguments, **keywords: print(text),
        "source": lambda *arguments, **keywords: None,
        "lookfor": lambda *arguments, **keywords: None,
        "index_exp": np.s_,
        "maximum_sctype": lambda kind: np.dtype(kind).type,
        "byte_bounds": getattr(getattr(np.lib, "array_utils", None), "byte_bounds", None),
        "recfromcsv": functools.partial(np.genfromtxt, delimiter=",", names=True),
    }
    return {name: value for name, value in names.items() if value is not None}


SCTYPES = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64, np.longdouble],
    "complex": [np.complex64, np.complex128, np.clongdouble],
    "others": [bool, object, bytes, str, np.void],
}


def random_names() -> dict[str, Any]:
    """Return what was in ``numpy.random``."""
    draw = np.random.random_sample
    return {"random_integers": _random_integers, "ranf": draw, "sample": draw}
