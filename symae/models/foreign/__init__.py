"""Weights of other libraries, brought into models of symae."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from symae._runtime.atomic_files import open_regular
from symae._runtime.checks import flag
from symae._runtime.tensor_files import not_finite
from symae.datasets.contents import LARGEST, excerpt
from symae.datasets.formats.hdf5 import is_hdf5
from symae.errors import InputError
from symae.models.foreign.arrays import is_archive, npz_weights, opened_archive, pickled_weights, safetensors_weights
from symae.models.foreign.conventions import channels_to_front
from symae.models.foreign.keras import CONFIG, WEIGHTS, hdf5_weights, keras_weights
from symae.models.foreign.layout_options import check_options, with_options
from symae.models.foreign.matching import matched
from symae.models.foreign.slots import Slot, slots_of
from symae.models.foreign.stored import StoredArray, Weights
from symae.models.foreign.torch import OLD_BEGIN, is_torch_archive, old_torch_weights, torch_weights

__all__ = ["load_weights", "read_weights"]

FILES = ".keras, .weights.h5 or .h5 of Keras, .pt of PyTorch, .safetensors, .npz of Chainer or Lasagne, or a pickle of arrays"
Reader = Callable[[Path, IO[bytes]], AbstractContextManager[Weights]]


def load_weights(
    model: Any,
    path: str | Path,
    names: Mapping[str, str] | None = None,
    *,
    strict: bool = True,
    flip_filters: bool | Mapping[str, bool] | None = None,
    channels_last: bool | Mapping[str, bool] | None = None,
) -> dict[str, str]:
    """Set the parameters of a model to weights that another library has saved.

    The layers of `model` have to be those of the network in the file; axes are brought into symae's order, and filters turned
    round where one library convolves and the other correlates, as the table in docs/weights.md says. Nothing in a file is run,
    and the library that wrote it is not needed: HDF5 is read by h5py.

    Parameters
    ----------
    model : a model of `symae.models`, or a `symae.keras.Model`
    path : str or Path
        ``.keras``, ``.weights.h5`` or ``.h5`` of Keras 2 and 3; a ``state_dict`` of PyTorch, from ``torch.save`` or as
        safetensors; ``.npz`` of Chainer, or of Lasagne; a pickle of arrays, of shared variables, or of an object whose state
        they are, as Theano's programs wrote. What it is, its contents tell.
    names : dict, optional
        {name of a parameter: name in the file}; `read_weights` shows what names there are. Parameters that are not in it get
        the array that has the same layer's name, ``conv1.weight`` for ``conv1_W``. Where a file has no names, as Lasagne's, the
        order counts; where layers are called after their class, ``conv2d_1``, the order within that class.
    strict : bool
        False: arrays that no parameter takes are left out. Each parameter has to get an array in any case.
    flip_filters : bool, or dict of bool, optional
        The file's network turns filters round, as convolution does; a transposed convolution, if that does of which it is the
        gradient. By default as usual in its library. {name of a parameter: bool} tells it of some layers. For a file of
        Lasagne a single bool is the ``flip_filters`` of its `Conv2DLayer`; that of `TransposedConv2DLayer` means the
        contrary and has another default, so that its filters are given by their names.
    channels_last : bool, or dict of bool, optional
        The images of the file's network are (h, w, channels), which counts where it turns them to rows, or rows to images; by
        default as usual in its library. {name of a parameter: bool} tells it of each layer beside such rows; a bias and a
        normalisation are as the other parameters of their layer. Where the file says it itself, as ``.keras``, that counts.

    Returns
    -------
    dict
        The name in the file for each parameter, as `names` has it.

    Raises
    ------
    MissingFileError, InputError
        No such file, a broken one, one that asks for code to be run or claims more than it holds; a parameter without an array
        or with several; an array for which there is no parameter; another shape; a matrix that may be meant transposed or not;
        `channels_last` is not what the file says, or does not say enough of a file of Keras's. The model is not changed then.
    BackendError
        A file of Keras, and no h5py.

    Warns
    -----
    RuntimeWarning
        Weights are NaN or infinite: names them. A normalisation has another epsilon in the file than in the model.

    Examples
    --------
    A network of Chainer's with a layer "encoder" and a bias "decoder/b":

    >>> import numpy as np
    >>> from symae import Autoencoder
    >>> from symae.models import load_weights
    >>> np.savez("net.npz", **{"encoder/W": np.ones((4, 9)), "encoder/b": np.ones(4), "decoder/b": np.ones(9)})
    >>> load_weights(Autoencoder(0, n_visible=9, n_hidden=4), "net.npz")
    {'W': 'encoder/W', 'b': 'encoder/b', 'b_prime': 'decoder/b'}
    """
    slots = slots_of(model)
    flag("strict", strict)
    check_options(slots, flip_filters, channels_last)
    with _opened(path) as weights:
        strange = next((array.of for array in weights.arrays.values() if array.of), "")
        if strict and strange:
            raise InputError(path, strange, "layers that symae has too, or strict=False to leave others out")
        found = matched(slots, weights, {} if names is None else names)
        given = partial(with_options, weights.path, slots, flips=flip_filters, last=channels_last)
        for slot in slots:
            _check(weights.path, slot, found[slot.name])
            found[slot.name] = given(slot, found[slot.name])
        used = {array.name for array in found.values()}
        extra = [array for name, array in weights.arrays.items() if name not in used]
        values = {slot.name: _adapted(slot, found[slot.name]) for slot in slots}
        if strict and extra:
            _check_extra(weights.path, model, slots, values, extra, given)
        model.set_parameters(values, path)
    if not_numbers := not_finite(values):
        warnings.warn(f"{path}: NaN or infinite values in {not_numbers}", RuntimeWarning, stacklevel=2)
    if other := _other_epsilon(slots, found):
        warnings.warn(f"{path}: {other}", RuntimeWarning, stacklevel=2)
    return {slot.name: found[slot.name].name for slot in slots}


def read_weights(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of a file that `load_weights` takes: by the names, in the order and with the axes that they have there.

    Raises
    ------
    MissingFileError, InputError, BackendError
        As `load_weights`.
    """
    with _opened(path) as weights:
        total = sum(array.n_bytes for array in weights.arrays.values())
        if total > LARGEST:
            raise InputError(path, f"arrays of {total >> 20} MiB", f"at most {LARGEST >> 20}")
        return {name: np.asarray(array.load()) for name, array in weights.arrays.items()}


