"""Which Python a script is for that does not tell, by the modules beside it that it imports."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from symae.errors import InputError
from symae.legacy.owners import is_inside
from symae.python2.convert import Source, parse, parse_text

__all__ = ["as_its_modules"]


def as_its_modules(source: Source) -> Source:
    """Return a script that is for either Python as one for Python 2, if a module of its own is, and none is for Python 3.

    Those that it imports are looked at, and what they import, beside it and in folders of ``sys.path`` below its own.
    """
    if source.python_version != "either":
        return source
    top = source.path.parent
    folders = [top, *(Path(path) for path in map(os.path.realpath, sys.path) if path != str(top) and is_inside(path, str(top)))]
    waiting, seen, found = [source], {source.path}, set()
    while waiting:
        module = waiting.pop()
        found.add(module.python_version)
        for path in _imported(module.tree, [module.path.parent, *folders]):
            if path not in seen and "site-packages" not in path.parts:
                seen.add(path)
                try:
                    waiting.append(parse(path))
                except InputError:
                    continue  # what is wrong with it is said when it is imported, if it is
    if "python2" not in found or "python3" in found:
        return source
    return replace(parse_text(source.text, source.path, of_python2=True), path=source.path)


def _imported(tree: ast.Module, folders: list[Path]) -> Iterator[Path]:
    """Yield the files in `folders` that a module's imports may mean."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            before = f"{node.module}." if node.module else ""
            names = [before + alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            for folder in folders:
                for end in range(1, len(parts) + 1):
                    path = folder.joinpath(*parts[:end])
                    yield from (p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file())
