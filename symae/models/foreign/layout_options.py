"""What a caller says of a file that does not say it itself: how filters lie on images, and how images lie in rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symae._runtime.checks import flag
from symae.errors import InputError
from symae.models.foreign.conventions import KERAS, LASAGNE
from symae.models.foreign.layouts import UNCLEAR, several
from symae.models.foreign.slots import Slot
from symae.models.foreign.stored import StoredArray

Option = bool | Mapping[str, bool] | None


def check_options(slots: Sequence[Slot], flip_filters: Any, channels_last: Any) -> None:
    """Raise InputError if one of the two is neither None, a bool, nor a bool for each of some parameters that it can be of."""
    _check("flip_filters", flip_filters, [slot for slot in slots if len(slot.shape) == 4], "filters of the model")
    beside = [slot for slot in slots if _matters(slot)]
    _check("channels_last", channels_last, beside, "parameters of the model beside rows of images that have several channels")
    if isinstance(channels_last, Mapping):
        of_layers = _of_layers(beside, channels_last)
        missing = [slot.name for slot in beside if slot.layers[0] not in of_layers]
        if missing:
            raise InputError("channels_last", f"nothing of {', '.join(missing)}", "a bool for each layer beside images")


def _check(where: str, option: Any, slots: Sequence[Slot], expected: str) -> None:
    if not isinstance(option, Mapping):
        if option is not None:
            flag(where, option)
        return
    known = [slot.name for slot in slots]
    for name, value in option.items():
        if name not in known:
            raise InputError(where, repr(name), f"{expected}: {', '.join(known) or 'it has none'}")
        flag(f"{where}[{name!r}]", value)


def with_options(path: Path, slots: Sequence[Slot], slot: Slot, array: StoredArray, flips: Option, last: Option) -> StoredArray:
    """Return an array with what a caller says of it.

    Raises
    ------
    InputError
        Of images the file says the contrary; what is said is not enough; or the order of rows is not known, and matters.
    """
    convention = array.convention
    if isinstance(flips, Mapping):
        flips = flips.get(slot.name)
    elif convention.library == LASAGNE.library and slot.operation == "conv2d_transpose":
        flips = None
    if flips is not None:
        convention = replace(convention, flips=flips)
    where = f"{path}, {array.name}"
    beside = [other for other in slots if _matters(other)]
    flattens_either_way = convention.library == KERAS.library and not convention.layout_given
    or_a_file = "" if path.suffix == ".keras" else ", or a .keras"
    if isinstance(last, Mapping):
        last = _of_layers(beside, last).get(slot.layers[0])
        if last and flattens_either_way and several(slot.rows) and several(slot.columns):
            found = (
                f"channels_last=True of {slot.name}, which takes rows of images and makes some, and nothing of which it is of"
            )
            raise InputError(where, found, f"channels_last=True, if it is of all layers{or_a_file}")
    elif last is False and flattens_either_way and several(slot.rows):
        found = "channels_last=False, which does not say how Flatten lays rows"
        raise InputError(where, found, f"channels_last={{{_of_each(beside)}}}, True for rows (h, w, channels){or_a_file}")
    convention = convention.said(last)
    for axis, layout, is_last in (
        ("rows", slot.rows, convention.rows_last),
        ("columns", slot.columns, convention.columns_last),
    ):
        if is_last and layout == UNCLEAR:
            expected = "images of known sizes, flattened or reshaped right beside the matrix"
            or_first = "" if convention.layout_given else f", or channels_last={{{slot.name!r}: False, ...}}"
            found = f"{axis} of {slot.name} whose order is not known here, of images that are (h, w, channels) there"
            raise InputError(where, found, expected + or_first)
    return replace(array, convention=convention)


def _of_each(beside: Sequence[Slot]) -> str:
    """Return what may be said of each layer: where rows do not matter, False as of all."""
    layers: dict[str, list[Slot]] = {}
    for slot in beside:
        layers.setdefault(slot.layers[0], []).append(slot)
    return ", ".join(
        f"{of[0].name!r}: {'...' if any(several(slot.rows) for slot in of) else 'False'}" for of in layers.values()
    )


def _matters(slot: Slot) -> bool:
    """Return True if a parameter has images beside it for which the order of their axes makes a difference."""
    return several(slot.rows) or several(slot.columns)


def _of_layers(slots: Sequence[Slot], option: Mapping[str, bool]) -> dict[str, bool]:
    """Return what is said of each layer: a bias and a normalisation lie as its other parameters do.

    Raises
    ------
    InputError
        Of two parameters of one layer different things are said.
    """
    found: dict[str, tuple[str, bool]] = {}
    for slot in slots:
        if slot.name in option:
            name, value = found.setdefault(slot.layers[0], (slot.name, option[slot.name]))
            if value != option[slot.name]:
                said = f"{value} of {name} and {option[slot.name]} of {slot.name}"
                raise InputError("channels_last", said, f"the same of both, which are of the layer {slot.layers[0]}")
    return {layer: value for layer, (_, value) in found.items()}
