"""Modes: what `symae.function` compiles in, by the name of a backend, with symae's rewrites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytensor
from pytensor.compile.mode import Mode, get_mode

from symae import rewrites
from symae.compile.backends import BACKENDS, BY_NAME, DEFAULT
from symae.errors import BackendError, InputError
from symae.rewrites.lazy_branches import surrounding_mode

_excluded: ContextVar[tuple[str, ...]] = ContextVar("excluded", default=())
_included: ContextVar[tuple[str, ...]] = ContextVar("included", default=())


@contextmanager
def options(*, exclude: Sequence[str] = (), include: Sequence[str] = ()) -> Iterator[None]:
    """Compile without the rewrites named in `exclude` inside the block, for comparison.

    With those, too, that are tagged for one of `include`, such as `symae.rewrites.registry.THEANO`.

    Raises
    ------
    InputError
        There is no rewrite of that name.
    """
    for name in exclude:
        if name not in rewrites.names():
            raise InputError("exclude", repr(name), f"a rewrite of symae: {', '.join(rewrites.names())}")
    without, more = _excluded.set((*_excluded.get(), *exclude)), _included.set((*_included.get(), *map(rewrites.tag, include)))
    try:
        yield
    finally:
        _excluded.reset(without)
        _included.reset(more)


def chosen_mode(mode: Any, backend: str | None) -> Any:
    """Return the mode that `mode` names or is, or that of `backend` where it is None, with what `options` include."""
    chosen = get_mode(mode_for(backend) if mode is None else mode)
    if _included.get() and type(chosen) is Mode:  # those of other classes forget their settings in a copy
        chosen = chosen.including(*_included.get())
    return chosen


def mode_for(backend: str | None) -> Any:
    """Return PyTensor's mode with symae's rewrites for `backend`, of None for the default.

    For that it is None where PyTensor is configured otherwise.

    Raises
    ------
    BackendError
        It is unknown, or not installed here.
    """
    if backend is None:
        configured = pytensor.config.mode.lower()
        linker = pytensor.config.linker
        if configured in BY_NAME:
            backend = configured
        elif configured in {"mode", "fast_run"} and linker in {"auto", "numba"} and pytensor.config.optimizer == "o4":
            backend = DEFAULT
        else:
            return None  # the user has configured PyTensor otherwise: so be it
    chosen = BY_NAME.get(backend)
    if chosen is None:
        raise BackendError("backend", repr(backend), f"one of {', '.join(BACKENDS)}")
    missing = chosen.missing()
    if missing is not None:
        raise BackendError(f"backend {backend!r}", *missing)
    config = pytensor.config
    switched_off = [name for name in config.optimizer_excluding.split(":") if name]
    switched_on = [name for name in config.optimizer_including.split(":") if name]
    return chosen.mode.including(*chosen.tags, *switched_on).excluding(*_excluded.get(), *switched_off)


def mode_of_branches(mode: Any) -> Any:
    """Return the mode that branches of a function in `mode` are rewritten in; None if they are not, by the `options` here."""
    return None if "lazy_branches" in _excluded.get() else mode


@contextmanager
def surrounding(mode: Any) -> Iterator[None]:
    """Let rewrites of inner graphs know the mode of symae's of the function that is compiled in the block; None for others."""
    token = surrounding_mode.set(mode)
    try:
        yield
    finally:
        surrounding_mode.reset(token)
