"""Theano's ``config``: flags by name, read from ``THEANO_FLAGS`` and ``.theanorc``.

Few of them mean something here. ``floatX``, ``cast_policy``, ``warn_float64`` and ``exception_verbosity`` are PyTensor's own;
``int_division``, ``mode``, ``optimizer``, ``linker`` and ``on_unused_input`` are heeded by `symae.theano`; a ``device`` other
than the CPU brings one warning that there is none. The others are accepted, kept and without effect. A name that Theano
never had brings one warning.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

import pytensor

from symae.errors import InputError
from symae.theano._impl.flag_sources import flags_outside
from symae.theano._impl.flags import CHOICES, FLAGS, PYTENSORS

__all__ = ["Configuration", "added", "change_flags", "config", "read_flags"]

# Flags that scripts add, with what converts their values.
added: dict[str, Any] = {}


class Configuration:
    """Hold flags as attributes, those with a dot as attributes of attributes: ``config.floatX``, ``config.warn.round``."""

    def __init__(self, prefix: str = "", values: dict[str, Any] | None = None):
        self.__dict__["_prefix"] = prefix
        self.__dict__["_values"] = {} if values is None else values

    def __getattr__(self, name: str) -> Any:
        full = self._prefix + name
        if full in PYTENSORS:
            return getattr(pytensor.config, full)
        if full in self._values:
            return self._values[full]
        if full in FLAGS:
            return FLAGS[full]
        if not name.startswith("_") and any(flag.startswith(f"{full}.") for flag in (*FLAGS, *self._values)):
            return Configuration(f"{full}.", self._values)
        raise AttributeError(f"theano.config.{full}: Theano had no such flag")

    def __setattr__(self, name: str, value: Any) -> None:
        full = self._prefix + name
        known = full in FLAGS or full in PYTENSORS
        if not known and full not in self._values:
            _warn(f"theano.config.{full}: Theano had no such flag; it is kept, and does nothing")
        value = _converted(full, value)
        if full in PYTENSORS:
            setattr(pytensor.config, full, value)
        elif full in {"device", "init_gpu_device"} and not str(value).startswith("cpu"):
            if value:
                _warn(f"theano.config.{full} is {value!r}: there is no GPU here, symae.theano computes on the CPU")
        else:
            self._values[full] = value

    def __dir__(self) -> list[str]:
        return sorted({flag[len(self._prefix) :].partition(".")[0] for flag in FLAGS if flag.startswith(self._prefix)})

    def __str__(self) -> str:
        flags = sorted((flag, self._flag(flag)) for flag in (*FLAGS, *PYTENSORS) if flag.startswith(self._prefix))
        return "\n".join(f"{flag} = {value}" for flag, value in flags)

    def change_flags(self, *args: Any, **flags: Any) -> Any:
        """Change these flags for a block or a function."""
        return change_flags(*args, **flags)

    def _flag(self, full: str) -> Any:
        return getattr(pytensor.config, full) if full in PYTENSORS else self._values.get(full, FLAGS.get(full))


class change_flags:
    """Change flags for a block or, as a decorator, for a function: ``change_flags(floatX="float32")``.

    Flags with a dot are given as a dictionary: ``change_flags([("warn.round", False)])`` or ``change_flags({…})``.
    """

    def __init__(self, args: Any = (), **flags: Any):
        self._flags = {**dict(args), **{name.replace("__", "."): value for name, value in flags.items()}}
        self._blocks: list[AbstractContextManager[None]] = []

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def changed(*args: Any, **kwargs: Any) -> Any:
            with _changed(self._flags):
                return function(*args, **kwargs)

        return changed

    def __enter__(self) -> None:
        self._blocks.append(_changed(self._flags))
        self._blocks[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        self._blocks.pop().__exit__(*error)


@contextmanager
def _changed(flags: dict[str, Any]) -> Iterator[None]:
    before = {name: config._flag(name) for name in flags}
    try:
        for name, value in flags.items():
            _set(name, value)
        yield
    finally:
        for name, value in before.items():
            _set(name, value)


def _set(full: str, value: Any) -> None:
    prefix, dot, name = full.rpartition(".")
    setattr(Configuration(prefix + dot, config._values), name, value)


def _converted(full: str, value: Any) -> Any:
    """Convert `value`, text from a file perhaps, to what the flag is."""
    if full in added:
        return added[full].converted(value)
    default = FLAGS.get(full)
    if isinstance(value, str) and isinstance(default, bool):
        lowered = value.strip().lower()
        if lowered not in {"1", "0", "true", "false", "yes", "no", ""}:
            raise InputError(f"theano.config.{full}", repr(value), "True or False")
        return lowered in {"1", "true", "yes"}
    if isinstance(value, str) and isinstance(default, int | float):
        try:
            return type(default)(value)
        except ValueError:
            raise InputError(f"theano.config.{full}", repr(value), "a number") from None
    if full in CHOICES and value not in CHOICES[full]:
        raise InputError(f"theano.config.{full}", repr(value), f"one of {', '.join(CHOICES[full])}")
    return value


_warned: set[str] = set()


def _warn(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, UserWarning, stacklevel=3)


def read_flags() -> None:
    """Read the flags from outside, unless that has been done since ``THEANO_FLAGS`` changed."""
    global _read
    if _read != os.environ.get("THEANO_FLAGS", ""):
        _read = os.environ.get("THEANO_FLAGS", "")
        for name, value in flags_outside(_warn):
            _set(name, value)


config = Configuration()
_read: str | None = None
read_flags()
