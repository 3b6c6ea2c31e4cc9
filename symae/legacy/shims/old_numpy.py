"""Names that NumPy dropped between 1.7 and 2."""

from __future__ import annotations

import builtins
import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from symae.legacy.pickles import load, loads
from symae.legacy.python2_operations import as_bytes
from symae.legacy.shims.restoring import names_restored

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["restored"]


class _Cast:
    """Provide ``np.cast[dtype](x)``."""

    def __getitem__(self, dtype: Any) -> Callable[[Any], np.ndarray]:
        return lambda x: np.asarray(x).astype(np.dtype(dtype))


def _fromstring(text: Any, dtype: Any = float, count: int = -1, sep: str = "", **more: Any) -> np.ndarray:
    """Read bytes without a separator, numbers with one."""
    if sep:
        return np.asarray(np_fromstring(text, dtype, count, sep=sep, **more))
    return np.frombuffer(as_bytes(text) if isinstance(text, str) else text, dtype, count).copy()


np_fromstring = np.fromstring
np_load = np.load


def _load(session: Session) -> Callable[..., Any]:
    def loading(file: Any, *rest: Any, **more: Any) -> Any:
        """Load arrays; those of objects are pickles, and are read as such."""
        more.setdefault("encoding", "latin1")
        more["allow_pickle"] = False
        try:
            return np_load(file, *rest, **more)
        except ValueError as error:
            if "pickle" not in str(error).lower():
                raise
        stream = open(file, "rb") if isinstance(file, str | bytes) or hasattr(file, "__fspath__") else file  # noqa: SIM115, PTH123
        stream.seek(0)
        if stream.read(6) == b"\x93NUMPY":
            shape, _, dtype = _header(stream)
            values = load(stream, session.modules)
            return np.asarray(values, dtype).reshape(shape)
        stream.seek(0)
        return load(stream, session.modules)

    return loading


def _header(stream: Any) -> Any:
    version = tuple(stream.read(2))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)


def _random_integers(low: Any, high: Any = None, size: Any = None) -> Any:
    """Draw random integers, both ends included."""
    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size)


def _find_common_type(array_types: Any, scalar_types: Any) -> np.dtype:
    return np.result_type(*array_types, *scalar_types)


def _names() -> dict[str, Any]:
    return {
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


SCTYPES = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64, np.longdouble],
    "complex": [np.complex64, np.complex128, np.clongdouble],
    "others": [bool, object, bytes, str, np.void],
}


@contextmanager
def restored(session: Session) -> Iterator[None]:
    """Restore names, and write arrays as they were written when the script was."""
    legacy = "1.13" if session.python_version == "python2" else "1.21"
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, SyntaxWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        stack.enter_context(names_restored(np, {name: value for name, value in _names().items() if value is not None}))
        stack.enter_context(names_restored(np, {"loads": lambda data, **_: loads(data, session.modules)}))
        stack.enter_context(names_restored(np, {"fromstring": _fromstring, "load": _load(session)}, replacing=True))
        random = {"random_integers": _random_integers, "ranf": np.random.random_sample, "sample": np.random.random_sample}
        stack.enter_context(names_restored(np.random, random))
        stack.enter_context(np.printoptions(legacy=legacy))  # type: ignore[arg-type]
        yield
