"""The page of a run as one file that needs no server: the answers it would ask for, inside."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import math
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from symae._runtime.atomic_files import write_text
from symae.errors import InputError
from symae.inspector.api.routes import Answers
from symae.inspector.assets import asset, bundled
from symae.inspector.runs import Run
from symae.inspector.tabs import TABS

LARGEST = 2**27  # bytes of all answers in a page
LARGEST_TAB = 2**26  # of them, of a tab of a model
_log = logging.getLogger(__name__)


def export_page(runs: Sequence[Run], path: str | PathLike[str], say: Callable[[str], None] = lambda _: None) -> None:
    """Write the page of `runs` to `path`, or raise UnwritableError: one file, read-only, without any request."""
    write_text(path, export_html(runs, say))


def export_html(runs: Sequence[Run], say: Callable[[str], None] = lambda _: None) -> str:
    """Return the page as text.

    It holds all filters, orders, curves, graphs and maps of codes; of the first layer 512 units and of deeper ones 64, but the
    inputs that excite these most, found by gradient ascent, of 16 only; 20 images with their reconstructions and feature
    maps, small pictures and nearest neighbours of as many as 3 MB hold, and 50 kept epochs. A tab of a model has 64 MiB of all
    that, and the page 128; `say` is told what has no room.
    """
    answers = Answers(runs, live=False)
    kept: dict[str, Any] = {}
    size = 0

    def keep(path: str, room: float = math.inf) -> Any:
        """Put an answer into the page, unless it is more than `room` bytes, and return it; None if it is not there."""
        nonlocal size
        route, _, text = path.partition("?")
        query = dict(part.split("=", 1) for part in text.split("&") if part)
        try:
            kind, content = answers.get(route, query)
        except InputError as error:
            kept[path] = {"refused": str(error)}
            return None
        except Exception as error:  # of symae's own: all other answers are worth keeping
            _log.exception("%s", path)
            say(f"  {path} could not be computed: {type(error).__name__}: {error}")
            kept[path] = {"refused": f"symae failed: {type(error).__name__}: {error}"}
            return None
        answered = content if kind == "application/json" else base64.b64encode(content)
        if len(answered) > room:
            return None
        size += len(answered)
        kept[path] = json.loads(answered) if kind == "application/json" else {"base64": answered.decode(), "type": kind}
        return kept[path]

    listed = keep("runs")
    if listed is None:
        raise InputError("export", kept["runs"]["refused"], "runs that can be listed")
    for run in listed["runs"]:
        for model in run["models"]:
            say(f"{run['name']}, {model['name']}")
            start = f"{run['number']}/{model['name']}"
            about = keep(f"{start}/model")
            if about is not None:
                # what is computed of many units at once comes before what asks for the same one by one
                for tab in reversed(TABS.values()):
                    most = min(size + LARGEST_TAB, LARGEST)
                    for path in tab.kept(about):
                        if keep(f"{start}/{path}", most - size) is None and f"{start}/{path}" not in kept:
                            say(f"  {tab.title}: {path} and what comes after it have no room in one file")
                            break
    for tab in TABS.values():
        for path in tab.of_runs:
            keep(path)
    return _page(kept, ", ".join(run.name for run in runs))


def _page(kept: dict[str, Any], title: str) -> str:
    script, style = bundled(), asset("style.css").decode()
    if "</script" in script.lower() or "</style" in style.lower():
        raise InputError("page", "an end tag in a script or style", "none")

    def allowed(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    policy = (
        f"default-src 'none'; script-src {allowed(script)}; style-src {allowed(style)}; img-src data: blob:; base-uri 'none'; "
        "form-action 'none'"
    )
    data = json.dumps(kept, separators=(",", ":"), allow_nan=False)
    # what ends a script element, or begins a comment in one, must not stand in its data
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    html = asset("index.html").decode()
    # the policy has to come before everything that it is about
    html = html.replace("<!-- policy -->", f'<meta http-equiv="Content-Security-Policy" content="{policy}">')
    html = html.replace("<!-- modules -->\n", "").replace(
        '<link rel="stylesheet" href="page/style.css">', f"<style>{style}</style>"
    )
    module = f'<script type="application/json" id="exported">{data}</script>\n<script type="module">{script}</script>'
    return html.replace("<!-- scripts -->", module)
