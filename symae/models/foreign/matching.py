"""Which array of a file is which parameter of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from symae.errors import InputError
from symae.models.foreign.slots import Slot
from symae.models.foreign.stored import StoredArray, Weights

# as Keras calls the classes of layers in files
OPERATIONS = ("dense", "conv2d", "conv2d_transpose", "batch_normalization")
# of a layer, what tells which layer it is; the others go where that goes
LEADING = ("weight", "gamma")


def matched(slots: Sequence[Slot], weights: Weights, names: Mapping[str, str]) -> dict[str, StoredArray]:
    """Return the array for each parameter, by the parameter's name.

    Those that `names` tells come first, then those of the same names, then layers that are only counted, in the order of each
    class. Arrays without names are taken in their order.

    Raises
    ------
    InputError
        `names` has what is not there; a parameter has no array, or several; there are more or fewer arrays than parameters,
        where they have no names.
    """
    found = _given(slots, weights, names)
    used = {array.name for array in found.values()}
    left = [array for name, array in weights.arrays.items() if name not in used]
    rest = [slot for slot in slots if slot.name not in found]
    if weights.by_position and rest:
        if len(left) != len(rest):
            expected = f"{len(rest)}, in the order of {_listed(slot.name for slot in rest)}"
            raise InputError(weights.path, f"{len(left)} arrays without names, {_listed(left)}", expected)
        return found | {slot.name: array for slot, array in zip(rest, left, strict=True)}
    several: dict[str, list[StoredArray]] = {}
    for slot in (slot for slot in rest if slot.name not in found):
        candidates = _candidates(slot, [array for array in left if not array.counted], slots)
        if len(candidates) == 1:
            found[slot.name] = candidates[0]
        elif candidates:
            several[slot.name] = candidates
    _add_mates(slots, left, found)
    found |= _by_class([slot for slot in rest if slot.name not in found], left, weights.ordered)
    _add_mates(slots, left, found)
    for slot in slots:
        if slot.name not in found:
            raise _unmatched(slot, slots, weights, several.get(slot.name, ()), found, not names)
        same = [name for name, array in found.items() if array is found[slot.name]]
        if len(same) > 1 and slot in rest:
            expected = "names= that says which is which"
            raise InputError(weights.path, f"one array, {found[slot.name]}, for {_listed(same)}", expected)
    return found


def _add_mates(slots: Sequence[Slot], left: Sequence[StoredArray], found: dict[str, StoredArray]) -> None:
    """Give to each bias, and to what else has no array yet, the one in the layer of its weights."""
    of_layer = {(array.layer, array.kind): array for array in left}
    for slot in slots:
        if slot.name in found or slot.kind in LEADING:
            continue
        weights = [s for s in slots if s.kind in LEADING and s.layers[:1] == slot.layers[:1] and s.name in found]
        if len(weights) == 1 and (found[weights[0].name].layer, slot.kind) in of_layer:
            found[slot.name] = of_layer[found[weights[0].name].layer, slot.kind]


def _given(slots: Sequence[Slot], weights: Weights, names: Mapping[str, str]) -> dict[str, StoredArray]:
    if not isinstance(names, Mapping):
        raise InputError("names", f"a {type(names).__name__}", "{name of a parameter: name in the file}, or None")
    known = {slot.name for slot in slots}
    found: dict[str, StoredArray] = {}
    for ours, theirs in names.items():
        if ours not in known:
            raise InputError("names", repr(ours), f"a parameter of the model: {_listed(slot.name for slot in slots)}")
        if theirs not in weights.arrays:
            raise InputError(weights.path, f"no array {theirs!r} among {_listed(weights.arrays)}", f"the one for {ours}")
        found[ours] = weights.arrays[theirs]
    return found


def _candidates(slot: Slot, left: Sequence[StoredArray], slots: Sequence[Slot]) -> list[StoredArray]:
    """Return the arrays with the best of the names that a parameter has."""
    exact = [array for array in left if array.name in (slot.name, slot.name.replace("_", "."), slot.name.replace("_", "/"))]
    if exact:
        return exact
    alike = [array for array in left if array.kind == slot.kind]
    for layer in slot.layers:
        if last := [array for array in alike if array.layer[-1:] == (layer,) or "_".join(array.layer) == layer]:
            return last
    for layer in slot.layers:
        if inside := [array for array in alike if layer in array.layer]:
            return inside
    # a single layer may be called anything
    only = len([other for other in slots if other.kind == slot.kind]) == 1 and len(alike) == 1
    return alike if only else []


def _by_class(rest: Sequence[Slot], left: Sequence[StoredArray], ordered: bool) -> dict[str, StoredArray]:
    """Return the weights of layers that are counted by class: those of a class of which the model has as many.

    Which of two models of different classes, in one, comes first, a file does not say that is not `ordered`.
    """
    found: dict[str, StoredArray] = {}
    for operation in OPERATIONS:
        weights = [slot for slot in rest if slot.operation == operation and slot.kind in LEADING]
        arrays = [array for array in left if array.counted and array.kind in LEADING and _class(array.layer) == operation]
        above = {tuple(_class((part,)) for part in array.layer[:-1]) for array in arrays}
        if len(arrays) == len(weights) and (ordered or len(above) == 1):
            found |= {slot.name: array for slot, array in zip(weights, arrays, strict=True)}
    return found


def _class(layer: tuple[str, ...]) -> str:
    """Return what a file counts the last layer by: conv2d for conv2d_3."""
    return re.sub(r"_\d+$", "", layer[-1]) if layer else ""


def _unmatched(
    slot: Slot,
    slots: Sequence[Slot],
    weights: Weights,
    candidates: Sequence[StoredArray],
    found: Mapping[str, StoredArray],
    may_be_in_order: bool,
) -> InputError:
    expected = f"one by that name, or names={{{slot.name!r}: ...}}"
    if may_be_in_order and weights.ordered and in_order(slots, weights):
        expected += "; in their order all fit: names=dict(zip(model.parameters(), read_weights(path)))"
    if candidates:
        return InputError(weights.path, f"several arrays for {slot.name}: {_listed(candidates)}", expected)
    used = {array.name for array in found.values()}
    left = [array for name, array in weights.arrays.items() if name not in used]
    among = f" among {_listed(left)}" if left else ""
    return InputError(weights.path, f"no array for {slot.name} {slot.shape}{among}", expected)


def in_order(slots: Sequence[Slot], weights: Weights) -> bool:
    """Return True if the arrays of a file, in their order, have the shapes of the parameters."""
    arrays = list(weights.arrays.values())
    return len(arrays) == len(slots) and all(
        array.shape == array.convention.shape_there(slot.shape) for slot, array in zip(slots, arrays, strict=True)
    )


def _listed(items: Any) -> str:
    words = [str(item) for item in items]
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "") if words else "no others"
