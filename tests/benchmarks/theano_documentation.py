"""Runs the examples of Theano 1.0.5's documentation on ``symae.theano``, and says how many print what they do under Theano.

    python tests/benchmarks/theano_documentation.py doc --theano PYTHON --only tutorial/adding.txt
    python tests/benchmarks/theano_documentation.py doc --theano PYTHON --table docs/theano_tests.md

`DOC_FOLDER` is the folder ``doc`` of Theano's sources. An example is what doctest takes for one, ``>>>`` and what follows, or a
block ``testcode``; those of a page share their variables, or those of its groups, as by Sphinx's doctest, and the page's
``testsetup`` comes first. Those that say ``+SKIP`` are not run. A page is run by real Theano and by ``symae run``, both
interpreted, in FAST_COMPILE if not otherwise said. What counts is what real Theano prints as documented. Of numbers, six digits
are compared, of exceptions the names, and no spaces.
"""

from __future__ import annotations

import argparse
import doctest
import json
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from theano_unit_tests import NOSE, PARAMETERIZED, environment, row

DRIVER = Path(__file__).parent / "contenders" / "theano_documentation.py"
FOLDERS = ["tutorial", "extending", "library"]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Example(NamedTuple):
    """An example: its source, what is documented to be printed or None, how it is compiled, and where it stands."""

    source: str
    wanted: str | None
    kind: str
    line: int
    skipped: bool = False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DOC_FOLDER")
    parser.add_argument("--only", nargs="*", metavar="FILE", help="pages, by their paths in the folder")
    parser.add_argument("--theano", metavar="PYTHON", required=True, help="of real Theano 1.0.5")
    parser.add_argument("--oracle", type=Path, help="a JSON file for its results, read where it has a page's already")
    parser.add_argument("--table", type=Path, help="a Markdown file, at whose end the numbers of each page are written")
    parser.add_argument("--limit", type=int, default=60, help="seconds for an example")
    parser.add_argument("--mode", default="FAST_COMPILE")
    parser.add_argument("--compiled", action="store_true", help="by machine code; much slower")
    parser.add_argument("--verbose", action="store_true", help="what was printed, and the tracebacks")
    settings = parser.parse_args()
    pages = settings.only or [
        str(path.relative_to(settings.folder)) for each in FOLDERS for path in sorted((settings.folder / each).rglob("*.txt"))
    ]
    groups = {page: examples((settings.folder / page).read_text()) for page in pages}
    groups = {page: each for page, each in groups.items() if any(each.values())}
    oracle = json.loads(settings.oracle.read_text()) if settings.oracle is not None and settings.oracle.is_file() else {}
    oracle |= _results(settings, {page: each for page, each in groups.items() if page not in oracle}, settings.theano)
    if settings.oracle is not None:
        settings.oracle.write_text(json.dumps(oracle, indent=1))
    results = _results(settings, groups, None, oracle)
    rows: dict[str, list[int]] = {}
    for page in groups:
        rows[page] = _compared(settings, page, groups[page], oracle[page], results[page])
        print(f"{page:36s} {' '.join(f'{number:4d}' for number in rows[page])}")
    sums = [sum(numbers) for numbers in zip(*rows.values(), strict=True)]
    print(f"{'all':36s} {' '.join(f'{number:4d}' for number in sums)}")
    if settings.table is not None:
        lines = [row(f"`doc/{page.removesuffix('.txt')}`", numbers) for page, numbers in rows.items()]
        before = settings.table.read_text().partition("\n# Examples")[0] if settings.table.is_file() else ""
        settings.table.write_text("\n".join([before.rstrip("\n"), _BEFORE, *lines, row("all", sums), _AFTER]))
    return 0


def examples(text: str) -> dict[str, list[Example]]:
    """Return the examples of a page by the names of their groups, with what is to be run before them first."""
    blocks = list(_blocks(text))
    names = dict.fromkeys(name for kind, names, _, _, _ in blocks for name in names if kind != "testsetup" and name != "*")
    groups: dict[str, list[Example]] = {name: [] for name in names}
    for first in (True, False):
        for kind, own, options, body, line in blocks:
            for name in groups if own == ["*"] else [name for name in own if name in groups]:
                if (kind == "testsetup") is first:
                    _add(groups[name], kind, body, options, line)
    return groups


