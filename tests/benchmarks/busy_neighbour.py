"""How much busy processes slow an epoch of worksheet 01: symae, PyTensor without symae, and PyTorch, alone and with company.

And three steps of a convolutional network by symae. A neighbour multiplies large matrices on all cores. No environment
variable limits any threads. "cpu" is the processor's time, of all cores, which waiting threads use up if they do not sleep.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from race import Contender, contender_command, race, write

from symae.datasets import read

CONTENDERS = ["symae", "symae, own loop", "symae, CNN", "PyTensor, stock Numba", "symae, PyTorch", "PyTorch"]
NEIGHBOUR = "import numpy as np\na = np.ones((1500, 1500))\nprint('busy', flush=True)\nwhile True:\n    a @ a\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--neighbours", type=int, default=1, help="busy processes, each on all cores")
    parser.add_argument("--contenders", nargs="+", default=CONTENDERS, choices=CONTENDERS)
    parser.add_argument("--out", type=Path)
    settings = parser.parse_args()
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.pop(name, None)

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        np.save(images, read().train.x[:5000] / 256.0)
        given = "--images", images, "--floatX", "float64", "--level", 0.0, "--batch", 20, "--hidden", 100, "--threads", 0
        commands = {
            "symae": contender_command("symae_autoencoder.py", *given, "--way", "numba"),
            "symae, own loop": contender_command("symae_own_loop.py", *given, "--way", "numba"),
            "symae, CNN": contender_command("symae_cnn.py"),
            "PyTensor, stock Numba": contender_command("theano_style.py", *given, "--way", "pytensor"),
            "symae, PyTorch": contender_command("symae_autoencoder.py", *given, "--way", "pytorch"),
            "PyTorch": contender_command("torch_autoencoder.py", *given[:-1], os.cpu_count(), "--way", "eager"),
        }
        print(f"{'':26}{'alone s':>10}{'busy s':>10}{'ratio':>8}{'alone cpu':>11}{'busy cpu':>10}{'ratio':>8}")
        for name in settings.contenders:
            command = commands[name]
            alone = race([Contender(name, command, {})], settings.rounds)[name]
            contender = Contender(name, command, {})
            neighbours = [
                subprocess.Popen([sys.executable, "-c", NEIGHBOUR], stdout=subprocess.PIPE) for _ in range(settings.neighbours)
            ]
            try:
                for neighbour in neighbours:
                    assert neighbour.stdout is not None
                    neighbour.stdout.readline()
                busy = race([contender], settings.rounds)[name]
            finally:
                for neighbour in neighbours:
                    neighbour.kill()
                    neighbour.wait()
            results[name] = {"alone": alone, "busy": busy, "ratio": busy["median"] / alone["median"]}
            print(f"{name:26}{alone['median']:10.4f}{busy['median']:10.4f}{results[name]['ratio']:8.2f}", end="")
            cpu = alone["median cpu"], busy["median cpu"]
            print(f"{cpu[0]:11.4f}{cpu[1]:10.4f}{cpu[1] / cpu[0]:8.2f}", flush=True)
    write(settings.out, {"busy neighbour": results})


if __name__ == "__main__":
    main()
