"""Pages of the site that follow from the code: reference, commands, patches, findings; and files from outside of `docs/`.

mkdocs calls the functions called `on_…` (its hooks). A page of `docs/` takes what is made here in place of a comment such as
``<!-- patches -->``, so that it can be read without the site, too.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import io
import os
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symae"
# What lies in symae/ for other modules of symae alone; all else there that has a list ``__all__`` is for users.
INTERNAL = {"kernels"}
# Public modules that lie deeper: they are named in docstrings and pages as what is called.
DEEPER = {
    "symae.inspector.inspection": "Inspection",
    "symae.legacy.run": "run_script",
    "symae.port.pipeline": "port",
    "symae.runs.worksheet": "Worksheet",
}
# Public classes that have methods of a base which is none.
INHERITING = {"symae.keras.Model"}
# pictures and pages that lie elsewhere in the repository, by their name on the site
COPIED = {"pictures": "worksheets/*.png", "benchmarks": "tests/benchmarks/*.svg"}
INCLUDED = {"changes.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}


def exported(file: Path) -> list[str]:
    """Return the names in a module's list ``__all__``, read without importing it; none if it has none, or makes it."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == "__all__":
                with contextlib.suppress(ValueError):
                    return list(ast.literal_eval(node.value))
    return []


@functools.cache
def public_modules() -> dict[str, list[str]]:
    """Return the names that each public module exports, by the module: ``symae``, then what lies in it, then what deeper."""
    found = {"symae": exported(PACKAGE / "__init__.py")}
    for file in sorted([*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py")], key=lambda file: file.relative_to(PACKAGE)):
        name = file.parent.name if file.stem == "__init__" else file.stem
        if name.startswith("_") or name in {"symae", "theano", *INTERNAL}:
            continue
        if names := exported(file):
            found[f"symae.{name}"] = names
    for module, names in DEEPER.items():
        found[module] = names.split()
    return found


def _file_of(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _definition(module: str, name: str) -> str:
    """Return where a name comes from: the module that it is defined in, followed through imports."""
    tree = ast.parse(_file_of(module).read_text(encoding="utf-8"))
    for node in [part for found in tree.body for part in (found.body if isinstance(found, ast.If) else [found])]:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "symae":
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _definition(node.module, alias.name)
        elif isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
            return f"{node.module}.{name}"  # another package's
    return f"{module}.{name}"


def _home(name: str) -> str | None:
    """Return the page of the reference on which a name of ``symae`` stands, if that is not the page of ``symae`` itself."""
    wanted = _definition("symae", name)
    for module, names in public_modules().items():
        if module != "symae" and name in names and _definition(module, name) == wanted:
            return module
    return None


def _docstring(module: str) -> str:
    """Return the first paragraph of a module's docstring."""
    text = ast.get_docstring(ast.parse(_file_of(module).read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


def _reference_page(module: str, names: list[str]) -> str:
    parts = [f"# {module}", _docstring(module)]
    here = []
    if module == "symae":
        rows = []
        for name in names:
            home = None if name == "__version__" else _home(name)
            rows.append(f"| [`symae.{name}`][{home or 'symae'}.{name}] | `{home}` |" if home else f"| `symae.{name}` | here |")
            here += [] if home or name == "__version__" else [name]
        parts.append("\n".join(["| name | described in |", "|---|---|", *rows]))
        parts.append("`symae.__version__` is the version, as a text.")
    else:
        here = names
    for name in here:
        defined = _definition(module, name)
        if defined.startswith("symae."):
            options = "\n    options: {inherited_members: true}" if f"{module}.{name}" in INHERITING else ""
            parts.append(f"::: {module}.{name}{options}")
        else:
            parts.append(f"## {name} {{ #{module}.{name} }}\n\nPyTensor's, from `{defined.rpartition('.')[0]}`.")
    return "\n\n".join(parts) + "\n"


def _theanos_names() -> str:
    """Return the page of the names that `symae.theano` has, module by module."""
    theano = importlib.import_module("symae.theano")
    lines = [
        "# symae.theano",
        "Theano's namespace, with Theano's meaning, on PyTensor: `import symae.theano as theano`. "
        "[Run legacy Theano scripts](../legacy.md) says what is Theano's there and not PyTensor's, and "
        "[Theano's own tests](../theano_tests.md) how much of it is. What a function does is in Theano's documentation; "
        "here are the names that there are. One that is missing raises an error that says what to use instead.",
        "::: symae.theano.install\n    options: {show_root_full_path: true}" if hasattr(theano, "install") else "",
        "::: symae.theano.uninstall\n    options: {show_root_full_path: true}" if hasattr(theano, "uninstall") else "",
    ]
    for module, names in theanos_modules():
        lines += [f"## {module.removeprefix('symae.')}", ", ".join(f"`{name}`" for name in names)]
    return "\n\n".join(line for line in lines if line) + "\n"


def theanos_modules() -> Iterator[tuple[str, list[str]]]:
    """Yield the modules of `symae.theano` that are Theano's, with their names that are functions, classes and values."""
    theano = importlib.import_module("symae.theano")
    walked = pkgutil.walk_packages(theano.__path__, "symae.theano.")
    modules = ["symae.theano", *(found.name for found in walked if not re.search(r"\._|\.tests\b|\.plugin$", found.name))]
    for name in modules:
        module = importlib.import_module(name)
        found = getattr(module, "__all__", None)
        if found is None:
            found = [key for key, value in vars(module).items() if not key.startswith("_") and not hasattr(value, "__path__")]
        found = [key for key in found if type(getattr(module, key, None)).__name__ not in ("module", "_Feature")]
        if found:
            yield name, sorted(set(found), key=str.lower)


def _help(*arguments: str) -> str:
    """Return what ``symae`` with these arguments prints."""
    from symae.cli.main import main

    out = io.StringIO()
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            main([*arguments, "--help"])
    finally:
        os.environ.pop("COLUMNS")
        os.environ |= {"COLUMNS": columns} if columns else {}
    return out.getvalue().strip()


def _commands() -> str:
    names = re.findall(r"^    ([a-z]+) ", _help(), re.MULTILINE)
    parts = ["# The symae command", "What each command says with `--help`.", f"```text\n{_help()}\n```"]
    for name in names:
        parts += [f"## symae {name}", f"```text\n{_help(name)}\n```"]
    return "\n\n".join(parts) + "\n"


def patches_table() -> str:
    """Return what `symae.patches` says of each patch."""
    from symae.patches import PATCHES

    rows = ["| patch | for | replaces |", "|---|---|---|"]
    details = []
    for patch in sorted(PATCHES, key=lambda patch: (patch.backend or "PyTensor", patch.name)):
        rows.append(f"| [`{patch.name}`](#{patch.name}) | {patch.backend or 'PyTensor'} | {_cell(patch.replaces)} |")
        needed = "yes: without it symae does not compile for this backend" if patch.required else "no"
        details += [
            f"### `{patch.name}` {{ #{patch.name} }}",
            f"*Replaces* {patch.replaces}.\n\n*Without it*: {patch.why}.\n\n"
            f"*Tested with* {patch.tested}. *Required*: {needed}.\n\n"
            f"*Upstream*: {_sentence(patch.upstream)}\n\n*Goes when* {_sentence(patch.delete_when)}",
        ]
    return "\n".join(rows) + "\n\n## Each of them\n\n" + "\n\n".join(details)


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def findings() -> list[tuple[str, str]]:
    """Return the scripts of `findings/` with the sentence that each begins with."""
    found = []
    for script in sorted((ROOT / "findings").iterdir()):
        lines = script.read_text(encoding="utf-8").split("\n")[1:]
        first = []
        for line in lines:
            if line.strip() in ("#", "") or not line.startswith("#"):
                break
            first.append(line.removeprefix("#").strip())
        sentence = " ".join(first)
        # up to the first full stop that ends a sentence: those within versions have no blank after them
        found.append((script.name, re.split(r"(?<=[.]) (?=[A-Z])", sentence)[0]))
    return found


def _findings_table() -> str:
    rows = [f"| `findings/{name}` | {_cell(sentence)} |" for name, sentence in findings()]
    return "\n".join(["| script | what it shows |", "|---|---|", *rows])


MADE: dict[str, Callable[[], str]] = {"patches": patches_table, "findings": _findings_table}


def generated_pages() -> dict[str, str]:
    """Return the Markdown of the pages that are made as a whole, by their file's name."""
    pages = {f"reference/{module}.md": _reference_page(module, names) for module, names in public_modules().items()}
    pages["reference/symae.theano.md"] = _theanos_names()
    pages["reference/commands.md"] = _commands()
    for page, source in INCLUDED.items():
        pages[page] = (ROOT / source).read_text(encoding="utf-8")
    return pages


def _pages_in(nav: Any) -> Iterator[str]:
    """Yield the files that a navigation names."""
    if isinstance(nav, str):
        yield nav
    for part in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from _pages_in(part)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the reference into the navigation, and pages of `docs/` that are not there yet at the end of "How to"."""
    listed = set(_pages_in(config.nav))
    for page in sorted((ROOT / "docs").glob("*.md")):
        if page.name not in listed:
            heading = re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            (how_to,) = [section["How to"] for section in config.nav or [] if "How to" in section]
            how_to.append({heading[1] if heading else page.stem: page.name})
    modules = sorted([*public_modules(), "symae.theano"])
    reference: list[Any] = [{"The symae command": "reference/commands.md"}, *(f"reference/{module}.md" for module in modules)]
    for section in config.nav or []:
        if section.get("Reference") == "reference":
            section["Reference"] = reference
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and pictures that lie beside the worksheets and the races."""
    for name, text in generated_pages().items():
        files.append(File.generated(config, name, content=text))
    for folder, pattern in COPIED.items():
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, f"{folder}/{path.name}", abs_src_path=str(path)))
    return files


# How much more, or less, a page counts in the search: those that answer questions come before those that list names.
BOOSTS = {
    "reference/": 0.4,
    "changes.md": 0.3,
    "tutorial/": 0.8,
    "adding_": 0.8,
    "contributing.md": 0.6,
    "theano_tests.md": 0.4,
    "legacy_coverage.md": 0.6,
    "legacy_scripts.md": 0.6,
    "findings.md": 0.8,
    "questions.md": 4.0,
}
ANSWERS = 2.0


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put what is made in the place of its comment, and lead links out of `docs/` to where the site has the files."""
    boost = next((boost for start, boost in BOOSTS.items() if page.file.src_uri.startswith(start)), ANSWERS)
    page.meta.setdefault("search", {"boost": boost})
    for name, make in MADE.items():
        comment = f"<!-- {name} -->"
        if comment in markdown:
            markdown = markdown.replace(comment, make())
    up = "../" * page.file.src_uri.count("/")
    if page.file.src_uri in INCLUDED:
        markdown = re.sub(r"\]\(docs/([\w./-]+\.md)", r"](\1", markdown)
        for name, source in INCLUDED.items():
            markdown = markdown.replace(f"]({source})", f"]({name})")
    for folder, pattern in COPIED.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{pattern.partition('*')[0]}", f"]({up}{folder}/", markdown)
    return markdown