def _add(group: list[Example], kind: str, body: str, options: str, line: int) -> None:
    skipped = "+SKIP" in options
    if kind == "testsetup":
        group.append(Example(body, None, "setup", line))
    elif kind == "testcode":
        group.append(Example(body, None, "exec", line, skipped))
    elif kind == "testoutput":
        if group and group[-1].kind == "exec":
            group[-1] = group[-1]._replace(wanted=body, skipped=group[-1].skipped)
    else:
        for each in doctest.DocTestParser().get_examples(body):
            wanted = each.want if each.exc_msg is None else f"Traceback\n{each.exc_msg}"
            group.append(Example(each.source, wanted, "single", line + each.lineno, bool(each.options.get(doctest.SKIP))))


def _blocks(text: str) -> Iterator[tuple[str, list[str], str, str, int]]:
    """Yield kind, groups, options, text and line of each block that Sphinx's doctest runs."""
    lines = text.expandtabs().splitlines()
    i = 0
    while i < len(lines):
        indent, line = len(lines[i]) - len(lines[i].lstrip()), lines[i].strip()
        directive = re.match(r"\.\. ([\w-]+)::\s*(.*)$", line)
        if directive and directive[1] in ("testsetup", "testcode", "testoutput", "doctest"):
            start, i = i + 1, _end(lines, i + 1, indent)
            body = lines[start:i]
            options = [each for each in body[: _first(body, "")] if each.strip().startswith(":")]
            names = [name.strip() for name in directive[2].split(",")] if directive[2] else ["default"]
            yield (
                directive[1],
                names,
                " ".join(options),
                textwrap.dedent("\n".join(body[len(options) :])).strip("\n") + "\n",
                start + 1,
            )
        elif directive and directive[1] in ("code-block", "literalinclude", "image"):
            i = _end(lines, i + 1, indent)
        elif line.startswith(">>>"):
            start, i = i, _first(lines, "", i)
            yield "doctest", ["default"], "", textwrap.dedent("\n".join(lines[start:i])) + "\n", start + 1
        elif line.endswith("::") and (directive is None):
            i = _end(lines, i + 1, indent)  # a text as it is
        else:
            i += 1


def _end(lines: list[str], i: int, indent: int) -> int:
    """Return where what is indented by more than `indent` ends."""
    while i < len(lines) and (not lines[i].strip() or len(lines[i]) - len(lines[i].lstrip()) > indent):
        i += 1
    return i


def _first(lines: list[str], wanted: str, i: int = 0) -> int:
    while i < len(lines) and lines[i].strip() != wanted:
        i += 1
    return i


def _results(
    settings: argparse.Namespace,
    pages: dict[str, dict[str, list[Example]]],
    theano: str | None,
    theirs: dict[str, dict[str, list[Any]]] | None = None,
) -> dict[str, dict[str, list[Any]]]:
    """Return what each example of each group of each page printed and raised, under real Theano or here.

    What took real Theano longer than the limit, by its results, `theirs`, is not counted, so it need not end.
    """
    results: dict[str, dict[str, list[Any]]] = {
        page: {name: [None] * len(group) for name, group in groups.items()} for page, groups in pages.items()
    }
    if not pages:
        return results
    with tempfile.TemporaryDirectory(prefix="theano_documentation") as folder:
        shutil.copy(DRIVER, folder)
        Path(folder, "nose.py").write_text(NOSE)
        Path(folder, "parameterized.py").write_text(PARAMETERIZED)
        sources = {
            page: {
                name: [_source(each, theirs and theirs[page][name][i], settings.limit) for i, each in enumerate(group)]
                for name, group in groups.items()
            }
            for page, groups in pages.items()
        }
        Path(folder, "examples.json").write_text(json.dumps(sources))
        interpreter = [theano] if theano else [sys.executable, "-m", "symae", "run"]
        command = [*interpreter, DRIVER.name, "examples.json"]
        variables = environment(theano is not None, settings.compiled, mode=settings.mode)
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    for line in done.stdout.splitlines():
        if line.startswith("@@"):
            result = json.loads(line[2:])
            results[result.pop("page")][result.pop("group")][result.pop("number")] = result
    return results


