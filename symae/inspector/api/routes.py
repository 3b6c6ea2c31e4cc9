"""Which path asks for what. The server hands the answers out, and an export keeps them.

Every path names things that exist: a run by its number, a model and a layer by their names, a unit and an image by theirs.
Nothing is ever opened by a name that came with a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import numpy as np

from symae._runtime.package_entries import united
from symae.inspector.api.responses import Answer, Content, Query, UnknownError, json_answer
from symae.inspector.api.runs import model, run_listed
from symae.inspector.runs import Run
from symae.inspector.tabs import TABS

# what comes after the run and the model in a path
ABOUT_MODELS: dict[str, Answer] = united("paths of tabs", {"model": model}, *(tab.answers for tab in TABS.values()))
POSTED = united("paths that tabs post to", *(tab.posted for tab in TABS.values()))
FILES = united("paths that tabs send files to", *(tab.files for tab in TABS.values()))
OF_RUNS = united("paths of tabs about all runs", *(tab.of_runs for tab in TABS.values()))


class Answers:
    """Answer questions about some runs; where they are not `live`, for a page that is kept, they do not go on."""

    def __init__(self, runs: Sequence[Run], live: bool = True):
        self.runs = list(runs)
        self.live = live

    def get(self, path: str, query: Query) -> Content:
        """Return content type and content for a path such as ``0/model/filters/W``, quoted as in URLs; or UnknownError."""
        with np.errstate(all="ignore"):  # of a model that has diverged, all is infinite or not a number, and shown as that
            return self._get(path, query)

    def _get(self, path: str, query: Query) -> Content:
        parts = [unquote(part) for part in path.split("/")]
        if parts == ["runs"]:
            listed = [run_listed(i, run, self.live) for i, run in enumerate(self.runs)]
            tabs = [{"name": name, "title": tab.title, "needs_model": tab.needs_model} for name, tab in TABS.items()]
            return json_answer({"runs": listed, "tabs": tabs, "live": self.live})
        if path in OF_RUNS:
            return json_answer(OF_RUNS[path](self.runs, self.live))
        if len(parts) < 3:
            raise UnknownError(f"/api/{path[:80]}", "nothing there", f"{', '.join(['runs', *OF_RUNS])}, or RUN/MODEL/WHAT")
        run = self._numbered(parts[0])
        if parts[2] not in ABOUT_MODELS:
            raise UnknownError(f"/api/{path[:80]}", f"no {parts[2][:40]!r}", f"one of {', '.join(ABOUT_MODELS)}")
        return ABOUT_MODELS[parts[2]](run, parts[1], parts[3:], query)

    def post(self, path: str, body: Any) -> Content:
        """Answer a drawing: ``0/model/draw`` with its pixels reconstructs it."""
        parts = [unquote(part) for part in path.split("/")]
        if len(parts) != 3 or parts[2] not in POSTED:
            raise UnknownError(f"/api/{path[:80]}", "nothing to post to", f"RUN/MODEL/ and one of {', '.join(POSTED)}")
        with np.errstate(all="ignore"):
            return POSTED[parts[2]](self._numbered(parts[0]), parts[1], body)

    def receive(self, path: str, content: bytes, query: Query) -> Content:
        """Answer a file: ``0/model/picture`` with a PNG returns its pixels."""
        parts = [unquote(part) for part in path.split("/")]
        if len(parts) != 3 or parts[2] not in FILES:
            raise UnknownError(f"/api/{path[:80]}", "no place for a file", f"RUN/MODEL/ and one of {', '.join(FILES)}")
        return FILES[parts[2]](self._numbered(parts[0]), parts[1], content, query)

    def _numbered(self, number: str) -> Run:
        """Return the run of that number, which must still be there."""
        if not number.isdecimal() or len(number) > 4 or int(number) >= len(self.runs):
            known = ", ".join(f"{i} ({run.name})" for i, run in enumerate(self.runs[:20]))
            raise UnknownError("run", repr(number[:40]), f"one of {known}")
        run = self.runs[int(number)]
        run.check()
        return run
