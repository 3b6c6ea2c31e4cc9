"""Worksheets 01 to 06 on a GPU by JAX, and the epochs of 04 and 06 against PyTorch on the same card: ten minutes in all.

    python tests/benchmarks/gpu.py
    python tests/benchmarks/gpu.py --device cpu --small

On the machine: `pip install "symae[jax]" "jax[cuda13]" torch`. Each worksheet runs by its command with `--backend jax`; what
counts is that it ends well, and the seconds until its first step was made, compiling included, which are to be under 60. Then
symae's steps and PyTorch's, also compiled by torch.compile, which records CUDA graphs (mode "reduce-overhead"), take turns with
all data on the card: float32, and once more with TF32, in which products have ten bits of their factors' 23. What fails is said
and counts as a failure, and the rest goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from minibatch_race import installed, save_images, start
from race import Contender, race, show, write

from symae.models import ConvolutionalAutoencoder, CoordinateVAE

# few epochs: whether they run, and how soon
WORKSHEETS = {"01": [], "02": [], "03": ["--maps", "3", "--pool", "4"], "04": [], "05": [], "06": []}
FIRST_STEP = 60.0
BASELINE = "symae jax"
LONGEST = 240  # seconds of a worksheet, after which it has failed
SMALL = {"epochs": 1, "images": 256, "data": "digits", "minibatches": 2, "rounds": 1}
RACES = {"04": (ConvolutionalAutoencoder, {"maps": (16, 8, 8)}, 128, False), "06": (CoordinateVAE, {}, 64, True)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("gpu", "cpu"), default="gpu")
    parser.add_argument("--epochs", type=int, default=2, help="of each worksheet")
    parser.add_argument("--images", type=int, help="of worksheets 04 to 06")
    parser.add_argument("--data", help="as worksheets take it")
    parser.add_argument("--minibatches", type=int, default=468, help="in a round: an epoch of MNIST in minibatches of 128")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=[*WORKSHEETS, "races"], default=[*WORKSHEETS, "races"])
    parser.add_argument("--small", action="store_true", help="few of everything, of the embedded digits: whether it all runs")
    parser.add_argument("--out", type=Path)
    if parser.parse_known_args()[0].small:
        parser.set_defaults(**SMALL)
    given = parser.parse_args()
    begun = time.perf_counter()
    results: dict[str, Any] = {"device": _device(given.device)}
    print(f"{results['device']}; float32, TF32 where it is said")
    failed = []
    for number, options in WORKSHEETS.items():
        if number in given.only:
            results[number] = _worksheet(number, options, given)
            if results[number]["status"] or results[number]["first step"] > FIRST_STEP:
                failed.append(number)
            write(given.out, {"gpu": results})  # after each part: the machine may be gone before the last one
    if "races" in given.only:
        results["races"] = {}
        for number in RACES:
            results["races"][number] = _race(number, given, failed)
            write(given.out, {"gpu": results})
    print(f"{time.perf_counter() - begun:.0f} s in all" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return int(bool(failed))


def _environment(device: str, tf32: bool = False) -> dict[str, str]:
    """Return what makes JAX compute there, and in which precision of products."""
    precision = "tensorfloat32" if tf32 else "highest"
    return {
        "JAX_PLATFORMS": "cuda" if device == "gpu" else "cpu",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # PyTorch is on the card too
        "JAX_DEFAULT_MATMUL_PRECISION": precision,
        "SYMAE_TORCH_DEVICE": "cuda" if device == "gpu" else "cpu",
        "SYMAE_TORCH_TF32": str(int(tf32)),
    }


def _device(device: str) -> str:
    program = "import jax; d = jax.devices()[0]; print(d.device_kind, d.platform, jax.__version__)"
    environment = {**os.environ, **_environment(device)}
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    if asked.returncode:
        raise SystemExit(f"gpu: error: JAX has no {device} here: {asked.stderr.strip().splitlines()[-1]}")
    return asked.stdout.strip()


def _worksheet(number: str, options: list[str], given: argparse.Namespace) -> dict[str, Any]:
    """Run a worksheet to its end: its status, its seconds, and those until its first step was compiled and made."""
    with tempfile.TemporaryDirectory() as folder:
        more = ["--images", str(given.images)] if given.images and number in ("04", "05", "06") else []
        data = ["--data", given.data] if given.data else []
        command = [sys.executable, "-m", "symae", "run", number, "--backend", "jax", "--floatX", "float32", "--out", folder]
        begun = time.perf_counter()
        command += ["--epochs", str(given.epochs), *options, *more, *data]
        environment = {**os.environ, **_environment(given.device)}
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=LONGEST)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(command, 124, "", f"more than {LONGEST} s")
        seconds = time.perf_counter() - begun
        history = Path(folder) / "history.jsonl"
        epochs = [json.loads(line)["seconds"] for line in history.read_text().splitlines()] if history.exists() else []
    compiled = sum(float(s) for s in re.findall(r"Compiling .*? (\d+\.\d) s", done.stdout))
    # the first epoch has XLA's compiling in it, and the others say what its steps took
    first = compiled + (max(0.0, epochs[0] - epochs[-1]) if epochs else float("inf"))
    ended = f"status {done.returncode}, {seconds:.1f} s"
    print(f"worksheet {number}: {ended}, first step after {first:.1f} s of compiling", flush=True)
    if done.returncode:
        print(done.stderr[-1000:])
    return {"status": done.returncode, "seconds": seconds, "first step": first, "epochs": epochs}


def _race(number: str, given: argparse.Namespace, failed: list[str]) -> dict[str, Any]:
    kind, settings, batch, rows = RACES[number]
    model = kind(np.random.RandomState(0), **settings)
    common = {"batch": batch, "minibatches": given.minibatches}
    script = "torch_convolutional.py" if number == "04" else "torch_coordinate_vae.py"
    way = "padded" if number == "04" else "two terms"
    results = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_images(folder, rows=rows)
        for tf32 in (False, True) if given.device == "gpu" else (False,):
            environment = _environment(given.device, tf32)
            started = [(BASELINE, "symae_minibatches.py", {"way": "jax"})]
            if installed("PyTorch", "torch"):
                options = {"way": way, "threads": os.cpu_count()}
                started += [("PyTorch", script, options)]
                started += [("PyTorch, compiled, CUDA graphs", script, {**options, "compiled": True})]
            contenders = []
            for contender, of, options in started:
                try:
                    contenders.append(start(contender, of, model, folder, environment, **options, **common))
                except RuntimeError as error:  # torch.compile wants a compiler on the machine, for one
                    print(error, flush=True)
                    failed.append(f"{contender} of {number}")
            title = f"worksheet {number}, minibatches of {batch}, {'TF32' if tf32 else 'float32'}, data on the device"
            if [contender.name for contender in contenders][:1] != [BASELINE]:  # nothing that PyTorch is compared with
                _close(contenders)
                continue
            try:
                found = race(contenders, given.rounds)
            except (RuntimeError, OSError) as error:  # of one that has died in an epoch: its message, or its pipe
                print(f"{title}: {error}", flush=True)
                failed.append(title)
                _close(contenders)
                continue
            peers = [found_name for found_name in found if found_name.startswith("PyTorch")] or list(found)
            show(f"\n{title}", found, min(peers, key=lambda peer: found[peer]["median"]), given.minibatches)
            results[title] = found
    return results


def _close(contenders: list[Contender]) -> None:
    for contender in contenders:
        contender.close()


if __name__ == "__main__":
    sys.exit(main())