@contextmanager
def _opened(path: str | Path) -> Iterator[Weights]:
    if not isinstance(path, str | os.PathLike):
        raise InputError("path", f"a {type(path).__name__}", "the name of a file")
    path = Path(path)
    with open_regular(path, FILES) as file:
        reader = _reader(path, file)
        file.seek(0)
        with reader(path, file) as weights:
            yield weights


def _reader(path: Path, file: IO[bytes]) -> Reader:
    """Return what reads a file, by its contents."""
    begin = file.read(4096)
    if not begin:
        raise InputError(path, "an empty file", FILES)
    if is_archive(begin):
        with opened_archive(path, file) as archive:
            names = archive.namelist()
        if CONFIG in names and WEIGHTS in names:
            return keras_weights
        if is_torch_archive(names):
            return torch_weights
        if names and all(name.endswith(".npy") for name in names):
            return npz_weights
        raise InputError(path, f"an archive of {', '.join(map(excerpt, names[:4]))}", FILES)
    if is_hdf5(begin):
        return hdf5_weights
    if begin.startswith(OLD_BEGIN):
        return old_torch_weights
    if begin[8:9] == b"{":
        return safetensors_weights
    if begin[:1] in b"\x80(]})c" or begin[:2] == b"\x1f\x8b" or begin[:3] == b"BZh":
        return pickled_weights
    raise InputError(path, f"the first bytes {excerpt(begin[:8])}", FILES)


