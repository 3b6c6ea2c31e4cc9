"""What a graph is rewritten and converted by, in words: PyTensor's database of rewrites, and Numba's conversions of operations.

PyTensor's and symae's own follow from versions and sources, but anybody may register more of them, made of PyTensor's own
classes, or of functions that change from day to day. So each rewrite is described with all that it is made of, and
`Indescribable` is raised where a function or class is of neither PyTensor nor symae.
"""

from __future__ import annotations

import functools
import hashlib
import operator
from collections.abc import Iterator
from typing import Any

from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import (
    FromFunctionGraphRewriter,
    FromFunctionNodeRewriter,
    PatternNodeRewriter,
    SubstitutionNodeRewriter,
    WalkingGraphRewriter,
)
from pytensor.graph.rewriting.db import RewriteDatabase

from symae.compile.exact_description import KNOWN, Describer, Indescribable

# Rewrites of these kinds, and those that apply one, are what their attributes are: nothing is added to a list within them.
_PLAIN = frozenset((FromFunctionGraphRewriter, FromFunctionNodeRewriter, PatternNodeRewriter, SubstitutionNodeRewriter))

# by address: a rewrite of such a kind, its attributes, and the description; all are kept, so that no other gets the address
_described: dict[int, tuple[Any, list[Any], str]] = {}


def described_rewrites(database: RewriteDatabase = optdb) -> str:
    """Return a digest of all rewrites in a database, by default PyTensor's, of those within it, and of how they are chosen.

    Raises
    ------
    Indescribable
        A part of one is neither PyTensor's nor symae's.
    """
    describer, digest = Describer(), hashlib.sha256()
    for line in _lines(database, describer, "", set()):
        digest.update(line.encode())
    return digest.hexdigest()


def _lines(database: RewriteDatabase, describer: Describer, within: str, seen: set[int]) -> Iterator[str]:
    if id(database) in seen:
        return
    seen.add(id(database))
    settings = dict(vars(database))
    tagged, names = settings.pop("__db__", {}), settings.pop("_names", ())
    inner = [value for value in settings.values() if isinstance(value, RewriteDatabase)]
    settings = {name: value for name, value in settings.items() if not isinstance(value, RewriteDatabase)}
    yield f"\n{within} {describer.class_of(database)} {describer.text(settings)}"
    for tag in sorted(tag for tag, rewriters in tagged.items() if rewriters):
        rewriters = tagged[tag]
        if tag not in names:
            yield f"\n{within} {tag}: {[r.name for r in rewriters]}"
            continue
        for rewriter in rewriters:
            if isinstance(rewriter, RewriteDatabase):
                yield from _lines(rewriter, describer, f"{within}/{tag}", seen)
            else:
                try:
                    yield f"\n{within} {tag} {_rewriter(rewriter, describer)}"
                except Indescribable as found:
                    raise Indescribable(f"the rewrite {tag}, with {found}") from None
    for part in inner:
        yield from _lines(part, describer, f"{within}/", seen)


def _rewriter(rewriter: Any, describer: Describer) -> str:
    within = getattr(rewriter, "node_rewriter", rewriter)
    if type(within) not in _PLAIN or (within is not rewriter and type(rewriter) is not WalkingGraphRewriter):
        return describer.text(rewriter)
    attributes = list(vars(rewriter).values())
    if within is not rewriter:
        attributes += vars(within).values()
    kept = _described.get(id(rewriter))
    if kept is None or len(kept[1]) != len(attributes) or not all(map(operator.is_, kept[1], attributes)):
        kept = _described[id(rewriter)] = rewriter, attributes, describer.text(rewriter)
    return kept[2]


def refuse_foreign_conversions() -> None:
    """Refuse conversions of PyTensor's operations and types to Numba that are neither PyTensor's nor symae's.

    Raises
    ------
    Indescribable
    """
    from pytensor.link.numba.dispatch import basic

    for name in _CONVERTING:
        for kind, function in getattr(basic, name).registry.items():
            if _root(kind.__module__) in KNOWN and not _of_known(function):
                raise Indescribable(f"a conversion of {kind.__qualname__}, {function.__module__}.{function.__qualname__}")


_CONVERTING = ("numba_funcify", "numba_funcify_and_cache_key", "numba_funcify_default_op_cache_key", "numba_typify")


def _of_known(function: Any) -> bool:
    while hasattr(function, "__wrapped__") or isinstance(function, functools.partial):
        if not _defined_in_known(function):
            return False
        function = function.func if isinstance(function, functools.partial) else function.__wrapped__
    return _defined_in_known(function)


def _defined_in_known(function: Any) -> bool:
    module = getattr(function, "__globals__", {}).get("__name__", getattr(function, "__module__", None) or "functools")
    return _root(module) in KNOWN


def _root(module: str) -> str:
    return str(module).partition(".")[0]
