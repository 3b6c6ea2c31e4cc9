"""Runs the programs of a folder, lisa-lab's DeepLearningTutorials/code, by ``symae run`` and by real Theano, and compares.

    python tests/benchmarks/deep_learning_tutorials.py DeepLearningTutorials/code --theano python3.8

The folder is copied for each of the two and nothing in the copies is changed. Programs that take hours are called with fewer
epochs, by a driver of two lines beside them. What a program prints is compared number for number, but for lines about time.
``--theano`` is a Python 3.8 with Theano 1.0.5; without it there is only what symae prints. MNIST is looked for as symae does.

Both begin with empty caches; cold_and_warm.py says what compiling takes of the time.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import symae

# program -> what is called of it; None runs the file itself
PROGRAMS = {
    "logistic_sgd": None,
    "logistic_cg": "cg_optimization_mnist(n_epochs=5)",
    "mlp": "test_mlp(n_epochs=2)",
    "convolutional_mlp": "evaluate_lenet5(n_epochs=1)",
    "dA": "test_dA(training_epochs=1)",
    "cA": "test_cA(training_epochs=1)",
    "SdA": "test_SdA(pretraining_epochs=1, training_epochs=1, batch_size=50)",
    "rbm": "test_rbm(training_epochs=1, n_samples=2)",
    "DBN": "test_DBN(pretraining_epochs=1, training_epochs=1, batch_size=50)",
    "hmc/test_hmc": "test_hmc()",
}
NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?|nan|inf")
ABOUT_TIME = re.compile(r"ran for|epochs/sec|took|Training took|seconds|minutes|\d+(\.\d+)?m$|downloading|WARNING|warn", re.I)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--theano", metavar="PYTHON", help="a Python 3.8 with Theano 1.0.5")
    parser.add_argument("--only", nargs="*", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--floatX", default="float64", choices=["float64", "float32"])
    settings = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tutorials") as folder:
        _race(settings, Path(folder))
    return 0


def _race(settings: argparse.Namespace, folder: Path) -> None:
    contenders = [([sys.executable, "-m", "symae", "run"], folder / "symae" / "code")]
    contenders += [([settings.theano], folder / "theano" / "code")] if settings.theano else []
    for command, code in contenders:
        copy(settings.folder, code, theano=command[0] if command == [settings.theano] else None)
    names = ["symae", "Theano", "ratio"] if settings.theano else ["symae"]
    print(f"{'program':18s} " + " ".join(f"{name:>8s}" for name in names) + "  output")
    for program in settings.only:
        printed, seconds = [], []
        for command, code in contenders:
            path = script(code, program)
            lines, took = run([*command, path.name], path.parent, settings.floatX, folder / "caches" / path.stem)
            printed.append(lines)
            seconds.append(took)
        figures = [f"{s:.1f}" for s in seconds] + ([f"{seconds[0] / seconds[1]:.2f}"] if settings.theano else [])
        verdict = compared(*printed) if settings.theano else "".join(f"\n    {line}" for line in printed[0])
        print(f"{program:18s} {' '.join(f'{figure:>8s}' for figure in figures)}  {verdict}", flush=True)


def copy(tutorials: Path, code: Path, theano: str | None) -> None:
    """Copy the tutorials to `code`; for real Theano, of the Python `theano`, with MNIST beside it."""
    shutil.copytree(tutorials, code)
    if theano is not None:
        _give_mnist(code.parent / "data", theano)


def script(code: Path, program: str) -> Path:
    """Return the program itself, or a driver beside it that calls it with fewer epochs."""
    path, call = code / f"{program}.py", PROGRAMS[program]
    if call is None:
        return path
    driver = path.with_name(f"driver_of_{path.name}")
    driver.write_text(f"import {path.stem}\n{path.stem}.{call}\nprint('{path.stem} is done')\n")
    return driver


def run(
    command: list[str], folder: Path, float_type: str, caches: Path, checkout: Path | None = None
) -> tuple[list[str], float]:
    """Return what the command prints, without lines about time, and how long it took; `checkout` is the symae that it is of."""
    environment = os.environ | {
        "THEANO_FLAGS": f"floatX={float_type},device=cpu,openmp=False,base_compiledir={caches / 'theano'}",
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    environment |= {"PYTHONPATH": str(checkout)} if checkout else {}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip() and not ABOUT_TIME.search(line)]
    if done.returncode:
        lines += ["status " + str(done.returncode), *done.stderr.splitlines()[-3:]]
    return lines, time.perf_counter() - started


PICKLE = """
import gzip, pickle, sys
import numpy as np
arrays = np.load(sys.argv[1])
sets = [(arrays["x%d" % i], arrays["y%d" % i]) for i in range(3)]
with gzip.open(sys.argv[2], "wb", compresslevel=1) as file:
    pickle.dump(sets, file, protocol=2)
"""


def _give_mnist(folder: Path, python: str) -> None:
    """Write the pickle that the tutorials look for into `folder`, for real Theano: by its Python, with its older NumPy."""
    sets = [[v.eval() if hasattr(v, "eval") else v.get_value() for v in pair] for pair in symae.load_data("mnist")]
    folder.mkdir()
    arrays = {f"x{i}": x.astype("float32") for i, (x, _) in enumerate(sets)} | {f"y{i}": y for i, (_, y) in enumerate(sets)}
    np.savez(folder / "mnist.npz", **arrays)
    command = [python, "-c", PICKLE, str(folder / "mnist.npz"), str(folder / "mnist.pkl.gz")]
    subprocess.run(command, check=True)


def compared(mine: list[str], theirs: list[str]) -> str:
    """How many lines are the same, and the first that is not."""
    same = sum(a == b for a, b in zip(mine, theirs, strict=False))
    if mine == theirs:
        return f"all {same} lines the same; the last: {theirs[-1] if theirs else ''}"
    numbers = [[float(n) for line in lines for n in NUMBER.findall(line)] for lines in (mine, theirs)]
    first = next((i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), same)
    shown = [lines[first] if first < len(lines) else "nothing" for lines in (mine, theirs)]
    close = len(numbers[0]) == len(numbers[1]) and max(abs(a - b) for a, b in zip(*numbers, strict=True))
    return f"{same} of {len(theirs)} lines the same; first other: {shown[0]!r}, Theano {shown[1]!r}; largest difference {close}"


if __name__ == "__main__":
    raise SystemExit(main())
