"""Worksheets 01 to 06 by two checkouts of symae, in turns: is the present one as fast as the one before?

    git worktree add /tmp/before COMMIT
    python tests/benchmarks/between_commits.py /tmp/before

Both run the contenders of this checkout, each with its own symae on the path, from the same images and weights; so their costs
have to be the same too. The ratio is the present median to the one before. Minibatches of 0.8 s differ by a third from round to
round on two cores, so the ratio of 15 rounds by 0.05 from race to race: repeat what is above with ``--rounds 60``.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import autoencoder_epoch
import numpy as np
from minibatch_race import ONE_BLAS_THREAD, save_images
from race import Contender, contender_command, race, show, write

from symae import models

HERE = Path(__file__).resolve().parents[2]
RATIO = 1.03  # above is no noise any more, where the medians are of 60 rounds

# By title: the contender's script and what it is told; "@name" stands for a file of `_files`.
AUTOENCODER = "--images @tutorial --batch 20 --hidden 100 --way numba --threads 1"
PLAIN = "ConvolutionalAutoencoder --images @images --way numba --batch 128 --minibatches 10"
JOBS: dict[str, tuple[str, str]] = {
    **{
        f"{sheet}, {floatX}": ("symae_autoencoder.py", f"{AUTOENCODER} --level {level} --floatX {floatX}")
        for (sheet, level), floatX in itertools.product({"01": 0.0, "02": 0.3}.items(), ("float64", "float32"))
    },
    **{
        f"03, {maps} maps, {pool} x {pool}": ("symae_image_autoencoder.py", f"@pixels @maps{maps}_pool{pool} {pool} numba")
        for maps, pool in ((1, 4), (3, 4), (1, 2))
    },
    "04, plain": ("symae_minibatches.py", f"{PLAIN} --weights @plain"),
    "04, strided": (
        "symae_minibatches.py",
        "StridedAutoencoder --images @images --way numba --weights @strided --batch 256 --minibatches 10",
    ),
    "05": ("symae_minibatches.py", f"{PLAIN} --weights @denoising"),
    "06": ("symae_minibatches.py", "CoordinateVAE --images @rows --way numba --weights @vae --batch 64 --minibatches 5"),
}


def _files(folder: Path, images: int) -> dict[str, Path]:
    """Write the images in the forms that the contenders take, and the models' first weights, into `folder`."""
    rows = folder / "rows"
    rows.mkdir()
    print(f"{save_images(folder, count=images)}; {autoencoder_epoch.save_images(folder / 'tutorial.npy')}", flush=True)
    save_images(rows, rows=True, count=images)
    of_all = np.load(folder / "images.npy").reshape(-1, 784)
    np.save(folder / "pixels.npy", of_all)
    rng = np.random.RandomState(0)
    first: dict[str, Any] = {
        **{f"maps{m}_pool{p}": models.ImageAutoencoder(rng, maps=m, pool=p) for m, p in ((1, 4), (3, 4), (1, 2))},
        "plain": models.ConvolutionalAutoencoder(rng, maps=(16, 8, 8)),
        "denoising": models.ConvolutionalAutoencoder(rng, maps=(32, 32)),
        "strided": models.StridedAutoencoder(rng, code=10),
        "vae": models.CoordinateVAE(rng),
    }
    for name, model in first.items():
        np.savez(folder / f"{name}.npz", **model.parameters())
    arrays = {name: folder / f"{name}.npy" for name in ("tutorial", "images", "pixels")} | {"rows": rows / "images.npy"}
    return arrays | {name: folder / f"{name}.npz" for name in first}


def _contenders(script: str, told: str, files: dict[str, Path], before: Path) -> Iterator[Contender]:
    words = [files[word[1:]] if word.startswith("@") else word for word in told.split()]
    for name, checkout in (("before", before), ("now", HERE)):
        yield Contender(name, contender_command(script, *words), ONE_BLAS_THREAD | {"PYTHONPATH": str(checkout)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout of the commit to compare with")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each that count (default: 15)")
    parser.add_argument("--images", type=int, default=8000, help="of worksheets 03 to 06 (default: 8000)")
    parser.add_argument("--only", nargs="+", default=list(JOBS), choices=JOBS, metavar="JOB", help=", ".join(JOBS))
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    given = parser.parse_args()
    if not (given.before / "symae" / "__init__.py").is_file():
        parser.error(f"{given.before}: found no symae in it, expected a checkout")

    results = {}
    with tempfile.TemporaryDirectory() as name:
        files = _files(Path(name), given.images)
        for title in given.only:
            result = race(list(_contenders(*JOBS[title], files, given.before.resolve())), given.rounds)
            show(f"\n{title}", result, "before")
            if result["now"]["first cost"] != result["before"]["first cost"]:
                print("the costs of the first round are not the same")
            results[title] = result
    print(f"\n{'':24}{'now : before':>14}")
    for title, result in results.items():
        ratio = result["now"]["median"] / result["before"]["median"]
        print(f"{title:24}{ratio:14.3f}{f'  above {RATIO}' if ratio > RATIO else ''}", flush=True)
    write(given.out, {"races": results})


if __name__ == "__main__":
    main()
