"""The layers of a coordinate network, and their gradients, as Numba functions: block by block, so that a block stays in cache.

With 64 images of 784 places and 256 units, a layer's results are 51 MB. One pass over such an array costs as much as a tenth of
its product with the weights, and bias, rectifier, mask and sums would be a pass each. Here a block of a few hundred places goes
through all layers, and all that is small happens to it while it is in the cache of a core.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symae.errors import ShapeError
from symae.kernels.conv.direct import jit
from symae.kernels.gemm import gemm
from symae.kernels.layer_tiles import added_product, few_outputs, masked_layer, panel_width, panels, rectified_layer
from symae.kernels.parallel.parts import Threads, in_parts
from symae.kernels.simd.emitted import available
from symae.kernels.tuning import COORDINATE_BLOCK


@jit
def _check(P: Any, Q: Any, weights: Any, biases: Any) -> None:
    width = P.shape[1]
    if Q.shape[1] != width:
        raise ShapeError("coordinate_layers", "{} units of places", "{}, as many as of images", width, Q.shape[1])
    for number in range(len(weights)):
        W, b = weights[number], biases[number]
        if W.shape[0] != width or W.shape[1] != b.size:
            found, expected = "layer {}: weights of shape ({}, {}) and {} biases", "weights ({}, {}) and {} biases"
            below, units = width, W.shape[1]  # older Numbas raise with the value that a variable had first
            raise ShapeError("coordinate_layers", found, expected, number + 1, W.shape[0], units, b.size, below, units, units)
        width = b.size


@jit
def _blocks(positions: Any) -> Any:
    """Return how many blocks there are, and how many positions all but the last have."""
    n_blocks = max(1, -(-positions // COORDINATE_BLOCK))
    size = max(1, -(-positions // n_blocks))
    return -(-positions // size), size


@jit
def _begin(P: Any, q: Any, h: Any) -> None:
    """Compute h <- max(P + q, 0)."""
    zero = h.dtype.type(0)
    for r in range(h.shape[0]):
        seen, out = P[r], h[r]
        for j in range(out.size):
            value = seen[j] + q[j]
            out[j] = zero if value <= zero else value


@jit
def _rectified(A: Any, W: Any, b: Any, out: Any) -> None:
    """Compute out <- max(A W + b, 0), where there are no tiles for it."""
    gemm(A.dtype.type(1), A, False, W, False, A.dtype.type(0), out)
    zero = out.dtype.type(0)
    for r in range(out.shape[0]):
        row = out[r]
        for j in range(row.size):
            value = row[j] + b[j]
            row[j] = zero if value <= zero else value


@jit
def _finish(h: Any, turned: Any, b: Any, y: Any) -> None:
    """Compute y <- h W + b, with W turned, where there are no tiles for it; BLAS is slow with few outputs."""
    for r in range(h.shape[0]):
        row = h[r]
        for k in range(b.size):
            weights, total = turned[k], h.dtype.type(0)
            for j in range(row.size):
                total += row[j] * weights[j]
            y[r, k] = total + b[k]


@functools.cache
def _prepared(depth: int, itemsize: int) -> Callable[..., Any]:
    """Compile (weights of all layers, turned) -> those of the hidden layers as tiles read them, or BLAS."""
    width = panel_width(itemsize) if available() else 0
    hidden = (f"weights[{layer}]" for layer in range(depth - 1))
    made = ", ".join(f"panels({weights}, {width}, turned)" if width else weights for weights in hidden)
    scope: dict[str, Any] = {"panels": panels}
    result = f"({made},)" if made else "weights"
    exec(f"def prepared(weights, turned):\n    return {result}", scope)
    return jit(scope["prepared"])


class _Layers(NamedTuple):
    """Say how products are made: of panels of the weights, by tiles, or by BLAS."""

    prepared: Any  # (weights, turned) -> what the others get of each hidden layer
    rectified: Any
    masked: Any
    added: Any
    few: Any


def _layers(depth: int, itemsize: int) -> _Layers:
    prepared = _prepared(depth, itemsize)
    if available():
        return _Layers(prepared, rectified_layer, masked_layer, added_product, few_outputs)
    return _Layers(prepared, _rectified, _masked, _added, _finish)


@functools.cache
def _grouped(singles: int, *lengths: int) -> Callable[..., Any]:
    """Compile a flat tuple -> its first `singles` entries, and the rest in tuples of the given lengths.

    What a loop over threads is handed may be a tuple, but not one that holds tuples; and Numba cuts a tuple only at constants.
    """
    ends = [singles + sum(lengths[: i + 1]) for i in range(len(lengths))]
    parts = [f"every[{i}]" for i in range(singles)]
    parts += [f"every[{end - length}:{end}]" for end, length in zip(ends, lengths, strict=True)]
    scope: dict[str, Any] = {}
    exec(f"def grouped(every):\n    return {', '.join(parts)}", scope)
    return jit(scope["grouped"])


@functools.cache
def forward(threads: Threads, keep: bool, depth: int, itemsize: int) -> Callable[..., Any]:
    """Compile (P, Q, weights, biases, hidden, y), which computes y, and with `keep` what the hidden layers give."""
    hidden_layers = max(depth - 1, 1)
    grouped = _grouped(4, hidden_layers, depth, hidden_layers if keep else 1)
    prepared, rectified, _, _, few_outputs = _layers(depth, itemsize)

    @jit
    def blocks(part: Any, parts: Any, arguments: Any) -> None:
        P, Q, turned, y, weights, biases, hidden = grouped(arguments)
        last = len(biases) - 1
        n_blocks, size = _blocks(P.shape[0])
        widest = P.shape[1]
        for layer in range(last):
            widest = max(widest, biases[layer].size)
        begun = np.empty((size, P.shape[1]), P.dtype)
        spare = np.empty((0 if keep else 2, size * widest), P.dtype)
        units = Q.shape[0] * n_blocks
        # the last first: what is kept of the first is in a cache yet when the gradients begin with it
        for unit in range((part + 1) * units // parts - 1, part * units // parts - 1, -1):
            image, first = unit // n_blocks, unit % n_blocks * size
            end = min(first + size, P.shape[0])
            h = begun[: end - first]
            _begin(P[first:end], Q[image], h)
            for layer in range(last):
                if keep:
                    out = hidden[layer][image, first:end]
                else:
                    width = biases[layer].size
                    out = spare[layer % 2, : (end - first) * width].reshape(end - first, width)
                rectified(h, weights[layer], biases[layer], out)
                h = out
            few_outputs(h, turned, biases[last], y[image, first:end])

    everywhere = in_parts(blocks, threads)

    @jit
    def layers(P: Any, Q: Any, weights: Any, biases: Any, hidden: Any, y: Any) -> None:
        _check(P, Q, weights, biases)
        turned = np.ascontiguousarray(weights[len(weights) - 1].T)
        n_blocks, _ = _blocks(P.shape[0])
        work = 0
        for W in weights:
            work += W.size
        everywhere(
            Q.shape[0] * n_blocks,
            work * Q.shape[0] * P.shape[0],
            (P, Q, turned, y, *prepared(weights, False), *biases, *hidden),
        )

    return layers


@jit
def _begin_back(h: Any, g: Any, turned: Any, gW: Any, gb: Any, d: Any, total: Any) -> None:
    """Go back through the last layer: gW += (h' g)', gb += sum g, d <- g W' where h is positive, total += sum d."""
    zero, last = h.dtype.type(0), gb.size - 1
    if last < 0:  # there is no last output
        d[:] = 0
        return
    for r in range(h.shape[0]):
        row, out = h[r], d[r]
        out[:] = 0
        for k in range(last):
            value, weights, sums = g[r, k], turned[k], gW[k]
            gb[k] += value
            for j in range(row.size):
                sums[j] += value * row[j]
                out[j] += value * weights[j]
        value, weights, sums = g[r, last], turned[last], gW[last]
        gb[last] += value
        # two loops: of one over five arrays LLVM makes no vectors, as it would have to ask of too many whether they overlap
        for j in range(row.size):
            sums[j] += value * row[j]
        for j in range(row.size):
            change = zero if row[j] <= zero else out[j] + value * weights[j]
            out[j] = change
            total[j] += change


@jit
def _masked(D: Any, W: Any, below: Any, out: Any, total: Any, ahead: Any) -> None:
    """Compute out <- D W', but 0 where what is below is not positive; total += sum out; where there are no tiles for it."""
    zero = D.dtype.type(0)
    gemm(D.dtype.type(1), D, False, W, True, zero, out)
    for r in range(out.shape[0]):
        seen, row = below[r], out[r]
        for j in range(row.size):
            change = zero if seen[j] <= zero else row[j]
            row[j] = change
            total[j] += change


@jit
def _added(A: Any, D: Any, C: Any, room: Any) -> None:
    """Compute C += A' D, where there are no tiles for it."""
    gemm(A.dtype.type(1), A, True, D, False, A.dtype.type(1), C)


@functools.cache
def backward(threads: Threads, depth: int, itemsize: int) -> Callable[..., Any]:
    """Compile (P, Q, weights, hidden, g, sums_W, sums_b): from y's gradient g, those of P and Q, and sums[0] of W and b.

    The sums have room for `threads.parts_for` parts.
    """
    hidden_layers = max(depth - 1, 1)
    grouped = _grouped(7, hidden_layers, hidden_layers, depth, depth)
    prepared, _, masked, added, _ = _layers(depth, itemsize)
    width = panel_width(itemsize) if available() else 0

    @jit
    def blocks(part: Any, parts: Any, arguments: Any) -> None:
        P, Q, turned, g, sums_P, sums_Q, sums_last, weights, hidden, sums_W, sums_b = grouped(arguments)
        last = len(sums_W) - 1
        n_blocks, size = _blocks(P.shape[0])
        widest = P.shape[1]
        for layer in range(last):
            widest = max(widest, sums_W[layer].shape[2])
        begun = np.empty((size, P.shape[1]), P.dtype)
        spare = np.empty((2, size * widest), P.dtype)
        room = np.empty(size * width, P.dtype)
        total = np.empty(widest, P.dtype)  # of one block; those of all are added in double precision
        units = Q.shape[0] * n_blocks
        for unit in range(part * units // parts, (part + 1) * units // parts):
            image, first = unit // n_blocks, unit % n_blocks * size
            end = min(first + size, P.shape[0])
            rows = end - first
            h0 = begun[:rows]
            _begin(P[first:end], Q[image], h0)
            h = h0
            if last > 0:
                h = hidden[last - 1][image, first:end]
            d = spare[0, : rows * h.shape[1]].reshape(rows, h.shape[1])
            total[:] = 0
            _begin_back(h, g[image, first:end], turned, sums_last[part], sums_b[last][part], d, total)
            for back in range(last):
                layer = last - 1 - back
                gb = sums_b[layer][part]
                for j in range(gb.size):
                    gb[j] += total[j]
                below = h0
                if layer > 0:
                    below = hidden[layer - 1][image, first:end]
                out = spare[(back + 1) % 2, : rows * below.shape[1]].reshape(rows, below.shape[1])
                total[:] = 0
                # first, as it reads what is below row after row, from memory, and the other column after column
                ahead = below
                if unit + 1 < units:
                    of_next = hidden[layer - 1 if layer > 0 else last - 1]
                    if of_next.shape[2] == below.shape[1]:
                        ahead = of_next[(unit + 1) // n_blocks, (unit + 1) % n_blocks * size :]
                masked(d, weights[layer], below, out, total, ahead)
                added(below, d, sums_W[layer][part], room)
                d = out
            gQ = sums_Q[part, image]
            for j in range(gQ.size):
                gQ[j] += total[j]
            for r in range(rows):
                row, gP = d[r], sums_P[part, first + r]
                for j in range(row.size):
                    gP[j] += row[j]

    everywhere = in_parts(blocks, threads)

    @jit
    def gradients(P: Any, Q: Any, weights: Any, hidden: Any, g: Any, sums_W: Any, sums_b: Any) -> Any:
        last = len(weights) - 1
        turned = np.ascontiguousarray(weights[last].T)
        n_blocks, _ = _blocks(P.shape[0])
        work = 0
        for W in weights:
            work += 2 * W.size
        most = sums_b[0].shape[0]
        sums_P = np.zeros((most, P.shape[0], P.shape[1]), P.dtype)
        sums_Q = np.zeros((most, Q.shape[0], Q.shape[1]), P.dtype)
        sums_last = np.zeros((most, turned.shape[0], turned.shape[1]), P.dtype)
        arguments = (P, Q, turned, g, sums_P, sums_Q, sums_last, *prepared(weights, True), *hidden, *sums_W, *sums_b)
        parts = everywhere(Q.shape[0] * n_blocks, work * Q.shape[0] * P.shape[0], arguments)
        for part in range(1, parts):
            sums_P[0] += sums_P[part]
            sums_Q[0] += sums_Q[part]
            sums_last[0] += sums_last[part]
            for layer in range(last):
                sums_W[layer][0] += sums_W[layer][part]
            for layer in range(last + 1):
                sums_b[layer][0] += sums_b[layer][part]
        sums_W[last][0] = sums_last[0].T
        return sums_P[0], sums_Q[0]

    return gradients
