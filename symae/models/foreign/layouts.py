"""Where the numbers of images lie along an axis of a parameter: behind a layer that flattens, before one that makes images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytensor.graph.basic import Apply, Variable
from pytensor.tensor.basic import Join
from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from pytensor.tensor.math import Dot
from pytensor.tensor.reshape import JoinDims, SplitDims
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.special import LogSoftmax, Softmax
from pytensor.tensor.subtensor import Subtensor, get_idx_list

from symae.models.products import core, matrix_of
from symae.ops.bias_relu import Rectified
from symae.ops.conv.convolution import Convolution, InputGradient
from symae.ops.phases import Marked

# The pieces of an axis, one after another: flattened images, (channels, h, w), and (n,) other numbers. Of an array of three
# axes it is meant of the rows that they make, flattened.
Layout = tuple[tuple[int, ...], ...]
# There are numbers of images of several channels, and their order is not known.
UNCLEAR: Layout = ()
# an image's axes, from (n, channels, h, w) to (n, h, w, channels), and back
TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


def several(layout: Layout | None) -> bool:
    """Return True if it makes a difference whether images have their channels first or last."""
    return layout == UNCLEAR or any(len(p) == 3 and p[0] > 1 and p[1] * p[2] > 1 for p in layout or ())


def axes_of_images(order: Sequence[Apply], names: Mapping[Variable, str]) -> tuple[dict[str, Layout], dict[str, Layout]]:
    """Return for which parameters the first axis is that of flattened images, and for which the last one becomes images.

    A vector that is added to flattened images, or scales them, is among the first. There may be other numbers before and behind
    the images, if they are concatenated. Where images are mixed with others so that their order cannot be followed, the layout
    is UNCLEAR.

    Parameters
    ----------
    order : list of Apply
        A graph, from its inputs on.
    names : dict
        Of the parameters.
    """
    flat = _behind_images(order)
    made, beside = _before_images(order, flat)
    rows = {names[v]: maps for v, maps in beside.items() if v in names and v.type.ndim == 1}
    columns = {names[v]: maps for v, maps in (beside | made).items() if v in names and names[v] not in rows}
    drawing: dict[str, Layout] = {}  # by transposed matrices; those that are used as they are too have their rows from there
    straight: set[str] = set()
    for node in order:
        if not isinstance(core(node.op), Dot):
            continue
        x, second = node.inputs
        W, turned = matrix_of(second)
        taken, drawn = (_last_axis(v, found) for v, found in ((x, flat), (node.outputs[0], beside | made)))
        if (name := names.get(W)) is None:
            inside = [names[v] for v in _mixed_in(second) if v in names] or [names[v] for v in _mixed_in(x) if v in names]
            for found, maps in ((rows, taken or _last_axis(second, flat)), (columns, drawn)):
                found |= dict.fromkeys(inside, UNCLEAR) if several(maps) else {}
            continue
        if not turned:
            straight.add(name)
        if taken is not None:
            (columns if turned else rows)[name] = taken
        if drawn is not None:
            (drawing if turned else columns)[name] = drawn
    return {name: maps for name, maps in drawing.items() if name not in straight} | rows, columns


def _behind_images(order: Sequence[Apply]) -> dict[Variable, Layout]:
    """Return the layouts of rows that are made of images."""
    flat: dict[Variable, Layout] = {}
    last: dict[Variable, Layout | None] = {}  # images that have their channels last already: what a flatten makes of them
    for node in order:
        if not node.inputs:
            continue
        x, out = node.inputs[0], node.outputs[0]
        if out.type.ndim == 4:
            if (turn := _turn(node)) is not None:
                if turn != TO_FIRST:
                    last[out] = None if turn == TO_LAST else UNCLEAR
            elif isinstance(node.op, Elemwise) and (of := [last[v] for v in node.inputs if v in last]):
                last[out] = of[0]
            continue
        maps: Layout | None = None
        found = {flat[v] for v in _alike(node) if v in flat}
        if _is_view(node) and x.type.ndim == 4:
            maps = last[x] if x in last else _regrouped(_images(x.type.shape[1:]), out)
        elif found:
            maps = found.pop() if len(found) == 1 else _mixed(found)
        elif (mixed := _mixed(flat[v] for v in node.inputs if v in flat)) is None and not any(v in flat for v in node.inputs):
            continue
        elif _is_view(node):
            maps = _regrouped(flat[x], out) if x in flat else None
        elif (parts := _joined(node)) is not None:
            lengths = [_length(v) for v in parts]
            if all(v in flat or n is not None for v, n in zip(parts, lengths, strict=True)) and UNCLEAR not in map(
                flat.get, parts
            ):
                maps = tuple(p for v, n in zip(parts, lengths, strict=True) for p in flat.get(v, ((n,),)))  # type: ignore[misc]
            else:
                maps = mixed
        elif (ends := _slice_of(node)) is not None and x in flat:
            maps = _cut(flat[x], *ends)
        elif not _ends_rows(node):
            for other in node.outputs:
                if mixed is not None and other.type.ndim > 0:
                    flat[other] = mixed
        if maps is not None:
            flat[out] = maps
    return flat


def _before_images(
    order: Sequence[Apply], flat: Mapping[Variable, Layout]
) -> tuple[dict[Variable, Layout], dict[Variable, Layout]]:
    """Return the layouts of rows that images are made of, and of those that are added to flattened images."""
    made: dict[Variable, Layout] = {}
    beside: dict[Variable, Layout] = {}
    last: dict[Variable, Layout | None] = {}  # images that are to get their channels first: how rows lie that they are made of
    for node in reversed(order):
        if not node.inputs:
            continue
        x, out = node.inputs[0], node.outputs[0]
        if out.type.ndim == 4:
            if (turn := _turn(node)) is not None:
                if turn != TO_LAST:
                    last[x] = None if turn == TO_FIRST else UNCLEAR
            elif isinstance(node.op, Elemwise) and out in last:
                last |= {v: last[out] for v in node.inputs if v.type.ndim == 4}
            elif _is_view(node) and x.type.ndim in (2, 3):
                _put(made, x, last[out] if out in last else _regrouped(_images(out.type.shape[1:]), x))
            continue
        alike, parts, ends = _alike(node), _joined(node), _slice_of(node)
        for v in alike:
            _put(made, v, made.get(out))
            if v not in flat:
                _put(beside, v, flat.get(out, beside.get(out)))
        for found in (made, beside):
            if (maps := found.get(out)) is None or alike or (_ends_rows(node) and not _is_view(node)):
                continue
            if _is_view(node):
                _put(found, x, _regrouped(maps, x) if x.type.ndim in (1, 2, 3) else None)
            elif parts is not None:
                begin: int | None = 0
                for v in parts:
                    end = None if begin is None or (n := _length(v)) is None else begin + n
                    _put(found, v, _mixed([maps]) if begin is None or end is None else _cut(maps, begin, end))
                    begin = end
            elif ends is not None and (length := _length(x)) is not None and maps != UNCLEAR:
                begin = slice(*ends).indices(length)[0]
                pieces = ((begin,), *maps, (length - begin - sum(map(math.prod, maps)),))
                _put(found, x, tuple(piece for piece in pieces if piece != (0,)))
            else:
                for v in node.inputs:
                    _put(found, v, _mixed([maps]) if v.type.ndim in (1, 2, 3) else None)
    return made, beside


def _put(found: dict[Variable, Layout], v: Variable, maps: Layout | None) -> None:
    """Note a layout; of two that contradict, none is known."""
    if maps is not None:
        found[v] = maps if found.get(v, maps) == maps else _mixed([maps, found[v]]) or maps


def _mixed(layouts: Iterable[Layout]) -> Layout | None:
    """Return what is known of numbers that are mixed: nothing, unless it makes no difference."""
    return UNCLEAR if any(map(several, layouts)) else None


def _alike(node: Apply) -> Sequence[Variable]:
    """Return the inputs whose last axis is that of the output, number by number."""
    op, inputs, ndim = node.op, node.inputs, node.outputs[0].type.ndim
    if ndim not in (1, 2, 3):
        return []
    if isinstance(op, SpecifyShape | Marked):
        return inputs[:1]
    if isinstance(core(op), Softmax | LogSoftmax) or (isinstance(op, CAReduce) and op.axis == (0,) and ndim == 1):
        return inputs[:1]
    if isinstance(op, DimShuffle):
        return inputs if op.new_order in ((0,), (0, 1), ("x", 0)) else []
    if isinstance(op, Elemwise | Rectified):
        return [v for v in inputs if v.type.ndim in (1, 2, ndim) and v.type.shape[-1] != 1]
    if isinstance(op, Subtensor):
        return inputs[:1] if inputs[0].type.ndim == 2 == ndim and len(op.idx_list) == 1 else []
    if isinstance(op, Join) and (found := _along(node)) is not None and found[0] == 0:
        return found[1]
    return []


def _ends_rows(node: Apply) -> bool:
    """Return True if the last axis of a node's output is not that of rows which it takes, in another order."""
    if isinstance(node.op, DimShuffle) and node.op.new_order == (0, 2, 1):  # pixels of channels, (n, channels, h * w), and back
        return True
    return isinstance(core(node.op), Dot | CAReduce | Shape | Shape_i | Convolution | InputGradient)


