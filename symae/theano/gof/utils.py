"""``theano.gof.utils``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytensor.graph.utils import (
    MetaObject,
    MethodNotDefined,
    add_tag_trace,
    get_variable_trace_string,
    simple_extract_stack,
)
from pytensor.graph.utils import Scratchpad as scratchpad
from pytensor.utils import hash_from_code

from symae.theano._impl.absent import getter

__all__ = [
    "MetaObject",
    "MethodNotDefined",
    "add_tag_trace",
    "difference",
    "flatten",
    "get_variable_trace_string",
    "give_variables_names",
    "hash_from_code",
    "hashtype",
    "hist",
    "memoize",
    "scratchpad",
    "simple_extract_stack",
    "uniq",
    "unique",
]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.utils", "pytensor.utils"])


def hashtype(self: Any) -> int:
    """Return a hash of the class of `self`, for Ops whose instances are all equal."""
    return hash((type(self).__name__, type(self).__module__))


def memoize(f: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap `f` so that its results are kept by its arguments."""
    kept: dict[Any, Any] = {}

    def remembered(*args: Any) -> Any:
        if args not in kept:
            kept[args] = f(*args)
        return kept[args]

    return remembered


def uniq(seq: Iterable[Any]) -> list[Any]:
    """Return the elements of `seq`, each once, in their order."""
    return list(dict.fromkeys(seq))


def unique(seq: Iterable[Any]) -> bool:
    """Return True if each element of `seq` is there once."""
    elements = list(seq)
    return len(elements) == len(set(elements))


def difference(seq1: Iterable[Any], seq2: Iterable[Any]) -> list[Any]:
    """Return the elements of `seq1` that are not in `seq2`."""
    other = list(seq2)
    return [x for x in seq1 if x not in other]


def hist(coll: Iterable[Any]) -> dict[Any, int]:
    """Count how often each element is there."""
    counts: dict[Any, int] = {}
    for element in coll:
        counts[element] = counts.get(element, 0) + 1
    return counts


def flatten(a: Any) -> list[Any]:
    """Return the leaves of nested lists, tuples and sets."""
    return [leaf for part in a for leaf in flatten(part)] if isinstance(a, list | tuple | set) else [a]


def give_variables_names(variables: Iterable[Any]) -> list[Any]:
    """Give names of their own to the `variables` that have none or share one."""
    named = list(variables)
    names = [v.name for v in named]
    for i, v in enumerate(named):
        if v.name is None or names.count(v.name) > 1:
            v.name = f"{v.name or ''}_{i}"
    return named
