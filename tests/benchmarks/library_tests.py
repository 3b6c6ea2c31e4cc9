"""Runs a library's own tests on ``symae.theano`` and on real Theano 1.0.5, and counts what passes there and of that here.

    python tests/benchmarks/library_tests.py Lasagne --theano PYTHON --files lasagne/tests
    python tests/benchmarks/library_tests.py keras --theano PYTHON --files tests/keras/backend --legacy-packages backend_test

`LIBRARY_FOLDER` is a checkout; the library is imported from it if it lies there, and else as installed for each of the two
interpreters. Each test file has a process of its own, in FAST_COMPILE and interpreted; what a file has not done after
``--limit`` seconds has failed. ``--results`` keeps what became of each test, and what is in that file already is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

DONE = re.compile(r"^(\S+?::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)
OPTIONS = ["-v", "-p", "no:cacheprovider", "-o", "addopts=", "--tb=short", "-W", "ignore"]
FLAGS = "floatX={},device=cpu,mode=FAST_COMPILE"
HEAD = "| file | tests | pass under Theano | of these here |\n|---|---|---|---|"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="LIBRARY_FOLDER")
    parser.add_argument(
        "--files", nargs="+", required=True, metavar="FILE", help="test files, or folders, by their paths in it"
    )
    parser.add_argument("--theano", required=True, metavar="PYTHON", help="with real Theano 1.0.5 and pytest")
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    parser.add_argument("--legacy-packages", default="", metavar="A,B")
    parser.add_argument("--limit", type=int, default=1800, help="seconds for a file")
    parser.add_argument("--results", type=Path, help="a JSON file")
    settings = parser.parse_args()
    known = json.loads(settings.results.read_text()) if settings.results and settings.results.is_file() else {}
    print(HEAD)
    sums = [0, 0, 0]
    for file in _files(settings.folder, settings.files):
        outcomes = known.setdefault(file, {})
        for side in ("theano", "symae"):
            if side not in outcomes:
                outcomes[side] = _outcomes(settings, file, side == "theano")
                if settings.results:
                    settings.results.write_text(json.dumps(known, indent=1))
        theirs, ours = ({name for name, what in outcomes[side].items() if what == "PASSED"} for side in ("theano", "symae"))
        numbers = [len(outcomes["theano"] | outcomes["symae"]), len(theirs), len(theirs & ours)]
        sums = [a + b for a, b in zip(sums, numbers, strict=True)]
        print(f"| `{file}` | {' | '.join(map(str, numbers))} |", flush=True)
        for name in sorted(theirs - ours):
            print(f"  {name}: {outcomes['symae'].get(name, 'not run')}", file=sys.stderr, flush=True)
    print(f"| all | {' | '.join(map(str, sums))} |")
    return 0


def _files(folder: Path, names: list[str]) -> list[str]:
    found = [[path] if path.is_file() else sorted(path.rglob("*test*.py")) for path in map(folder.joinpath, names)]
    files = [path for several in found for path in several if path.name != "conftest.py"]
    return [str(path.relative_to(folder)) for path in files]


def _outcomes(settings: argparse.Namespace, file: str, theano: bool) -> dict[str, str]:
    """Return what became of each test of a file, by its name."""
    environment = os.environ | {"THEANO_FLAGS": FLAGS.format(settings.floatX) + (",cxx=" if theano else "")}
    if theano:
        environment.pop("PYTHONPATH", None)
        command = [settings.theano, "-W", "ignore", "-m", "pytest"]
    else:
        flags = filter(None, (environment.get("PYTENSOR_FLAGS"), "linker=vm,cxx="))
        environment["PYTENSOR_FLAGS"] = ",".join(flags)
        options = ["--legacy-packages", f"{settings.legacy_packages},{Path(file).stem}"]
        command = [sys.executable, "-W", "ignore", "-m", "symae.theano", *options, "-m", "pytest"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([*command, *OPTIONS, file], cwd=settings.folder, env=environment, **pipes) as process:
        try:
            text = process.communicate(timeout=settings.limit)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0]
    if settings.results:
        settings.results.with_suffix(f".{Path(file).stem}.{'theano' if theano else 'symae'}.txt").write_text(text)
    return {name.partition("::")[2]: outcome for name, outcome in DONE.findall(text)}


if __name__ == "__main__":
    raise SystemExit(main())
