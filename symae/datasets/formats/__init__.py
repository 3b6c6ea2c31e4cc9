"""All formats of data sets: each is a file in this folder with a `Format` called ``FORMAT``, a file more is a format more."""

from __future__ import annotations

from symae._runtime.package_entries import entries, united
from symae.datasets.formats.base import Format

__all__ = ["FORMATS", "READERS", "WORDS"]


FORMATS: tuple[Format, ...] = tuple(sorted(entries(__name__, __path__, "FORMAT").values(), key=lambda known: known.position))
READERS = united("endings of data files", *(dict.fromkeys(known.endings, known) for known in FORMATS))
_FOLDERS = " or ".join(known.folder for known in FORMATS if known.folder)
*_FILES, _LAST = (known.files for known in FORMATS if known.files)
# what `symae.datasets.read` takes, in an error's words
WORDS = f"a folder with {_FOLDERS}, or a file {', '.join(_FILES)} or {_LAST}"
