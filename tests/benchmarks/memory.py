"""The most memory that trainings of worksheets 01 to 06 take, in MB: symae from empty caches and again, against PyTorch.

Each is a process of its own, one after the other, that has the images as float32 and trains for two rounds. What else runs
makes no difference to these figures. "Data" is what the images take. From empty caches symae compiles in a second process, too:
"together" is what both have in the same moment.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import autoencoder_epoch
import numpy as np
from minibatch_race import ONE_BLAS_THREAD, installed, save_images, start
from race import Contender, contender_command, write

from symae import ImageAutoencoder
from symae.models import ConvolutionalAutoencoder, CoordinateVAE, StridedAutoencoder

Start = Callable[[], Contender]
# by worksheet: the class, its settings, minibatch, script and way of PyTorch's, whether images are rows
MINIBATCHES = {
    "04": ("04, plain model", ConvolutionalAutoencoder, {"maps": (16, 8, 8)}, 128, "torch_convolutional.py", "padded", False),
    "04 strided": ("04, strided model", StridedAutoencoder, {"code": 10}, 256, "torch_convolutional.py", "turned", False),
    "05": ("05, denoising", ConvolutionalAutoencoder, {"maps": (32, 32)}, 128, "torch_convolutional.py", "padded", False),
    "06": ("06, coordinate VAE", CoordinateVAE, {}, 64, "torch_coordinate_vae.py", "two terms", True),
}
PARTS = ("01", "03", *MINIBATCHES)


def contenders(part: str, folder: Path) -> tuple[str, Path, Start, Start]:
    """Return what the part is called, the file of its images, and how to start symae and PyTorch."""
    images = folder / "images.npy"
    if part == "01":
        autoencoder_epoch.save_images(images)
        begin = partial(autoencoder_epoch.start, images=images, floatX="float32", level=0.0, batch=20, hidden=100, threads=2)
        return "01, 5000 images", images, partial(begin, "symae, Numba"), partial(begin, "PyTorch")
    save_images(folder, rows=part in MINIBATCHES and MINIBATCHES[part][-1])
    if part == "03":
        weights = folder / "weights.npz"
        np.savez(weights, **ImageAutoencoder(np.random.RandomState(0), maps=3, pool=4).parameters())
        commands = {
            "symae": contender_command("symae_image_autoencoder.py", images, weights, 4, "numba"),
            "PyTorch": contender_command("torch_image_autoencoder.py", images, weights, 4, 2, "eager"),
        }
        of_symae, of_torch = (partial(Contender, name, command, ONE_BLAS_THREAD) for name, command in commands.items())
        return "03, 3 maps", images, of_symae, of_torch
    title, kind, settings, batch, script, way, _ = MINIBATCHES[part]
    model = kind(np.random.RandomState(0), **settings)
    begin = partial(start, model=model, folder=folder, batch=batch, minibatches=10)
    return (
        title,
        images,
        partial(begin, "symae", "symae_minibatches.py", way="numba"),
        partial(begin, "PyTorch", script, way=way, threads=2),
    )


class Together(threading.Thread):
    """Look at the memory of all processes that this one has started, every 20 ms, where the system tells it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0.0
        self._over = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._over.wait(0.02):
            pids = self._below(os.getpid())
            self.most = max(self.most, sum(map(self._megabytes, pids)))

    def end(self) -> float:
        self._over.set()
        self.join()
        return self.most

    def _below(self, pid: int) -> list[int]:
        try:
            lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        own = [int(word) for words in lists for word in words.split()]
        return own + [p for child in own for p in self._below(child)]

    def _megabytes(self, pid: int) -> float:
        try:
            return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        except (OSError, IndexError):
            return 0.0


def most(begin: Start, rounds: int) -> tuple[float, float]:
    """Run a contender, and return the most memory of its process, and of it and those that it starts together, in MB."""
    together = Together()
    contender = begin()
    for _ in range(rounds):
        contender.run_epoch()
    contender.close()
    return contender.megabytes or np.nan, together.end()


@contextmanager
def caches_in(folder: Path) -> Iterator[None]:
    """Let processes that are started meanwhile keep their machine code in `folder`."""
    before = os.environ.get("PYTENSOR_FLAGS")
    os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (before, f"base_compiledir={folder}")))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTENSOR_FLAGS"]
        else:
            os.environ["PYTENSOR_FLAGS"] = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--only", nargs="+", default=PARTS, choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()
    torch, results = installed("PyTorch", "torch"), {}
    columns = ("data", "symae, first", "together", "symae, again", "PyTorch", "first", "again")
    print(f"{'':22}{''.join(f'{column:>16}' for column in columns)}")
    for part in given.only:
        with tempfile.TemporaryDirectory() as name:
            title, images, of_symae, of_torch = contenders(part, Path(name))
            with caches_in(Path(name) / "caches"):
                (first, together), (again, _) = (most(of_symae, given.rounds) for _ in range(2))
            peer = most(of_torch, given.rounds)[0] if torch else np.nan
            figures, ratios = [images.stat().st_size / 2**20, first, together, again, peer], [first / peer, again / peer]
        results[part] = dict(zip(columns, [*figures, *ratios], strict=True))
        print(f"{title:22}{''.join(f'{f:16.0f}' for f in figures)}{''.join(f'{r:16.2f}' for r in ratios)}", flush=True)
    write(given.out, {"memory, MB": results})


if __name__ == "__main__":
    main()