def _other_epsilon(slots: Sequence[Slot], found: Mapping[str, StoredArray]) -> str:
    """Say which normalisations have another epsilon in the file than in the model."""
    other = {}
    for slot in slots:
        there, here = found[slot.name].epsilon, slot.epsilon
        if there is not None and here is not None and there != here:
            other[slot.layers[0]] = f"{slot.layers[0]} has epsilon {there:g} there and {here:g} here"
    return "; ".join(other.values()) + ": nn.batch_norm(..., epsilon=) makes them equal" if other else ""


def _check(path: Path, slot: Slot, array: StoredArray) -> None:
    """Raise InputError if an array is not what a parameter takes."""
    where = f"{path}, {array.name}"
    if array.convention.unclear and len(slot.shape) == 2:
        named = 'names with a layer: "code/W" as of Chainer, (out, in), or "code_W" as of symae, (in, out)'
        raise InputError(where, array.convention.unclear, named)
    expected = array.convention.shape_there(slot.shape)
    if array.shape != expected and not _is_spread(slot, array):
        here = "" if expected == slot.shape else f", {slot.shape} here"
        raise InputError(where, f"shape {array.shape}", f"{expected} for {slot.name}{here}")
    if array.dtype not in ("bfloat16", "float16", "float32", "float64"):
        raise InputError(where, f"dtype {array.dtype}", f"floats of 16 to 64 bits for {slot.name}")


def _is_spread(slot: Slot, array: StoredArray) -> bool:
    """Return True if a vector is stored with axes of one beside it, as for images: (maps, 1, 1)."""
    return (
        len(slot.shape) == 1
        and len(array.shape) > 1
        and [n for n in array.shape if n != 1] == [n for n in slot.shape if n != 1]
    )


def _adapted(slot: Slot, array: StoredArray) -> np.ndarray:
    """Read an array and bring it into symae's order."""
    there = array.convention
    values = np.asarray(array.load())
    values = values.reshape(slot.shape) if _is_spread(slot, array) else values.transpose(there.axes(len(slot.shape)))
    if values.ndim == 4 and there.flips != slot.flips:
        values = values[:, :, ::-1, ::-1]
    if there.rows_last and slot.rows:
        values = channels_to_front(values, 0, slot.rows)
    if there.columns_last and slot.columns:
        values = channels_to_front(values, values.ndim - 1, slot.columns)
    with np.errstate(over="ignore"):  # float64 that is infinite in float32 is warned of as any infinity
        return np.ascontiguousarray(values, dtype=slot.dtype)


def _check_extra(
    path: Path,
    model: Any,
    slots: Sequence[Slot],
    values: Mapping[str, np.ndarray],
    extra: Sequence[StoredArray],
    given: Callable[[Slot, StoredArray], StoredArray],
) -> None:
    """Raise InputError if there are arrays that no parameter takes, other than a tied matrix once more, transposed."""
    tied = [slot for slot in slots if slot.tied]
    for array in extra:
        for slot in tied:
            turned = replace(slot, shape=slot.shape[::-1], rows=slot.columns, columns=slot.rows)
            if array.kind == "weight" and array.shape == array.convention.shape_there(turned.shape):
                if np.array_equal(_adapted(turned, given(turned, array)), values[slot.name].T):
                    break
                found = f"{array}, which is not the transpose of the array for {slot.name}"
                raise InputError(
                    path, found, f"tied weights, which {type(model).__name__} has, or strict=False to leave it out"
                )
        else:
            listed = ", ".join(str(item) for item in extra[:6]) + (f" and {len(extra) - 6} more" if len(extra) > 6 else "")
            parameters = ", ".join(slot.name for slot in slots)
            expected = f"arrays for {parameters} and no others, or strict=False to leave them out"
            raise InputError(path, f"besides them {listed}", expected)