def _source(example: Example, their: Any, limit: int) -> tuple[str, str, int]:
    """Return what is run of an example, how it is compiled, and its seconds: few for what took real Theano too long."""
    if example.skipped:
        return "", "exec", 0
    is_long = their and their["error"].startswith("TimeoutError")
    return example.source, "single" if example.kind == "single" else "exec", min(limit, 10) if is_long else limit


def _compared(
    settings: argparse.Namespace,
    page: str,
    groups: dict[str, list[Example]],
    theirs: dict[str, list[Any]],
    ours: dict[str, list[Any]],
) -> list[int]:
    """Return how many examples there are, how many Theano prints as documented and how many of these are the same here."""
    counts = [0, 0, 0]
    for name, group in groups.items():
        for example, their, our in zip(group, theirs[name], ours[name], strict=True):
            if example.kind == "setup" or example.skipped:
                continue
            as_documented = _is_documented(example, their)
            same = as_documented and _is_documented(example, our) and (example.wanted is not None or _alike(their, our))
            for i, true in enumerate((True, as_documented, same)):
                counts[i] += true
            where = f"{page}:{example.line}"
            if as_documented != same or (settings.verbose and not as_documented):
                print(f"{where}{'' if as_documented else ' not as documented'}: {example.source.strip().splitlines()[-1]}")
                print(f"    {_told(our)}\n    instead of {_told(their)}")
            if as_documented != same and settings.verbose and our:
                print(textwrap.indent(f"{our['printed']}--- instead of\n{their['printed']}\n{our['text']}", "      | "))
    return counts


def _told(result: Any) -> str:
    if result is None:
        return "the process had ended"
    return (result["error"] or repr(result["printed"]))[:300]


def _is_documented(example: Example, result: Any) -> bool:
    """Return True if an example printed what is documented, or raised the documented exception."""
    if result is None:
        return False
    wanted = example.wanted
    if wanted is not None and wanted.startswith("Traceback"):
        lines = [line for line in wanted.splitlines()[1:] if line and not line[0].isspace()]
        return bool(result["error"]) and _name(result["error"]) == _name(lines[0])
    return not result["error"] and (wanted is None or _agree(wanted, result["printed"]))


def _alike(their: Any, our: Any) -> bool:
    return _name(their["error"]) == _name(our["error"]) and _agree(their["printed"], our["printed"])


def _name(error: str) -> str:
    return error.partition(":")[0].rpartition(".")[2]


def _agree(wanted: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(_plain(wanted), _plain(printed), FLAGS)


def _plain(text: str) -> str:
    """Return `text` with numbers of six digits, and spaces only between words and numbers."""
    text = re.sub(r"<BLANKLINE>|symae\.(?=theano\.)", "", text)
    text = re.sub(r"(?<![\w.])\d+\.\d*(e[-+]?\d+)?", lambda number: f"{float(number[0]):.6g}", text)
    return re.sub(r"\s+", " ", re.sub(r"\s*([^\w\s.])\s*", r"\1", text)).strip() + "\n"


_BEFORE = """
# Examples of Theano's documentation

What of the examples in `doc/tutorial`, `doc/extending` and `doc/library` of Theano 1.0.5 real Theano prints as documented, and
what of that is printed here: by `tests/benchmarks/theano_documentation.py`, with `--table`.

| page | examples | as documented under Theano | of these here | % |
|---|---|---|---|---|"""

_AFTER = """
What cannot agree:

- `y.owner.op.name`, and `str` of an Op: Ops are PyTensor's, which name themselves; variables and nodes, `pp` and `debugprint`
  have Theano's names for them.
- `theano.gof.COp`: C code written for Theano's C interface does not compile against PyTensor's.
- `theano.tests.test_rop`: Theano's own tests, whose classes an example inherits, are not here.
- `<theano.gof.opt.TopoOptimizer object at …>`: rewrites are PyTensor's.
- Graphs of compiled functions are PyTensor's: examples that print them agree in FAST_COMPILE, where little is rewritten.
- Expressions that are made of other operations here print those: `tests/theano/test_printing_golden.py` lists them.
"""


if __name__ == "__main__":
    raise SystemExit(main())
