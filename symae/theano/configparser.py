"""``theano.configparser``: flags, and how to change them for a while."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import Configuration, change_flags, config

__all__ = [
    "AddConfigVar",
    "BoolParam",
    "ConfigParam",
    "EnumStr",
    "FloatParam",
    "IntParam",
    "StrParam",
    "change_flags",
    "config",
]

TheanoConfigParser = Configuration
THEANO_FLAGS_DICT: dict[str, str] = {}

__getattr__ = getter(__name__, pytensor=["pytensor.configparser"])


class ConfigParam:
    """Hold the default value of a flag that a script adds."""

    def __init__(self, default: Any = None, *args: Any, **kwargs: Any):
        self.default = default


class EnumStr(ConfigParam):
    """Hold one of several words, the first by default."""


class StrParam(ConfigParam):
    """Hold a text."""


class IntParam(ConfigParam):
    """Hold a whole number."""


class FloatParam(ConfigParam):
    """Hold a number."""


class BoolParam(ConfigParam):
    """Hold True or False."""


def AddConfigVar(name: str, doc: str, configparam: ConfigParam, root: Any = config, in_c_key: bool = True) -> None:
    """Add the flag `name` to ``theano.config``, unless it has it."""
    if name not in config._values:
        default = configparam.default
        config._values[name] = default() if callable(default) else default
