"""What NumPy took from 2010 to 2018: the calls that `symae.shims.lenient_syntax` puts into sources of the time.

Each does what it says, and where that fails, or means another thing by now, what it did:

- Floats were sizes, axes, indices and ends of slices, cut off: ``randn(n / 2., 3)``, ``linspace(0, 1, num=10.)``, ``x[2.]``.
- ``array([[1, 2], [3]])`` was an array of objects; a list with slices or lists in it was an index like a tuple.
- ``mask - other`` was exclusive or, ``-mask`` negation; what was computed in place was cut to the array's type.
- An array of one element was a number, and arrays of different shapes were unequal.
- What `floor`, `ceil`, `trunc` and `fix` gave was floats, of whole numbers too: ``ceil(5) / 2`` was 2.5.
- `unique` told in a vector where the elements of an array of any shape are.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Iterable, Sequence
from types import BuiltinMethodType, GeneratorType
from typing import Any

import numpy as np

__all__ = ["OPERATIONS", "REPAIRED", "SHAPES", "whole"]

SHAPES = {"reshape", "zeros", "ones", "empty"}
# Which arguments of NumPy's functions are whole numbers; a method of an array has one before these.
ALL = range(32)
_WHOLE: tuple[tuple[Sequence[int], str], ...] = (
    (ALL, "eye identity tri rand randn random_sample random ranf sample standard_normal bytes indices"),
    ((0,), "permutation standard_cauchy standard_exponential full"),
    ((1,), "sum mean std var prod max min amax amin argmax argmin argsort cumsum cumprod any all"),
    ((1,), "tile diag histogram concatenate stack expand_dims squeeze delete fft ifft rfft"),
    ((1,), "exponential poisson geometric dirichlet standard_gamma standard_t chisquare rayleigh"),
    ((2,), "linspace logspace uniform normal binomial beta gamma laplace lognormal gumbel logistic"),
    ((2,), "bincount multivariate_normal vonmises"),
    ((1, 2), "rollaxis swapaxes"),
    ((0, 1), "choice"),
    ((0, 1, 2), "randint random_integers"),
    ((0, 2), "multinomial"),
    ((3,), "triangular"),
)
WHOLE = {name: at for at, names in _WHOLE for name in names.split()}
KEYWORDS = {"size", "shape", "num", "axis", "bins", "minlength", "reps", "n", "k", "N", "M"}
RAGGED = {"array", "asarray", "asanyarray"}
OF_PARTS = {"vstack", "hstack", "dstack", "column_stack", "concatenate", "stack"}
OF_NUMBERS = {"exp", "log", "log10", "sqrt", "pow", "floor", "ceil", "trunc", "fix"}
OF_NUMBERS |= {"fabs", "sin", "cos", "tanh", "isnan", "atan2"}
ROUNDED = (np.floor, np.ceil, np.trunc)
OF_BYTES = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
REPAIRED = {*SHAPES, *WHOLE, *RAGGED, *OF_PARTS, *OF_NUMBERS, *OF_BYTES, "unique"}
TUPLES = 32  # lists from that length on were indices of their own


def whole(x: Any) -> Any:
    """Return the end of a slice, which cut a float's fraction off."""
    return int(x) if isinstance(x, float | np.floating) and not hasattr(x, "__index__") else x


def _wholes(value: Any) -> Any:
    """Return a size or an index, or several, as whole numbers; the value itself where they are."""
    if isinstance(value, np.ndarray):
        return value.astype(np.intp) if value.dtype.kind == "f" else value
    if not isinstance(value, tuple | list):
        return _with_whole_ends(value) if isinstance(value, slice) else whole(value)
    sizes = [_wholes(size) for size in value]
    if not _are_other(sizes, value):
        return value
    return sizes if isinstance(value, list) else tuple(sizes)


def _with_whole_ends(key: Any) -> Any:
    """Return a slice or a tuple, with slices whose ends are whole numbers; the key itself where there is none to cut."""
    if isinstance(key, tuple):
        parts = tuple(map(_with_whole_ends, key))
        return parts if _are_other(parts, key) else key
    if not isinstance(key, slice):
        return key
    ends = [whole(end) for end in (key.start, key.stop, key.step)]
    return slice(*ends) if _are_other(ends, (key.start, key.stop, key.step)) else key


