"""All formats of data sets: each is a file in this folder with a `Format` called ``FORMAT``, a file more is a format more."""

from __future__ import annotations

import importlib
import pkgutil

from symae.datasets.formats.base import Format

__all__ = ["FORMATS", "READERS", "WORDS"]


def _found() -> tuple[Format, ...]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"]
    formats: list[Format] = [importlib.import_module(f"{__name__}.{name}").FORMAT for name in names]
    return tuple(sorted(formats, key=lambda known: known.position))


FORMATS = _found()
READERS = {ending: known.read_file for known in FORMATS for ending in known.endings if known.read_file is not None}
_FOLDERS = " or ".join(known.folder for known in FORMATS if known.folder)
*_FILES, _LAST = (known.files for known in FORMATS if known.files)
# what `symae.datasets.read` takes, in an error's words
WORDS = f"a folder with {_FOLDERS}, or a file {', '.join(_FILES)} or {_LAST}"
