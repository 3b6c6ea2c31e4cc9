"""The files of the page: those of the folder ``page``, and the JavaScript of the tabs."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from symae._runtime.package_entries import united
from symae.inspector.tabs import TABS
from symae.report.theme import theme

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
FOLDER = Path(__file__).parent
PATHS = united(
    "files of the page",
    {path.name: path for path in sorted((FOLDER / "page").iterdir()) if path.suffix in TYPES},
    {f"{name}.js": FOLDER / "tabs" / f"{name}.js" for name in TABS},
)
ASSETS = {name: TYPES[path.suffix] for name, path in PATHS.items()}
# what is loaded by the page itself, in this order: the page begins when it knows its tabs
SCRIPTS = (*(f"{name}.js" for name in TABS), "app.js")
IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class)) (\w+)", re.MULTILINE)


@functools.cache
def asset(name: str) -> bytes:
    """Return the file `name`, one of `ASSETS`."""
    content = PATHS[name].read_bytes()
    return theme().encode() + content if name == "style.css" else content


def _ordered(*names: str) -> list[str]:
    """Return `names` and all that they import, each module after those that it imports."""
    found: dict[str, None] = {}
    for name in names:
        if name not in found:
            found |= dict.fromkeys(_ordered(*(source for _, source in IMPORT.findall(asset(name).decode()))))
            found[name] = None
    return list(found)


# JavaScript modules in the order in which each has those before it
MODULES = tuple(_ordered(*SCRIPTS))


def bundled() -> str:
    """Return the page's modules as one, each a function that returns what it exports."""
    parts = []
    for name in MODULES:
        text = asset(name).decode()
        exported = ", ".join(name for _, name in EXPORT.findall(text))
        text = IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_variable(found[2])};\n", EXPORT.sub(r"\1 \2", text))
        parts.append(f"const {_variable(name)} = (() => {{\n{text}return {{ {exported} }};\n}})();\n")
    return "".join(parts)


def _variable(module: str) -> str:
    return module.replace(".", "_")