def _are_other(new: Iterable[Any], old: Iterable[Any]) -> bool:
    return any(map(operator.is_not, new, old))


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, np.ndarray) and x.ndim and x.size == 1 else x


def called(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Call ``function(…)`` with arguments that NumPy took."""
    if function is np.fix:  # which NumPy 2.5 warns of, and does by trunc
        function = np.trunc
    try:
        result = function(*arguments, **keywords)
        is_rounded = not keywords and len(arguments) == 1 and any(function is each for each in ROUNDED)
        if function is np.unique and isinstance(result, tuple):
            return _with_flat_inverse(result, *arguments, **keywords)
        return _as_floats(result) if is_rounded else result
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        given = _repaired(error, function, arguments, keywords)
        if given is None:
            raise
    function, arguments, keywords = given
    return function(*arguments, **keywords)


def _with_flat_inverse(
    result: tuple[Any, ...], ar: Any, return_index: bool = False, return_inverse: bool = False, *others: Any, **named: Any
) -> tuple[Any, ...]:
    at = 2 if return_index else 1
    return (*result[:at], result[at].ravel(), *result[at + 1 :]) if return_inverse else result


def _as_floats(x: Any) -> Any:
    return x.astype(np.result_type(x.dtype, np.float16)) if isinstance(x, np.ndarray | np.generic) else x


def _repaired(error: Exception, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Return a call that does what one that failed did; None where it failed then too."""
    name, first = getattr(function, "__name__", ""), arguments[0] if arguments else None
    if not _is_numpys(function):
        return None
    if name in RAGGED | OF_BYTES:
        dtype = function if name in OF_BYTES else arguments[1] if len(arguments) > 1 else keywords.get("dtype")
        if isinstance(error, OverflowError):
            kept = _kept(first, dtype)
            return None if kept is first else (function, (kept, *arguments[1:]), keywords)
        if "inhomogeneous" not in str(error) or dtype is not None:
            return None
        if len(arguments) > 1:
            return function, (first, object, *arguments[2:]), keywords
        return function, arguments, {**keywords, "dtype": object}
    if name in (OF_PARTS | {"sum"}) and isinstance(first, GeneratorType):
        return (builtins.sum, arguments, {}) if name == "sum" else (function, (list(first), *arguments[1:]), keywords)
    if name in OF_NUMBERS:
        given, named = tuple(map(_number, arguments)), keywords
    else:
        at = _places(function, name, arguments)
        given = tuple(_wholes(value) if k in at else value for k, value in enumerate(arguments))
        named = {key: _wholes(value) if key in KEYWORDS else value for key, value in keywords.items()}
    is_other = _are_other([*given, *named.values()], [*arguments, *keywords.values()])
    return (function, given, named) if is_other else None


def _kept(values: Any, dtype: Any) -> Any:
    """Return whole numbers as a type of fewer bits, which kept their lowest ones; what is no whole number, itself."""
    array = np.asarray(values)
    return array.astype(dtype) if array.dtype.kind in "iu" else values


def _places(function: Any, name: str, arguments: tuple[Any, ...]) -> Sequence[int]:
    of_array = isinstance(getattr(function, "__self__", None), np.ndarray)
    if name in SHAPES:  # in reshape(x, shape) the first is not a shape
        return ALL[1:] if any(isinstance(value, tuple | list) for value in arguments[1:]) else ALL
    return [k - of_array for k in WHOLE.get(name, ())]


def _is_numpys(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    if isinstance(function, BuiltinMethodType) and isinstance(owner, np.ndarray):
        return True  # of an array whose class is anybody's
    home = getattr(function, "__module__", None) or getattr(type(owner), "__module__", "")
    return str(home).partition(".")[0] in ("numpy", "math") or str(home).startswith("symae.shims")


def get(x: Any, key: Any) -> Any:
    """Return ``x[key]``."""
    if type(key) is list and isinstance(x, np.ndarray):
        key = _as_tuple(key)
    try:
        return x[key]
    except (IndexError, TypeError):
        index = _wholes(key) if isinstance(x, np.ndarray) else _with_whole_ends(key)  # np.mgrid[0:1:0.1] needs no repair
        if index is key:
            raise
    return x[index]


def put(value: Any, x: Any, key: Any) -> None:
    """Do ``x[key] = value``."""
    if type(key) is list and isinstance(x, np.ndarray):
        key = _as_tuple(key)
    try:
        x[key] = value
        return
    except (IndexError, TypeError, ValueError, OverflowError) as error:
        if not isinstance(x, np.ndarray):
            raise
        index = _wholes(key)
        kept = _kept(value, x.dtype) if isinstance(error, OverflowError) else _number(value)
        if index is key and kept is value:
            raise
    x[index] = kept


def _as_tuple(key: list[Any]) -> Any:
    inner = (slice, list, tuple, np.ndarray, type(None), type(Ellipsis))  # a list of texts names fields
    return tuple(key) if len(key) < TUPLES and any(isinstance(part, inner) for part in key) else key


def _are_masks(*values: Any) -> bool:
    return all(getattr(value, "dtype", None) == np.bool_ for value in values) and any(
        isinstance(value, np.ndarray | np.bool_) for value in values
    )


def minus(a: Any, b: Any) -> Any:
    """Return ``a - b``."""
    try:
        return a - b
    except TypeError:
        if not _are_masks(a, b):
            raise
    return a ^ b


def negative(x: Any) -> Any:
    """Return ``-x``."""
    try:
        return -x
    except TypeError:
        if not _are_masks(x):
            raise
    return ~x


def in_place(name: str, a: Any, b: Any) -> Any:
    """Return what ``a += b`` makes of `a`, and the like by the operation's name."""
    operation, ufunc = IN_PLACE[name]
    try:
        return operation(a, b)
    except TypeError:
        if not isinstance(a, np.ndarray) or a.dtype.kind not in "iub":
            raise
    if _are_masks(a, b) and name == "Sub":
        ufunc = np.logical_xor
    return ufunc(a, b, out=a, casting="unsafe")


IN_PLACE: dict[str, tuple[Callable[..., Any], Any]] = {
    "Add": (operator.iadd, np.add),
    "Sub": (operator.isub, np.subtract),
    "Mult": (operator.imul, np.multiply),
    "Div": (operator.itruediv, np.true_divide),
    "Pow": (operator.ipow, np.power),
}


def equal(a: Any, b: Any) -> Any:
    """Return ``a == b``."""
    try:
        return a == b
    except ValueError:
        if not _have_other_shapes(a, b):
            raise
    return False


def different(a: Any, b: Any) -> Any:
    """Return ``a != b``."""
    try:
        return a != b
    except ValueError:
        if not _have_other_shapes(a, b):
            raise
    return True


def _have_other_shapes(a: Any, b: Any) -> bool:
    try:
        np.broadcast_shapes(np.shape(a), np.shape(b))
    except ValueError:
        return isinstance(a, np.ndarray) or isinstance(b, np.ndarray)
    return False


def converted(kind: Callable[[Any], Any], x: Any) -> Any:
    """Return ``float(x)`` and the like."""
    try:
        return kind(x)
    except TypeError:
        if kind not in (float, int, complex) or (number := _number(x)) is x:
            raise
    return kind(number)


def filled(text: str, values: Any) -> str:
    """Return ``text % values``."""
    try:
        return text % values
    except TypeError:
        numbers = tuple(map(_number, values)) if isinstance(values, tuple) else _number(values)
        if numbers is values or (isinstance(values, tuple) and all(map(operator.is_, numbers, values))):
            raise
    return text % numbers


OPERATIONS: dict[str, Callable[..., Any]] = {
    f"__symae_{function.__name__}__": function
    for function in (called, converted, different, equal, filled, get, in_place, minus, negative, put, slice, whole)
}
