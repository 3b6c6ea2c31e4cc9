"""Which arrays of a file are images, and which are their labels: told by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from os import PathLike

import numpy as np

from symae.datasets.contents import excerpt
from symae.datasets.dataset import Pair, Pairs
from symae.errors import InputError

PARTS = {"train": 0, "training": 0, "valid": 1, "val": 1, "validation": 1, "test": 2, "testing": 2}
IMAGES = {"x", "images", "image", "imgs", "img", "data", "features", "inputs", "pixels"}
LABELS = {"y", "labels", "label", "targets", "target", "classes"}
EXPECTED = (
    "train_x, train_y, valid_x, valid_y, test_x, test_y or x_train, y_train, x_test, y_test, labels or not; x, or x and y; "
    "or one array"
)


def named_pairs(
    where: str | PathLike[str], shapes: Mapping[str, tuple[int, ...]], load: Callable[[str], np.ndarray], least_ndim: int = 2
) -> list[Pair]:
    """Load images and labels from arrays with names and `shapes`, by `load`: one part, or training, test, perhaps validation.

    Names are taken apart at ``_ . / -``: ``train_x``, ``x_train``, ``test/images``, ``X``. Labels of training images and of
    validation images go together; test images may have none, if no array has a name that is not known; training images alone
    are one part, likewise. The only array with `least_ndim` dimensions may have any name. Labels may be (n, 1) or (1, n), and
    whole numbers as floats.
    """
    found: dict[tuple[int | None, bool], str] = {}
    for name in shapes:
        words = [word for word in re.split(r"[\s_./-]+", name.lower()) if word]
        parts = [PARTS[word] for word in words if word in PARTS]
        kinds = [word in IMAGES for word in words if word in IMAGES | LABELS]
        if len(kinds) != 1 or len(parts) + len(kinds) != len(words) or len(parts) > 1:
            continue
        key = (parts[0] if parts else None, kinds[0])
        if key in found:
            raise InputError(where, f"both {excerpt(found[key])} and {excerpt(name)}", "one array of these images or labels")
        found[key] = name
    if not any(images for _, images in found):
        large = [name for name, shape in shapes.items() if len(shape) >= least_ndim]
        if len(large) == 1:
            found[None, True] = large[0]
    split = (0, True) in found
    chosen = [part for part in ((0, 1, 2) if split else (None,)) if (part, True) in found]
    labelled = (chosen[0], False) in found if chosen else False
    unknown = [name for name in shapes if name not in found.values()]
    # labels of images that are missing, or validation images without tests, or what may be test images
    alone = (split and {part for part, _ in found} - {None, *chosen}) or chosen == [0, 1] or (chosen == [0] and unknown)
    if not chosen or alone or (1 in chosen and ((1, False) in found) != labelled):
        names = ", ".join(sorted(map(excerpt, shapes))[:8]) or "nothing"
        raise InputError(where, f"arrays {names}", EXPECTED)
    if labelled and unknown and any((part, False) not in found for part in chosen):
        # labels, perhaps, whose name is misspelt or damaged
        names = ", ".join(sorted(map(excerpt, unknown))[:8])
        raise InputError(where, f"no labels of test images, and arrays {names}", "test_y or y_test, or no other array")
    return [
        (load(found[part, True]), as_labels(load(found[part, False])) if labelled and (part, False) in found else None)
        for part in chosen
    ]


def as_labels(array: np.ndarray) -> np.ndarray:
    """Return labels as a vector where they are a row or a column, and as integers where they are floats without a fraction."""
    if array.ndim == 2 and 1 in array.shape:
        array = array.reshape(-1)
    if array.dtype.kind == "f" and array.size and np.all(np.abs(array) < 2**31) and np.all(array == np.rint(array)):
        return array.astype(np.int64)
    return array


def as_bytes(pairs: Pairs) -> Pairs:
    """Return images that are floats, all whole numbers up to 255, not only 0 and 1, as bytes: MATLAB has floats for bytes."""
    images = [x for x, _ in pairs]
    if not all(x.dtype.kind == "f" and x.size and x.min() >= 0 and x.max() <= 255 for x in images):
        return pairs
    pixels = [x.astype(np.uint8) for x in images]
    whole = any(x.max() > 1 for x in images) and all(map(np.array_equal, pixels, images))
    return [(x, y) for x, (_, y) in zip(pixels, pairs, strict=True)] if whole else pairs
