"""Runs Theano 1.0.5's own unit tests against ``symae.theano``, and says how many pass and why others do not.

    python tests/benchmarks/theano_unit_tests.py site-packages/theano --only tensor/nnet/tests/test_bn.py

`THEANO_FOLDER` is an installed or unpacked Theano 1.0.5. Test files are copied to a temporary folder and run there by pytest,
each in a process of its own, by ``symae run``: ``theano`` is symae's, only modules in folders called ``tests`` are Theano's. A
test that takes longer than ``--limit`` has failed; a process that crashes or hangs is started again without the tests that it
has done. Many of Theano's tests ask about its inside, such as which Op a graph ends up with, so not all of them can pass.
"""

from __future__ import annotations

import argparse
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
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).parent / "contenders" / "theano_tests.py"
FILES = [
    "tensor/nnet/tests/test_nnet.py",
    "tensor/nnet/tests/test_sigm.py",
    "tensor/nnet/tests/test_bn.py",
    "tensor/nnet/tests/test_conv.py",
    "tensor/nnet/tests/test_abstract_conv.py",
    "tensor/nnet/tests/test_conv3d2d.py",
    "tensor/nnet/tests/test_corr.py",
    "tensor/nnet/tests/test_corr3d.py",
    "tensor/nnet/tests/test_neighbours.py",
    "tensor/signal/tests/test_conv.py",
    "tensor/signal/tests/test_pool.py",
    "tensor/tests/test_raw_random.py",
    "tensor/tests/test_shared_randomstreams.py",
    "sandbox/tests/test_rng_mrg.py",
    "scan_module/tests/test_scan.py",
    "scan_module/tests/test_scan_utils.py",
]
# What the tests import that is neither Theano's nor installed here: nose is of the Python 2 that they began in.
NOSE = """
import contextlib, sys, types, unittest
assert_raises, assert_true, assert_equals = (getattr(unittest.TestCase(), name) for name in
                                             ("assertRaises", "assertTrue", "assertEqual"))
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
        space = sys._getframe(1).f_locals
        def decorate(test):
            for i, case in enumerate(cases):
                case = case if isinstance(case, tuple) else (case,)
                def run(*first, case=case):
                    test(*first, *case)
                run.__name__ = name_func(test, i, types.SimpleNamespace(args=case)) if name_func else f"{test.__name__}_{i}"
                if run.__code__.co_argcount == 0 and "." not in test.__qualname__:
                    run = types.FunctionType(run.__code__, globals(), run.__name__, (), run.__closure__)
                    run.__kwdefaults__ = {"case": case}
                space[run.__name__] = run
        return decorate
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="THEANO_FOLDER")
    parser.add_argument("--only", nargs="*", metavar="FILE", default=FILES, help="test files, by their paths in the folder")
    parser.add_argument("--limit", type=int, default=60, help="seconds for a test")
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    parser.add_argument("--compiled", action="store_true", help="by machine code where a test asks for FAST_RUN; much slower")
    parser.add_argument("--out", type=Path, help="a JSON file for all results, with the tracebacks")
    settings = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = {}
    print(f"{'file':46s} {'tests':>5s} {'passed':>6s} {'failed':>6s} {'skipped':>7s} {'s':>5s}")
    for file in settings.only:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="theano_tests") as folder:
            results[file] = _results(settings, Path(folder), file)
        _print(file, results[file], time.perf_counter() - started)
        if settings.out is not None:
            settings.out.write_text(json.dumps(results, indent=1))
    _print("all", [result for several in results.values() for result in several], 0, reasons=False)
    return 0


def _results(settings: argparse.Namespace, folder: Path, file: str) -> list[dict[str, Any]]:
    """Return what became of each test of a file; its process is started again as often as it dies of a test."""
    for path in settings.folder.rglob("tests/*.py"):
        parts = ["theano", *path.relative_to(settings.folder).with_suffix("").parts]
        shutil.copy(path, folder / ("_".join(parts) + ".py"))
    shutil.copy(DRIVER, folder)
    (folder / "pytest.ini").write_text("[pytest]\npython_files = *.py\n")
    (folder / "nose.py").write_text(NOSE)
    (folder / "parameterized.py").write_text(PARAMETERIZED)
    flags = f"floatX={settings.floatX},device=cpu,mode=FAST_COMPILE"
    environment = os.environ | {"THEANO_FLAGS": flags}
    if not settings.compiled:
        given = os.environ.get("PYTENSOR_FLAGS")
        environment["PYTENSOR_FLAGS"] = f"{given},linker=vm,cxx=" if given else "linker=vm,cxx="
    results: list[dict[str, Any]] = []
    while True:
        skipped = json.dumps([result["end"] for result in results])
        arguments = [str(settings.folder.resolve()), file, str(settings.limit), skipped]
        command = [sys.executable, "-m", "symae", "run", DRIVER.name, *arguments]
        begun, done = _watched(command, folder, environment, settings.limit + 60, results)
        if done:
            return results
        if begun is None:
            results.append({"end": "the process", "outcome": "failed", "reason": "it crashed", "line": "", "text": ""})
            return results
        results.append({"end": begun, "outcome": "failed", "reason": "crashed or hung", "line": "", "text": ""})


def _watched(
    command: list[str], folder: Path, environment: dict[str, str], patience: float, results: list[dict[str, Any]]
) -> tuple[str | None, bool]:
    """Return the test that was begun and not ended, and True if the file was done; what ended is added to `results`."""
    begun, done = None, False
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:
        assert process.stdout is not None
        for_long = threading.Timer(patience, process.kill)
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
