"""``theano.configparser``: flags, and how to change them for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import Configuration, added, change_flags, config

__all__ = [
    "AddConfigVar",
    "BoolParam",
    "ConfigParam",
    "EnumStr",
    "FloatParam",
    "IntParam",
    "StrParam",
    "TypedParam",
    "change_flags",
    "config",
]

TheanoConfigParser = Configuration
THEANO_FLAGS_DICT: dict[str, str] = {}

__getattr__ = getter(__name__, pytensor=["pytensor.configparser"])


class ConfigParam:
    """Hold the default value of a flag that a script adds, and what makes a value of one that is set.

    Parameters
    ----------
    default
        The value, or a function that returns it.
    filter : callable, optional
        Takes a value, which is text where it comes from ``THEANO_FLAGS``, and returns what it means, or raises ValueError.
    allow_override : bool
        Accepted, and without effect.
    """

    fullname = doc = ""

    def __init__(self, default: Any = None, filter: Callable[[Any], Any] | None = None, allow_override: bool = True):
        self.default, self.filter, self.allow_override = default, filter, allow_override

    def converted(self, value: Any) -> Any:
        """Return what a flag that is set to `value` has."""
        return value if self.filter is None else self.filter(value)


class EnumStr(ConfigParam):
    """Hold one of several words, the first by default; `convert` is asked first what a word is."""

    def __init__(self, default: str, *options: str, convert: Callable[[Any], Any] | None = None, allow_override: bool = True):
        super().__init__(default, self._one, allow_override)
        self.all, self._convert = (default, *options), convert

    def _one(self, value: Any) -> Any:
        value = self._convert(value) if self._convert is not None else value
        if value not in self.all:
            raise ValueError(f"theano.config.{self.fullname}: found {value!r}, expected one of {', '.join(self.all)}")
        return value


class TypedParam(ConfigParam):
    """Hold a value of a type, of which `is_valid` says whether it is one."""

    def __init__(
        self,
        default: Any,
        mytype: Callable[[Any], Any],
        is_valid: Callable[[Any], Any] | None = None,
        allow_override: bool = True,
    ):
        super().__init__(default, self._valid, allow_override)
        self.mytype, self._is_valid = mytype, is_valid

    def _valid(self, value: Any) -> Any:
        value = self.mytype(value)
        if self._is_valid is not None and not self._is_valid(value):
            raise ValueError(f"theano.config.{self.fullname}: {value!r} is not valid")
        return value


class StrParam(TypedParam):
    """Hold a text."""

    def __init__(self, default: Any, is_valid: Callable[[Any], Any] | None = None, allow_override: bool = True):
        super().__init__(default, str, is_valid, allow_override)


class IntParam(TypedParam):
    """Hold a whole number."""

    def __init__(self, default: Any, is_valid: Callable[[Any], Any] | None = None, allow_override: bool = True):
        super().__init__(default, int, is_valid, allow_override)


class FloatParam(TypedParam):
    """Hold a number."""

    def __init__(self, default: Any, is_valid: Callable[[Any], Any] | None = None, allow_override: bool = True):
        super().__init__(default, float, is_valid, allow_override)


class BoolParam(TypedParam):
    """Hold True or False, for which a text may stand: "True", "true", "1", "False", "false" or "0"."""

    def __init__(self, default: Any, is_valid: Callable[[Any], Any] | None = None, allow_override: bool = True):
        super().__init__(default, self._bool, is_valid, allow_override)

    def _bool(self, value: Any) -> bool:
        if str(value) not in _BOOLS:
            raise ValueError(f"theano.config.{self.fullname}: found {value!r}, expected True or False")
        return _BOOLS[str(value)]


_BOOLS = {"True": True, "true": True, "1": True, "False": False, "false": False, "0": False}


def AddConfigVar(name: str, doc: str, configparam: ConfigParam, root: Any = config, in_c_key: bool = True) -> None:
    """Add the flag `name` to ``theano.config``, unless it has it: with the value that ``THEANO_FLAGS`` has, or the default.

    Raises
    ------
    ValueError
        That value is not one of the flag's, as `configparam` says.
    """
    if name in added:
        return
    configparam.fullname, configparam.doc = name, doc
    default = configparam.default
    given = THEANO_FLAGS_DICT.pop(name, config._values.get(name, default() if callable(default) else default))
    config._values[name] = configparam.converted(given)
    added[name] = configparam