def _is_view(node: Apply) -> bool:
    """Return True if a node gives numbers other axes, and leaves them in their order."""
    if isinstance(node.op, DimShuffle):
        kept = [axis for axis in node.op.new_order if axis != "x"]
        return kept == sorted(kept) and node.op.new_order != (0, 1, 2, 3)
    return isinstance(node.op, Reshape | JoinDims | SplitDims)


def _turn(node: Apply) -> tuple[int, ...] | None:
    """Return in which order a node puts the axes of images."""
    if not isinstance(node.op, DimShuffle) or sorted(map(str, node.op.new_order)) != ["0", "1", "2", "3"]:
        return None
    return None if node.op.new_order == (0, 1, 2, 3) else tuple(map(int, node.op.new_order))


def _along(node: Apply) -> tuple[int, list[Variable]] | None:
    """Return along which axis a node joins which rows."""
    axis, rows = getattr(node.op, "axis", None), node.inputs
    if axis is None:  # before PyTensor 3.3 the first input
        axis, rows = getattr(node.inputs[0], "data", None), node.inputs[1:]
    return None if axis is None else (int(axis) % node.outputs[0].type.ndim, rows)


def _joined(node: Apply) -> list[Variable] | None:
    """Return the rows that a node lays beside one another."""
    if not isinstance(node.op, Join) or node.outputs[0].type.ndim != 2:
        return None
    found = _along(node)
    return found[1] if found is not None and found[0] == 1 else None


