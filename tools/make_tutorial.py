"""Run the worksheets as notebooks on the digits that come with symae, and write what they show as the tutorial's pages.

    python tools/make_tutorial.py            # all of them, minutes
    python tools/make_tutorial.py 01 03

Needs jupytext, nbclient and ipykernel (the extra ``test``), worksheet 07 the extra ``port``. Pages and pictures are kept in
`docs/tutorial`, so that building the site trains nothing; `tests/site/test_tutorial_pages.py` compares their code with that of
the worksheets.
"""

from __future__ import annotations

import base64
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jupytext
import nbclient
import nbformat

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "tutorial"
# Enough to see something in less than a minute each; a command line says so at the top of the page.
OPTIONS = {
    "01_autoencoder": ["--epochs", "60"],
    "02_denoising_autoencoder": ["--epochs", "60"],
    "03_image_autoencoder": ["--epochs", "8"],
    "04_convolutional_autoencoder": ["--epochs", "15"],
    "05_image_denoising": ["--epochs", "15"],
    "06_any_resolution": ["--epochs", "4"],
    "07_porting_theano": ["--epochs", "5"],
    "08_natural_patches": ["--epochs", "10", "--data", "digits"],
}
TIMES = re.compile(r"Compiling .* … +[\d.]+ s|Trained [\d.]+ s, compiled .* in all$|[\d.]+ s( \(.*\))?$")
MOST_LINES = 30  # of what a cell prints


def code_of(worksheet: Path) -> list[str]:
    """Return the code cells of a worksheet as the tutorial has them."""
    return [cell.source for cell in jupytext.read(worksheet).cells if cell.cell_type == "code"]


def executed(name: str, options: Sequence[str], folder: Path) -> Any:
    """Run a worksheet as a notebook without MNIST, in an empty folder."""
    notebook = jupytext.read(ROOT / "worksheets" / f"{name}.py")
    chosen = f"import functools, symae.runs.worksheet as w\nw.Worksheet = functools.partial(w.Worksheet, argv={list(options)})"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(chosen))
    (folder / "no data").mkdir()
    os.environ["SYMAE_DATA"] = str(folder / "no data")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    nbclient.NotebookClient(
        notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return notebook.cells[1:]


def page(name: str, cells: Sequence[Any], options: Sequence[str], pictures: Path) -> str:
    """Return a worksheet's page in Markdown; its pictures are written beside it."""
    command = f"python worksheets/{name}.py {' '.join(options)}"
    parts = []
    counter = iter(range(1, 100))
    for cell in cells:
        if cell.cell_type == "markdown":
            parts.append(_math(cell.source))
            if cell.source.startswith("# ") and len(parts) == 1:
                title, _, rest = parts.pop().partition("\n")
                how = f"The worksheet `worksheets/{name}.py` as it ran on the digits that come with symae: `{command}`."
                parts += [title, how, rest.strip("\n")]
            continue
        parts.append(f"```python\n{cell.source}\n```")
        shown = list(_shown(cell.get("outputs", []), name, pictures, counter))
        if shown:
            parts.append('<div class="output" markdown>\n\n' + "\n\n".join(shown) + "\n\n</div>")
    return "\n\n".join(part for part in parts if part) + "\n"


def _math(text: str) -> str:
    """Put blank lines around displayed formulas, which Python-Markdown wants."""
    return re.sub(r"\n*(\$\$.*?\$\$)\n*", r"\n\n\1\n\n", text, flags=re.DOTALL).strip("\n")


def _shown(outputs: Sequence[Any], name: str, pictures: Path, counter: Iterator[int]) -> Iterator[str]:
    printed = ""
    for output in outputs:
        if output.output_type == "stream":
            printed += output.text if output.name == "stdout" else ""
            continue
        if text := _lines(printed):
            yield f"```text\n{text}\n```"
        printed = ""
        data = output.get("data", {})
        if "image/png" in data:
            file = pictures / f"{name}-{next(counter)}.png"
            file.write_bytes(base64.b64decode(data["image/png"]))
            alt = output.get("metadata", {}).get("image/png", {}).get("alt") or data.get("text/plain", "")
            yield f"![{_alt(alt)}](pictures/{file.name})"
        elif "image/svg+xml" in data:
            file = pictures / f"{name}-{next(counter)}.svg"
            file.write_text(data["image/svg+xml"].strip() + "\n", encoding="utf-8")
            yield f"![{_alt(data.get('text/plain', 'Curves'))}](pictures/{file.name})"
        elif "text/html" in data and "report.html" not in data["text/html"]:
            yield _html(data["text/html"])
    if text := _lines(printed):
        yield f"```text\n{text}\n```"


def _alt(text: str) -> str:
    return " ".join(text.replace("[", "(").replace("]", ")").split())


def _html(text: str) -> str:
    """Return HTML that the page takes as it is: headings one level below those of the page's sections."""
    text = re.sub(r"<(/?)h[1-6]>", r"<\1strong>", text.strip())
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _lines(text: str) -> str:
    """Return what a cell printed without times, which are the machine's; of many lines the first and the last ones."""
    lines = [line for line in text.rstrip("\n").split("\n") if not TIMES.match(line)]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES // 2], f"… {len(lines) - MOST_LINES} lines …", *lines[-MOST_LINES // 2 :]]
    return "\n".join(lines)


def main(wanted: Sequence[str]) -> None:
    """Make the pages of the worksheets whose numbers are given, or of all."""
    pictures = PAGES / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for name, options in OPTIONS.items():
        if wanted and name[:2] not in wanted:
            continue
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            cells = executed(name, options, Path(folder))
            for old in pictures.glob(f"{name}-*"):
                old.unlink()
            text = page(name, cells, options, pictures).replace(f"{folder}/", "")
        (PAGES / f"{name}.md").write_text(text, encoding="utf-8")
        print(f"{name}: {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
