"""The page of a run as one file that needs no server: the answers it would ask for, inside."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any

from symae._runtime.atomic_files import write_text
from symae.compile.backends import DEFAULT
from symae.errors import InputError
from symae.inspector.api import Answers
from symae.inspector.assets import MODULES, asset
from symae.inspector.runs import Run

__all__ = ["export_html", "export_page"]

_log = logging.getLogger(__name__)

UNITS, DEEPER, CLIMBED = 512, 64, 8  # of a layer: of the first one, of deeper ones, and of these with their best inputs
IMAGES = 20
EPOCHS = 50


def export_page(runs: Sequence[Run], path: str | PathLike[str], say: Callable[[str], None] = lambda _: None) -> None:
    """Write the page of `runs` to `path`: one file, read-only, without any request.

    Raises
    ------
    UnwritableError
        `path` cannot be written.
    """
    write_text(path, export_html(runs, say))


def export_html(runs: Sequence[Run], say: Callable[[str], None] = lambda _: None) -> str:
    """The page as text.

    It holds all filters, orders, curves, graphs and maps of codes; of the first layer 512 units and of deeper ones 64, but the
    inputs that excite these most, found by gradient ascent, of 8 only; 20 images with their reconstructions and feature maps,
    and 50 kept epochs.
    """
    answers = Answers(runs)
    kept: dict[str, Any] = {}

    def keep(path: str) -> Any:
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
        if kind == "application/json":
            kept[path] = json.loads(content)
        else:
            kept[path] = {"base64": base64.b64encode(content).decode(), "type": kind}
        return kept[path]

    listed = keep("runs")
    if listed is None:
        raise InputError("export", kept["runs"]["refused"], "runs that can be listed")
    listed["live"] = False
    for run in listed["runs"]:
        run["running"] = False
        for model in run["models"]:
            say(f"{run['name']}, {model['name']}")
            start = f"{run['number']}/{model['name']}"
            about = keep(f"{start}/model")
            if about is not None:
                for path in _paths(start, about):
                    keep(path)
    training = keep("training")
    if training is not None:
        training["running"] = False
    return _page(kept, ", ".join(run.name for run in runs))


def _paths(start: str, about: dict[str, Any]) -> Iterator[str]:
    """What the page asks for about one model."""
    examples, damage = about["examples"], about["corruption"]
    for layer in about["layers"]:
        name, units = layer["name"], layer["units"]
        yield f"{start}/filters/{name}"
        for sprite in range(-(-units // 1024)):
            yield f"{start}/sprite/{name}/{sprite}"
        for sort in ("norm", "similarity", *(["active"] if examples else [])):
            yield f"{start}/order/{name}/{sort}"
        if examples:
            yield f"{start}/activity/{name}"
        for unit in range(min(units, UNITS if layer["pixels"] else DEEPER)):
            yield f"{start}/unit/{name}/{unit}"
            if layer["pixels"] or unit < CLIMBED:
                yield f"{start}/best/{name}/{unit}"
        for epoch in _spread(about["epochs"]):
            yield f"{start}/epoch/{epoch}/{name}"
    if examples:
        yield f"{start}/images/0"
        for image in range(min(IMAGES, examples["count"])):
            yield f"{start}/nodes/{image}"
            if about["reconstructs"]:
                for level in (0, damage["level"] or 0.3):
                    yield f"{start}/reconstruct/{image}?kind={damage['kind']}&level={level:g}&seed=0"
    if about["latent"]:
        yield f"{start}/latent"
        yield f"{start}/atlas"
    for graph in about["graphs"]:
        for stage in ("before", "after"):
            yield f"{start}/graph/{graph}/{stage}?backend={DEFAULT}"


def _spread(epochs: list[int]) -> list[int]:
    """At most `EPOCHS` of the epochs, the first and the last among them."""
    if len(epochs) <= EPOCHS:
        return epochs
    return sorted({epochs[round(i * (len(epochs) - 1) / (EPOCHS - 1))] for i in range(EPOCHS)})


def bundled() -> str:
    """The page's modules as one: their imports and exports are of each other only, and their names differ."""
    parts = []
    for name in MODULES:
        text = asset(name).decode()
        text = re.sub(r"^import\s[^;]*;\n", "", text, flags=re.MULTILINE)
        parts.append(re.sub(r"^export (?=(async )?(function|const|let|class)\b)", "", text, flags=re.MULTILINE))
    return "\n".join(parts)


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
    return html.replace('<script type="module" src="page/app.js"></script>', module)
