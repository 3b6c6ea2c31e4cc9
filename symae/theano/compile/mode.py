"""How functions are compiled, by Theano's names.

``FAST_RUN`` and ``Mode``, the default, are `symae.function`'s default, Numba unless PyTensor is configured otherwise;
``FAST_COMPILE`` is interpreted, with few rewrites: PyTensor's, and those that keep results finite. ``DebugMode`` is
interpreted, with all rewrites, and checks what they and the Ops do, as Theano's did. ``NanGuardMode`` is PyTensor's.
``ProfileMode`` is the default. The names of `symae.function`'s backends are accepted too.
"""

from __future__ import annotations

from collections import ChainMap
from typing import Any

from pytensor.compile import mode as _modes
from pytensor.compile.mode import (
    OPT_FAST_COMPILE,
    OPT_FAST_RUN,
    OPT_FAST_RUN_STABLE,
    OPT_MERGE,
    OPT_NONE,
    OPT_STABILIZE,
    AddDestroyHandler,
    Mode,
    optdb,
    predefined_linkers,
    predefined_optimizers,
    register_linker,
    register_mode,
    register_optimizer,
)

from symae.compile import BACKENDS, mode_for
from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config
from symae.theano.compile.debugmode import DebugMode

__all__ = [
    "OPT_FAST_COMPILE",
    "OPT_FAST_RUN",
    "OPT_FAST_RUN_STABLE",
    "OPT_MERGE",
    "OPT_NONE",
    "OPT_STABILIZE",
    "AddDestroyHandler",
    "DebugMode",
    "Mode",
    "ProfileMode",
    "get_default_mode",
    "get_mode",
    "optdb",
    "predefined_linkers",
    "predefined_modes",
    "predefined_optimizers",
    "register_linker",
    "register_mode",
    "register_optimizer",
    "resolved",
]

_absent = getter(__name__, pytensor=["pytensor.compile.mode"])


def __getattr__(name: str) -> Any:
    # Modes are made when they are asked for: which one FAST_RUN is depends on what is configured by then.
    return get_mode(name) if name in ("FAST_COMPILE", "FAST_RUN") else _absent(name)


_DEFAULT = {"mode", "fast_run", "profilemode", "profile_mode", "fast_run_nogc"}
_DEBUG = {"debugmode", "debug_mode"}


def resolved(mode: Any) -> tuple[Any, str | None]:
    """Return the mode and the backend to hand to `symae.function` for a Theano `mode`.

    Raises
    ------
    InputError
        There is no mode of that name.
    """
    if mode is None:
        mode = _configured()
    if not isinstance(mode, str):
        return mode, None
    name = mode.lower()
    if name in _DEFAULT:
        return None, None
    if name in BACKENDS:
        return None, name
    if name in _DEBUG:
        return predefined_modes["DEBUG_MODE"], None
    if name == "fast_compile":
        # In Theano's, too, the logarithm of a softmax came from the scores and was finite.
        return _modes.get_mode(mode).including("stabilize", "entries_of_softmax"), None
    if name == "nanguardmode":
        return _modes.get_mode(mode), None
    if mode in predefined_modes:
        return predefined_modes[mode], None
    raise InputError("mode", repr(mode), "FAST_RUN, FAST_COMPILE, DebugMode, NanGuardMode, ProfileMode or a Mode")


def _configured() -> str:
    if config.mode.lower() == "mode" and (config.optimizer in {"fast_compile", "None"} or config.linker == "py"):
        return "FAST_COMPILE"
    return str(config.mode)


def get_mode(orig_string: Any = None) -> Mode:
    """Return the mode of that name, the configured one for None."""
    mode, backend = resolved(orig_string)
    return _modes.get_mode(mode_for(backend) if mode is None else mode)


def get_default_mode() -> Mode:
    """Return the mode that functions are compiled in by default."""
    return get_mode(None)


# Theano's mode of that name in place of PyTensor's, which compiles C code
predefined_modes = ChainMap({"DEBUG_MODE": DebugMode()}, _modes.predefined_modes)


def ProfileMode(*args: Any, **kwargs: Any) -> Mode:
    """Return the default mode: ``theano.function(…, profile=True)`` profiles."""
    return get_default_mode()
