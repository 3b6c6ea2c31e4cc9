"""All tabs of the page: each is a Python file in this folder with a `Tab` called ``TAB``, and a JavaScript file beside it.

``name.py`` answers, ``name.js`` shows: it hands its function to ``addTab``. The page's navigation, its routes, its files, and
what an exported page keeps come from here, so a tab more is two files more.
"""

from __future__ import annotations

import importlib
import pkgutil

from symae.inspector.tabs.base import Tab

__all__ = ["TABS"]


def _found() -> dict[str, Tab]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"]
    tabs = {name: importlib.import_module(f"{__name__}.{name}").TAB for name in names}
    return dict(sorted(tabs.items(), key=lambda item: item[1].position))


TABS = _found()
