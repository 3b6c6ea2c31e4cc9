"""All tabs of the page: each is a Python file in this folder with a `Tab` called ``TAB``, and a JavaScript file beside it.

``name.py`` answers, ``name.js`` shows: it hands its function to ``addTab``. The page's navigation, its routes, its files, and
what an exported page keeps come from here, so a tab more is two files more.
"""

from __future__ import annotations

from symae._runtime.package_entries import entries
from symae.inspector.tabs.base import Tab

__all__ = ["TABS"]


TABS: dict[str, Tab] = dict(sorted(entries(__name__, __path__, "TAB").items(), key=lambda item: item[1].position))
