"""``theano.compat.six``: the names of the library six that Theano's programs used."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from functools import reduce
from io import BytesIO, StringIO
from typing import Any

from symae.theano._impl.absent import getter

__all__ = [
    "PY2",
    "PY3",
    "BytesIO",
    "StringIO",
    "iteritems",
    "iterkeys",
    "itervalues",
    "moves",
    "reraise",
    "with_metaclass",
]

PY2, PY3 = False, True
string_types, integer_types, class_types = (str,), (int,), (type,)
text_type, binary_type = str, bytes

__getattr__ = getter(__name__, instead={"add_metaclass": "use class A(metaclass=M)"})


class moves:
    """Stand for ``six.moves``."""

    xrange, range, zip, map, filter, input = range, range, zip, map, filter, input
    reduce = staticmethod(reduce)
    builtins = builtins


def iteritems(d: Any) -> Iterator[Any]:
    """Iterate over the pairs of a dictionary."""
    return iter(d.items())


def itervalues(d: Any) -> Iterator[Any]:
    """Iterate over the values of a dictionary."""
    return iter(d.values())


def iterkeys(d: Any) -> Iterator[Any]:
    """Iterate over the keys of a dictionary."""
    return iter(d.keys())


def reraise(tp: Any, value: BaseException | None, tb: Any = None) -> None:
    """Raise `value`, or a `tp`, with the traceback `tb`."""
    raise (tp() if value is None else value).with_traceback(tb)


def with_metaclass(meta: type, *bases: type) -> type:
    """Make a base class whose metaclass is `meta`."""
    return meta("with_metaclass", bases or (object,), {})