def _slice_of(node: Apply) -> tuple[int | None, int | None] | None:
    """Return from where to where a node takes rows of their numbers, if it says so and takes each."""
    if not isinstance(node.op, Subtensor) or not node.inputs[0].type.ndim == 2 == node.outputs[0].type.ndim:
        return None
    indices = get_idx_list(node.inputs, node.op.idx_list)
    if len(indices) != 2 or not all(isinstance(index, slice) for index in indices):
        return None
    start, stop, step = (getattr(end, "data", end) for end in (indices[1].start, indices[1].stop, indices[1].step))
    if any(isinstance(end, Variable) for end in (start, stop, step)) or step not in (None, 1):
        return None
    return None if start is None else int(start), None if stop is None else int(stop)


def _cut(maps: Layout, start: int | None, stop: int | None) -> Layout | None:
    """Return the layout of a part of an axis: images are in it as a whole, or make no difference."""
    if maps == UNCLEAR:
        return UNCLEAR
    start, stop, _ = slice(start, stop).indices(sum(map(math.prod, maps)))
    found: list[tuple[int, ...]] = []
    begin = 0
    for piece in maps:
        end = begin + math.prod(piece)
        inside = min(end, stop) - max(begin, start)
        if inside == end - begin:
            found.append(piece)
        elif inside > 0 and several((piece,)):
            return UNCLEAR
        elif inside > 0:
            found.append((inside,))
        begin = end
    return tuple(found) or None


def _images(sizes: Sequence[int | None]) -> Layout | None:
    """Return the layout of images of a shape, (channels, h, w), that are flattened."""
    if None not in sizes:
        return (tuple(size for size in sizes if size is not None),)
    return None if sizes[0] == 1 or sizes[1:] == (1, 1) else UNCLEAR


def _regrouped(maps: Layout | None, v: Variable) -> Layout | None:
    """Return the layout of numbers that got the axes of `v`; rows may be of one channel now, or of one pixel's channels."""
    sizes = v.type.shape[1:] if v.type.ndim > 1 else v.type.shape
    if not maps or None in sizes or math.prod(sizes) == sum(map(math.prod, maps)):
        return maps
    channels, height, width = maps[0] if len(maps[0]) == 3 else (1, 1, 1)
    one = len(maps) == 1 and math.prod(sizes) in (1, channels, width, height * width)
    return None if one else _mixed([maps])


def _last_axis(v: Variable, found: Mapping[Variable, Layout]) -> Layout | None:
    """Return the layout of the last axis; that of pixels alone, or of channels, makes no difference."""
    maps = found.get(v)
    if maps is None or v.type.ndim < 3:
        return maps
    return _regrouped(maps, v.sum(axis=tuple(range(1, v.type.ndim - 1))))


def _length(v: Variable) -> int | None:
    length: int | None = v.type.shape[1]
    return length


def _mixed_in(v: Variable) -> Iterator[Variable]:
    """Yield what a matrix is computed of, but for products."""
    stack, seen = [v], set()
    while stack:
        above = stack.pop()
        if above in seen:
            continue
        seen.add(above)
        yield above
        if above.owner is not None and not isinstance(core(above.owner.op), Dot | Convolution | InputGradient):
            stack += above.owner.inputs
