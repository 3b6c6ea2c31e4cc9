"""`load_data`, as the lisa-lab Deep Learning Tutorials' logistic_sgd.py has it."""

from __future__ import annotations

import re
from os import PathLike
from typing import Any

from symae.datasets.dataset import Dataset, Split
from symae.datasets.formats.idx import FILES
from symae.datasets.pixel_scale import TUTORIALS, scaled
from symae.datasets.sources import read

# What tutorials of that time call MNIST: pickles, the four IDX files, tables, Keras's file, and TensorFlow's folders.
PICKLE = re.compile(r"(mini_)?mnist(_py3k|_expanded)?\.(pkl|pickle)(\.gz|\.bz2)?")
IDX = {name + end: stem for stem in FILES for name in (stem, stem.replace("-idx", ".idx")) for end in ("", ".gz")}
TABLES = {"mnist_train.csv": "train", "mnist_test.csv": "test"}
ARRAYS = "mnist.npz"
FOLDERS = ("MNIST_data", "MNIST-data", "mnist_data")
# What says that a path or an address is of another set, whose files may have MNIST's names.
OTHERS = re.compile(
    r"fashion|kuzushiji|(?<![a-z0-9])(e|k|q|c|t|not|infi|aff|rot|moving|oracle|sign)mnist"
    r"|(?<![a-z0-9])(rotated|moving|colou?red|cluttered|permuted|noisy|affine|binarized|not|3d)[-_ ]mnist"
    r"|mnist[-_ ]?(c|m|r|1d|8m|rot|rotated|rotation|back|background)(?![a-z0-9])"
    r"|(?<![a-z0-9])(cifar|svhn|usps|norb|omniglot|stl)[-_]?\d*(?![a-z0-9])"
)


def mnist_name(path: str) -> str | None:
    """Return the last name in a path or an address if tutorials call MNIST so; None for another, and in one of another set."""
    if OTHERS.search(path.lower()):
        return None
    name = re.split(r"[/\\]", path.rstrip("/\\"))[-1]
    return name if PICKLE.fullmatch(name) or name in (*IDX, *TABLES, ARRAYS, *FOLDERS) else None


def load_data(name_or_path: str | PathLike[str] | Dataset | None = None, borrow: bool = True) -> list[tuple[Any, Any]]:
    """Read images into shared variables.

    Parameters
    ----------
    name_or_path : str, path or Dataset, optional
        As for `read`; the tutorials' own ``"mnist.pkl.gz"`` works where that file is. A data set that was read already is taken
        as it is.
    borrow : bool
        Whether the shared variables may keep the arrays themselves instead of copies.

    Returns
    -------
    list of three pairs (x, y)
        Training, validation and test. `x` is a shared variable (n, pixels) in floatX; bytes are divided by 256, which is exact
        in float32 and in float64 and lies in [0, 1). `y` is the shared labels (n,), stored in floatX as a GPU wanted them, cast
        to int32: an expression, so ``y.eval()`` gives its values; None where there are no labels. The shared variables are
        named ``train_x`` … ``test_y``. Without validation images those of validation have no rows.

    Raises
    ------
    MissingFileError, InputError
        As for `read`.
    """
    dataset = name_or_path if isinstance(name_or_path, Dataset) else read(name_or_path)
    none = Split(dataset.train.x[:0], None if dataset.train.y is None else dataset.train.y[:0])
    return [_shared(part, getattr(dataset, part) or none, borrow) for part in ("train", "valid", "test")]


def _shared(part: str, split: Split, borrow: bool) -> tuple[Any, Any]:
    # Reading data needs no compiler; this takes a second.
    import pytensor
    import pytensor.tensor as pt

    x = scaled(split.x, TUTORIALS, pytensor.config.floatX)
    shared_x = pytensor.shared(x, name=f"{part}_x", borrow=borrow)
    if split.y is None:
        return shared_x, None
    y = split.y.astype(pytensor.config.floatX)
    shared_y = pytensor.shared(y, name=f"{part}_y", borrow=borrow)
    return shared_x, pt.cast(shared_y, "int32")
