"""Runs Theano 1.0.5's own unit tests against ``symae.theano``, and says how many pass and why others do not.

    python tests/benchmarks/theano_unit_tests.py site-packages/theano --only tensor/nnet/tests/test_bn.py
    python tests/benchmarks/theano_unit_tests.py site-packages/theano --theano PYTHON --table docs/theano_tests.md

`THEANO_FOLDER` is an installed or unpacked Theano 1.0.5. Test files are copied to a temporary folder and run there by pytest,
each in a process of its own, by ``symae run``: ``theano`` is symae's, only modules in folders called ``tests`` are Theano's. A
test that takes longer than ``--limit`` has failed; a process that crashes or hangs is started again without the tests that it
has done. With ``--theano`` the same files are run by real Theano too, in the same mode and interpreted, and only what passes
there counts; ``--oracle`` keeps those results. Tests that ask about Theano's inside, such as which Ops and how many nodes a
compiled graph has, are counted apart: those whose source, or what they call in their file, has one of the words of `INSIDE`.
"""

from __future__ import annotations

import argparse
import ast
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).parent / "contenders" / "theano_tests.py"
FOLDERS = ["tensor", "tensor/nnet", "tensor/signal", "compile", "scan_module", "sparse", "typed_list", "."]
# What a test says that looks at compiled graphs, at classes of linkers and C code, and at rewrites by their names.
INSIDE = re.compile(
    r"toposort|apply_nodes|maker\.fgraph|\.nodes\b|\.owner\.op\b|fgraph\.outputs|[Ll]inker|c_code|cxx|optdb|\blocal_\w+|\bopt\."
    r"|gof\.opt|optimizer|FunctionGraph|check_stack_trace|input_storage|output_storage|_compile_and_check|OptimizationQuery|gof\.Query"
    r"|_op_use_c_code|vm_profile|ProfileStats|storage_map|destroy_map|view_map|c_headers|blas_\w+|Gemm|GEMM|Gemv|Ger\b|Dot22|CGer"
    r"|assertFunctionContains|\b_as_scalar\b|_is_real_matrix|_factor_canonicalized|res_is_a"
)
LOADING = 600  # seconds for a file before its first test: those of 8,000 lines are converted first
# What the tests import that is neither Theano's nor installed here: nose is of the Python 2 that they began in.
NOSE = """
import contextlib, sys, types, unittest
assert_raises, assert_true, assert_equal = (getattr(unittest.TestCase(), name) for name in
                                            ("assertRaises", "assertTrue", "assertEqual"))
assert_equals = assert_equal
def raises(*errors):
    def decorate(test):
        def run(*args):
            with contextlib.ExitStack() as stack:
                stack.enter_context(unittest.TestCase().assertRaises(errors))
                test(*args)
        run.__name__ = test.__name__
        return run
    return decorate
plugins, tools = types.ModuleType("nose.plugins"), sys.modules[__name__]
skip, attrib = types.ModuleType("nose.plugins.skip"), types.ModuleType("nose.plugins.attrib")
skip.SkipTest, attrib.attr, __path__, plugins.__path__ = unittest.SkipTest, lambda *names: lambda test: test, [], []
plugins.skip, plugins.attrib = skip, attrib
sys.modules.update({"nose.plugins": plugins, "nose.tools": tools, "nose.plugins.skip": skip, "nose.plugins.attrib": attrib})
"""
PARAMETERIZED = """
import re, sys, types
class parameterized:
    @staticmethod
    def to_safe_name(name):
        return re.sub("[^a-zA-Z0-9_]+", "_", name)
    @staticmethod
    def expand(cases, testcase_func_name=None, name_func=None, **others):
        name_func = testcase_func_name or name_func
        def decorate(test):
            space = sys._getframe(1).f_locals
            for i, case in enumerate(cases):
                case = case if isinstance(case, tuple) else (case,)
                def run(*first, case=case):
                    test(*first, *case)
                run.__name__ = name_func(test, i, types.SimpleNamespace(args=case)) if name_func else f"{test.__name__}_{i}"
                if run.__code__.co_argcount == 0 and "." not in test.__qualname__:
                    run = types.FunctionType(run.__code__, globals(), run.__name__, (), run.__closure__)
                    run.__kwdefaults__ = {"case": case}
                space[run.__name__] = run
        decorate.__test__ = False
        return decorate
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="THEANO_FOLDER")
    parser.add_argument("--only", nargs="*", metavar="FILE", help="test files, by their paths in the folder")
    parser.add_argument("--theano", metavar="PYTHON", help="of real Theano 1.0.5, to count what passes there")
    parser.add_argument("--oracle", type=Path, help="a JSON file for its results, read where it has a file's already")
    parser.add_argument("--table", type=Path, help="a Markdown file for both numbers of each file; other files' rows stay")
    parser.add_argument("--limit", type=int, default=60, help="seconds for a test")
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    parser.add_argument("--compiled", action="store_true", help="by machine code where a test asks for FAST_RUN; much slower")
    parser.add_argument("--out", type=Path, help="a JSON file for all results, with the tracebacks")
    settings = parser.parse_args()
    files = settings.only or [
        str(path.relative_to(settings.folder))
        for each in FOLDERS
        for path in sorted((settings.folder / each / "tests").glob("test_*.py"))
    ]
    results: dict[str, list[dict[str, Any]]] = {}
    oracle = json.loads(settings.oracle.read_text()) if settings.oracle is not None and settings.oracle.is_file() else {}
    print(f"{'file':46s} {'tests':>5s} {'passed':>6s} {'failed':>6s} {'skipped':>7s} {'s':>5s}")
    for file in files:
        if settings.theano is not None and file not in oracle:
            oracle[file] = _results(settings, file, settings.theano)
            if settings.oracle is not None:
                settings.oracle.write_text(json.dumps(oracle, indent=1))
        started = time.perf_counter()
        results[file] = _results(settings, file)
        _print(file, results[file], time.perf_counter() - started)
        if settings.out is not None:
            settings.out.write_text(json.dumps(results, indent=1))
    _print("all", [result for several in results.values() for result in several], 0, reasons=False)
    if settings.table is not None:
        before = settings.table.read_text() if settings.table.is_file() else ""
        settings.table.write_text(_table(settings.folder, results, oracle, before))
    return 0


def _results(settings: argparse.Namespace, file: str, theano: str | None = None) -> list[dict[str, Any]]:
    """Return what became of each test of a file; its process is started again as often as it dies of a test."""
    with tempfile.TemporaryDirectory(prefix="theano_tests") as folder:
        return _results_in(Path(folder), settings, file, theano)


def _results_in(folder: Path, settings: argparse.Namespace, file: str, theano: str | None) -> list[dict[str, Any]]:
    for path in () if theano else settings.folder.rglob("tests/*.py"):
        parts = ["theano", *path.relative_to(settings.folder).with_suffix("").parts]
        # a copy is a module in no package
        package, text = ".".join(parts[:-1]), path.read_text()
        text = re.sub(r"^from \. import", f"from {package} import", text, flags=re.MULTILINE)
        absolute = re.sub(r"^from \.(?=\w)", f"from {package}.", text, flags=re.MULTILINE)
        (folder / ("_".join(parts) + ".py")).write_text(absolute)
    shutil.copy(DRIVER, folder)
    (folder / "pytest.ini").write_text("[pytest]\npython_files = *.py\n")
    (folder / "nose.py").write_text(NOSE)
    (folder / "parameterized.py").write_text(PARAMETERIZED)
    variables = environment(theano is not None, settings.compiled, settings.floatX)
    results: list[dict[str, Any]] = []
    while True:
        skipped = json.dumps([result["end"] for result in results])
        arguments = [str(settings.folder.resolve()), file, str(settings.limit), skipped]
        command = [*([theano] if theano else [sys.executable, "-m", "symae", "run"]), DRIVER.name, *arguments]
        begun, done = _watched(command, folder, variables, settings.limit + 60, results)
        if done:
            return results
        if begun is None:
            results.append({"end": "the process", "outcome": "failed", "reason": "it crashed", "line": "", "text": ""})
            return results
        results.append({"end": begun, "outcome": "failed", "reason": "crashed or hung", "line": "", "text": ""})


def environment(real: bool, compiled: bool = False, floatX: str = "float64", mode: str = "FAST_COMPILE") -> dict[str, str]:
    """Return the variables of a process with real Theano or this one, which interpret if not `compiled`."""
    flags = f"floatX={floatX},device=cpu,mode={mode}{',cxx=' if real and not compiled else ''}"
    variables = os.environ | {"THEANO_FLAGS": flags}
    if real:
        variables.pop("PYTHONPATH", None)
    elif not compiled:
        given = os.environ.get("PYTENSOR_FLAGS")
        variables["PYTENSOR_FLAGS"] = f"{given},linker=vm,cxx=" if given else "linker=vm,cxx="
    return variables


def _watched(
    command: list[str], folder: Path, environment: dict[str, str], patience: float, results: list[dict[str, Any]]
) -> tuple[str | None, bool]:
    """Return the test that was begun and not ended, and True if the file was done; what ended is added to `results`."""
    begun, done = None, False
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:
        assert process.stdout is not None
        for_long = threading.Timer(patience + LOADING, process.kill)
        for_long.start()
        for line in process.stdout:
            if not line.startswith("@@"):
                continue
            for_long.cancel()
            for_long = threading.Timer(patience, process.kill)
            for_long.start()
            event = json.loads(line[2:])
            begun = event.get("begin")
            done = done or "done" in event
            if "end" in event:  # again where a test has ended and what cleans up after it fails
                results[:] = [*(result for result in results if result["end"] != event["end"]), event]
        for_long.cancel()
    return begun, done


_BEFORE = """# Theano's own tests

