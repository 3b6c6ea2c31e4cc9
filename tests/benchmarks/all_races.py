"""All races of worksheets 01 to 06, one after the other, each contender a process of its own and all of them taking turns.

`--only` runs some. With `--out` results are kept in a file, and those of parts that are not run now stay there.
`--tables` makes the tables in docs/benchmarks.md anew from all that are in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from race import machine
from race_tables import markdown, replaced

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
SETTINGS = "--floatX float64 float32 --batch 20 200 --hidden 100 500 --contenders symae,_Numba JAX,_scan PyTorch --rounds 3"
BACKENDS = "--backends numba jax pytorch"
FEW = "--contenders symae,_Numba JAX,_scan JAX,_step PyTorch NumPy PyTensor,_Numba Theano_1.0.5"

# By part: the script, what it is told, and what in place of this in a hurry (nothing: not at all). "_" is a blank in a name.
PARTS: dict[str, tuple[str, str, str | None]] = {
    "01": ("autoencoder_epoch.py", "--worksheets 01 --floatX float64 float32 --rounds 5", f"--worksheets 01 --rounds 3 {FEW}"),
    "02": ("autoencoder_epoch.py", "--worksheets 02 --floatX float64 float32 --rounds 5", f"--worksheets 02 --rounds 3 {FEW}"),
    "01 settings": ("autoencoder_epoch.py", f"--worksheets 01 {SETTINGS}", None),
    "02 settings": ("autoencoder_epoch.py", f"--worksheets 02 {SETTINGS}", None),
    "03": ("image_autoencoder_epoch.py", "--rounds 3 --images 20000", "--rounds 1 --images 12000"),
    "04": ("convolutional_step.py", f"--rounds 5 --minibatches 10 {BACKENDS}", "--rounds 3 --minibatches 4"),
    "05": ("convolutional_step.py", "--models denoising --rounds 5 --minibatches 10", "--models denoising --minibatches 4"),
    "06": ("coordinate_vae_step.py", f"--rounds 5 --minibatches 5 {BACKENDS}", "--rounds 2 --minibatches 3"),
}


def measure(part: str, given: argparse.Namespace) -> Any:
    """Return what the part's script writes; None if it fails."""
    script, usual, quick = PARTS[part]
    words = [word.replace("_", " ") for word in ((quick or "") if given.quick else usual).split()]
    if script == "autoencoder_epoch.py" and given.theano:
        words += ["--theano", given.theano]
    if script != "autoencoder_epoch.py" and given.compile:
        words.append("--compile")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        command = [sys.executable, str(HERE / script), *words, "--out", str(out)]
        status = subprocess.run(command, check=False).returncode
        if status:
            print(f"{script} ended with status {status}; {part} is left out", file=sys.stderr)
            return None
        return json.loads(out.read_text())


def kept(path: Path | None, here: dict[str, Any]) -> dict[str, Any]:
    """Return the parts that are in a file of results, measured on this machine with these packages."""
    if path is None or not path.is_file():
        return {}
    before = json.loads(path.read_text())
    if before["machine"] != here:
        raise SystemExit(f"{path}: results of another machine, or of other packages; expected a file of this one's, or none")
    return before["parts"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer epochs and contenders, one dtype")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--theano", default=os.environ.get("SYMAE_THEANO"), metavar="PYTHON", help="an interpreter with Theano 1.0.5"
    )
    parser.add_argument("--compile", action="store_true", help="PyTorch with torch.compile on worksheets 03 to 06, too")
    parser.add_argument("--out", type=Path, metavar="JSON", help="keep the results here")
    parser.add_argument("--tables", action="store_true", help="put the tables into docs/benchmarks.md")
    given = parser.parse_args()

    here = machine()
    results = {"machine": here, "parts": kept(given.out, here)}
    started = time.perf_counter()
    for part in given.only:
        if given.quick and PARTS[part][2] is None:
            continue
        print(f"\n=== {part}", flush=True)
        if (measured := measure(part, given)) is not None:
            results["parts"][part] = measured
        if given.out is not None:
            given.out.write_text(json.dumps(results, indent=2) + "\n")
    tables = markdown(results)
    print(f"\n{time.perf_counter() - started:.0f} s\n\n{tables}")
    if given.tables:
        PAGE.write_text(replaced(PAGE.read_text(), tables))


if __name__ == "__main__":
    main()
