r"""``re`` as it was until Python 3.6: an escape without a meaning, as ``\p``, was the letter, and flags stood anywhere."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from symae.shims.restoring import module_of

if TYPE_CHECKING:
    from symae.legacy.session import Session

__all__ = ["patterns_of"]

ESCAPE = re.compile(r"\\(.)", re.DOTALL)
WITHOUT_MEANING = set("CEFGHIJKLMNOPQRTUVXYceghijklmopquyz")
FLAGS = re.compile(r"(?<!\\)\(\?[aiLmsux]+\)")


def _readable(pattern: Any) -> Any:
    if not isinstance(pattern, str):
        return pattern
    try:
        re.compile(pattern)
    except re.error:
        pattern = ESCAPE.sub(lambda found: found[found[1] in WITHOUT_MEANING], pattern)
        return "".join(FLAGS.findall(pattern)) + FLAGS.sub("", pattern)
    return pattern


def _reading(function: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(function)(lambda pattern, *args, **kwargs: function(_readable(pattern), *args, **kwargs))


def patterns_of(session: Session) -> ModuleType:
    """Make re for the script: Python 3's own where the script is of Python 3."""
    functions = ("compile", "findall", "finditer", "match", "search", "split", "sub", "subn")
    old = {} if session.python_version == "python3" else {name: _reading(getattr(re, name)) for name in functions}
    return module_of("re", {**vars(re), **old})
