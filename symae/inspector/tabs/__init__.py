"""All tabs of the page: each is a Python file in this folder with a `Tab` called ``TAB``, and a JavaScript file beside it.

``name.py`` answers, ``name.js`` shows: it hands its function to ``addTab``. The page's navigation, its routes, its files, and
what an exported page keeps come from here, so a tab more is two files more.
"""

from __future__ import annotations

from symae._runtime.package_entries import entries
from symae.inspector.inspection import Inspection
from symae.inspector.runs import Run
from symae.inspector.tabs.base import Tab

__all__ = ["TABS", "shown_tabs"]


TABS: dict[str, Tab] = dict(sorted(entries(__name__, __path__, "TAB").items(), key=lambda item: item[1].position))


def shown_tabs(run: Run, inspection: Inspection | None) -> list[str]:
    """Return the names of the tabs that have something to show of a model, or of a run that has none."""
    return [
        name for name, tab in TABS.items() if (inspection is not None or not tab.needs_model) and tab.shows(run, inspection)
    ]
