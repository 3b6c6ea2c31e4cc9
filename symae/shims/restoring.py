"""Names that are put into modules for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

GONE = object()


@contextmanager
def names_restored(module: Any, names: Mapping[str, Any], replacing: bool = False) -> Iterator[None]:
    """Give `module` the `names` as long as the block lasts: those that it lacks, or with `replacing` all."""
    space = vars(module)
    before = {name: space.get(name, GONE) for name in names}
    for name, value in names.items():
        if replacing or name not in space:
            setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is GONE:
                if name in space:
                    delattr(module, name)
            else:
                setattr(module, name, value)


def module_of(name: str, names: Mapping[str, Any], doc: str = "A stand-in by symae.") -> ModuleType:
    """Make a module of these names."""
    module = ModuleType(name, doc)
    vars(module).update(names)
    module.__file__ = __file__
    return module
