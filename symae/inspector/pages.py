"""The page of one inspection that Python has: opened, or kept as a file."""

from __future__ import annotations

from os import PathLike

from symae._runtime.notebook import is_interactive
from symae.inspector.inspection import Inspection
from symae.inspector.opened_model import OpenedModel


class InspectionPages:
    """Open and keep pages; server and export are imported when they are needed."""

    def show(self, inspection: Inspection, port: int | None, browser: bool, wait: bool | None = None) -> str | None:
        """Serve the page, as `Inspection.show` says; whether it is to `wait` is found out if it is not given."""
        from symae.inspector.server import serve

        waits = not is_interactive() if wait is None else wait
        return serve([OpenedModel(inspection)], port, browser=browser, wait=waits)

    def export(self, inspection: Inspection, path: str | PathLike[str]) -> None:
        """Write the page, as `Inspection.export` says."""
        from symae.inspector.export import export_page

        export_page([OpenedModel(inspection)], path)


Inspection.pages = InspectionPages()
