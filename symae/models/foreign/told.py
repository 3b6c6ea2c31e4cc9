"""What a caller says of a file that does not say it itself: how filters lie on images, and how images lie in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symae._runtime.checks import flag
from symae.errors import InputError
from symae.models.foreign.conventions import KERAS, LASAGNE
from symae.models.foreign.layouts import Layout
from symae.models.foreign.slots import Slot
from symae.models.foreign.stored import StoredArray

Told = bool | Mapping[str, bool] | None


def check_told(slots: Sequence[Slot], flip_filters: Any, channels_last: Any) -> None:
    """Raise InputError if one of the two is neither None, a bool, nor a bool for each of some parameters that it can be of."""
    _check("flip_filters", flip_filters, [slot for slot in slots if len(slot.shape) == 4], "filters of the model")
    beside = [slot for slot in slots if _matters(slot)]
    _check("channels_last", channels_last, beside, "parameters of the model beside rows of images that have several channels")
    if isinstance(channels_last, Mapping):
        of_layers = _of_layers(beside, channels_last)
        missing = [slot.name for slot in beside if slot.layers[0] not in of_layers]
        if missing:
            raise InputError("channels_last", f"nothing of {', '.join(missing)}", "a bool for each layer beside images")


def _check(where: str, told: Any, slots: Sequence[Slot], expected: str) -> None:
    if not isinstance(told, Mapping):
        if told is not None:
            flag(where, told)
        return
    known = [slot.name for slot in slots]
    for name, value in told.items():
        if name not in known:
            raise InputError(where, repr(name), f"{expected}: {', '.join(known) or 'it has none'}")
        flag(f"{where}[{name!r}]", value)


def told_of(path: Path, slots: Sequence[Slot], slot: Slot, array: StoredArray, flips: Told, last: Told) -> StoredArray:
    """Return an array with what a caller says of it.

    Raises
    ------
    InputError
        Of images the file says the contrary; or what is said of all of them is not enough.
    """
    convention = array.convention
    if isinstance(flips, Mapping):
        flips = flips.get(slot.name)
    elif convention.library == LASAGNE.library and slot.operation == "conv2d_transpose":
        flips = None
    if flips is not None:
        convention = replace(convention, flips=flips)
    beside = [other for other in slots if _matters(other)]
    if isinstance(last, Mapping):
        last = _of_layers(beside, last).get(slot.layers[0])
    elif last is False and convention.library == KERAS.library and not convention.told and _several(slot.rows):
        names = dict.fromkeys(other.layers[0] for other in beside)
        of_each = ", ".join(next(repr(other.name) for other in beside if other.layers[0] == layer) + ": ..." for layer in names)
        raise InputError(
            f"{path}, {array.name}",
            "channels_last=False, and nothing of how Keras flattens these images: to (channels, h, w) where convolutions are "
            "told of channels_first one by one, to (h, w, channels) where Flatten or Keras's setting for all says so too",
            f"what the rows of each layer are, channels_last={{{of_each}}} with True for (h, w, channels), or a .keras",
        )
    return replace(array, convention=convention.said(last))


def _matters(slot: Slot) -> bool:
    """Return True if a parameter has images beside it for which the order of their axes makes a difference."""
    return _several(slot.rows) or _several(slot.columns)


def _several(layout: Layout | None) -> bool:
    return any(len(piece) == 3 and piece[0] > 1 and piece[1] * piece[2] > 1 for piece in layout or ())


def _of_layers(slots: Sequence[Slot], told: Mapping[str, bool]) -> dict[str, bool]:
    """Return what is said of each layer: a bias and a normalisation lie as its other parameters do."""
    return {slot.layers[0]: told[slot.name] for slot in slots if slot.name in told}