What of the unit tests of Theano 1.0.5 passes under real Theano, interpreted, in FAST_COMPILE, and what of that passes here: by
`tests/benchmarks/theano_unit_tests.py`, with `--theano` and `--table`. A test is about the inside if its source, or what it
calls in its file, has one of these regular expressions: {words}.
Files that are not listed have not been counted; a test that takes longer than its limit has failed.

| file | tests | pass under Theano | of these here | not about the inside | of these here | % |
|---|---|---|---|---|---|---|"""


def _table(folder: Path, results: dict[str, list[dict[str, Any]]], oracle: dict[str, list[dict[str, Any]]], before: str) -> str:
    """Return a Markdown table of what passes under real Theano, and of what of that passes here.

    It keeps the rows of `before`, the text with an earlier table, and what follows that table.
    """
    words = ", ".join(f"`{word}`" for word in INSIDE.pattern.split("|"))
    rows = {name: [int(number) for number in numbers.split(" | ")] for name, numbers in _ROW.findall(before)}
    for file in results:
        passed = {each["end"] for each in results[file] if each["outcome"] == "passed"}
        theirs = {each["end"] for each in oracle.get(file, ()) if each["outcome"] == "passed"}
        inside = _about_inside(folder / file)
        outside = {test for test in theirs if not inside(test)}
        numbers = [len(oracle.get(file, ())), len(theirs), len(theirs & passed), len(outside), len(outside & passed)]
        rows[f"`theano/{file.removesuffix('.py').replace('/tests', '')}`"] = numbers
    sums = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines = [row(name, numbers) for name, numbers in sorted(rows.items(), key=lambda entry: entry[0].strip("`"))]
    after = before[last.end() :] if (last := re.search(r"^\| all \|.*\n", before, re.MULTILINE)) else ""
    return "\n".join([_BEFORE.format(words=words), *lines, row("all", sums)]) + f"\n{after}"


_ROW = re.compile(r"^\| (`theano/\S+`) \| ((?:\d+ \| ){4}\d+) \|", re.MULTILINE)


def row(name: str, numbers: list[int]) -> str:
    """Return a line of a table in Markdown; the last number is a share of the one before it."""
    share = f"{100 * numbers[-1] / numbers[-2]:.0f}" if numbers[-2] else ""
    return f"| {name} | {' | '.join(map(str, numbers))} | {share} |"


def _about_inside(path: Path) -> Callable[[str], bool]:
    """Return what tells of a test of that file, by its name, if its source, with what it calls there, has words of `INSIDE`."""
    sources: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
    tree = ast.parse(path.read_text())
    for owner in ast.walk(tree):
        for node in ast.iter_child_nodes(owner):
            if isinstance(node, ast.FunctionDef):
                sources[node.name].append((getattr(owner, "name", ""), ast.unparse(node)))

    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}

    def texts(name: str, owner: str, seen: set[str]) -> Iterator[str]:
        seen.add(name)
        own = [text for where, text in sources[name] if where == owner]
        for text in own or [text for _, text in sources[name]]:
            yield text
            called = {*re.findall(r"self\.(\w+)", text), *(set(re.findall(r"\b(\w+)\(", text)) & functions)}
            for each in called & sources.keys() - seen:
                yield from texts(each, owner, seen)

    def asks(test: str) -> bool:
        *owners, name = test.partition("[")[0].split("::")
        while name and name not in sources:
            name = name[:-1]  # the name of a case follows that of its function
        return any(INSIDE.search(text) for text in texts(name, owners[-1] if owners else "", set()))

    return asks


def _print(file: str, results: list[dict[str, Any]], seconds: float, reasons: bool = True) -> None:
    counts = collections.Counter(result["outcome"] for result in results)
    numbers = f"{len(results):5d} {counts['passed']:6d} {counts['failed']:6d} {counts['skipped']:7d} {seconds:5.0f}"
    print(f"{file:46s} {numbers}", flush=True)
    groups: dict[str, list[str]] = collections.defaultdict(list)
    for result in results:
        if result["outcome"] == "failed":
            groups[_normalised(result["reason"], result["line"])].append(result["end"])
    for reason, tests in sorted(groups.items(), key=lambda group: -len(group[1])) if reasons else ():
        print(f"    {len(tests):4d}  {reason}: {', '.join(tests[:2])}{' …' if len(tests) > 2 else ''}", flush=True)


def _normalised(reason: str, line: str) -> str:
    """Return the first line of a message, without what differs from one run to the next."""
    first = reason.splitlines()[0] if reason else ""
    if first in ("AssertionError", "AssertionError:"):
        first = f"AssertionError at {line}"
    return re.sub(r"0x[0-9a-f]+|\d+\.\d{3,}(e-?\d+)?|/\S*/theano_tests\w+", "…", first)[:150]


if __name__ == "__main__":
    raise SystemExit(main())
