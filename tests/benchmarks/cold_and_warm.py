"""Cold and warm times of legacy programs: this commit, another one, and real Theano 1.0.5, in turns.

    git worktree add /tmp/before COMMIT
    python tests/benchmarks/cold_and_warm.py DeepLearningTutorials/code --before /tmp/before --theano python3.8

A cold run begins with empty caches of compiled code, the warm one after it with those that the cold one has filled. Times are
seconds from the command to its end, medians of the rounds. The programs are lisa-lab's ``dA.py`` and ``convolutional_mlp.py``
with one epoch, as deep_learning_tutorials.py runs them, and six of contenders/scans.py, recurrent networks and the like, for
which no folder is needed. What a program prints has to be the same, but for lines about time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import deep_learning_tutorials as tutorials
from race import HERE, write

SCANS = ("rnn", "lstm", "gru", "pcd", "hmm", "until")
USUAL = ("dA", "convolutional_mlp", *SCANS)
PROGRAMS = (*tutorials.PROGRAMS, *SCANS)
RUNS = ("cold", "warm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="DeepLearningTutorials/code; without it there are only the scans")
    parser.add_argument("--before", type=Path, help="a checkout of the commit to compare with")
    parser.add_argument("--theano", metavar="PYTHON", help="a Python 3.8 with Theano 1.0.5")
    parser.add_argument("--rounds", type=int, default=3, help="cold and warm runs of each (default: 3)")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)}")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()
    if given.before is not None and not (given.before / "symae" / "__init__.py").is_file():
        parser.error(f"{given.before}: found no symae in it, expected a checkout")
    programs = given.only or (USUAL if given.folder else SCANS)
    if given.folder is None and not set(programs) <= set(SCANS):
        parser.error(f"found no folder, expected DeepLearningTutorials/code for {', '.join(programs)}")
    with tempfile.TemporaryDirectory(prefix="cold_and_warm") as folder:
        contenders = _contenders(given, Path(folder))
        results = {program: _race(program, contenders, given.rounds, Path(folder)) for program in programs}
    write(given.out, {"cold and warm": results})


class Contender(NamedTuple):
    """What runs a program, its own copy of the tutorials, and the checkout of symae that it is of, if it is symae."""

    command: list[str]
    code: Path
    checkout: Path | None


def _contenders(given: argparse.Namespace, folder: Path) -> dict[str, Contender]:
    run = [sys.executable, "-m", "symae", "run"]
    found = {"now": Contender(run, folder / "now" / "code", HERE.parents[1])}
    if given.before is not None:
        found["before"] = Contender(run, folder / "before" / "code", given.before.resolve())
    if given.theano is not None:
        found["Theano"] = Contender([given.theano], folder / "theano" / "code", None)
    for command, code, checkout in found.values():
        if given.folder is None:
            code.mkdir(parents=True)
        else:
            tutorials.copy(given.folder, code, theano=None if checkout else command[0])
    return found


def _race(program: str, contenders: dict[str, Contender], rounds: int, folder: Path) -> dict[str, Any]:
    seconds: dict[str, dict[str, list[float]]] = {name: {run: [] for run in RUNS} for name in contenders}
    printed: dict[str, list[str]] = {}
    for number in range(rounds):
        for name, (command, code, checkout) in contenders.items():
            scans = [str(HERE / "contenders" / "scans.py"), program]
            script = scans if program in SCANS else [str(tutorials.script(code, program))]
            caches = folder / "caches" / f"{name} {program} {number}"
            for run in RUNS:
                printed[name], took = tutorials.run([*command, *script], code, "float64", caches, checkout)
                seconds[name][run].append(took)
    medians = {name: {run: statistics.median(took) for run, took in of.items()} for name, of in seconds.items()}
    print(f"\n{program:18}" + "".join(f"{f'{run} s':>9}{'ratio':>7}" for run in RUNS) + "  output")
    for name, median in medians.items():
        cells = "".join(f"{median[run]:9.1f}{medians['now'][run] / median[run]:7.2f}" for run in RUNS)
        print(f"{name:18}{cells}  {tutorials.compared(printed['now'], printed[name])}", flush=True)
    return {name: {"seconds": seconds[name], "median": medians[name]} for name in contenders}


if __name__ == "__main__":
    main()
