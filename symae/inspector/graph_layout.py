"""A layered drawing of a directed graph without cycles: ranks, few crossings, short lines.

Source: K. Sugiyama, S. Tagawa and M. Toda (1981), "Methods for visual understanding of hierarchical system structures"; the
ordering by medians is that of E. Gansner, E. Koutsofios, S. North and K.-P. Vo (1993), "A technique for drawing directed
graphs".
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

ROW, GAP, HEIGHT = 66.0, 18.0, 30.0  # pixels: from rank to rank, between boxes, of a box
CHARACTER, PADDING = 7.0, 22.0
SMALL = 6.05  # of a character of a line's label, which stands beside its line
BESIDE, BELOW, ABOVE = 6.0, 13.0, 6.0
BEND = 6.0  # the room of a line that passes a rank
SWEEPS, MANY = 12, 1500  # so many passes; of larger graphs, whose every pass takes long, fewer
MARGIN = 16.0


@dataclass(frozen=True)
class Layout:
    """Hold the positions of boxes and lines, in pixels."""

    boxes: list[tuple[float, float, float, float]]  # (x, y, width, height) of each node, from its left upper corner
    # (source, target, points), from the lower edge of the source to the upper of the target
    lines: list[tuple[int, int, list[tuple[float, float]]]]
    width: float
    height: float
    # (x, y, text) of the lines' labels, from the left lower corner of the text
    labels: list[tuple[float, float, str]] = field(default_factory=list)


def layered(nodes: Sequence[tuple[str, str, Sequence[int]]], labels: Sequence[Sequence[str]] = ()) -> Layout:
    """Place nodes, given as (label, kind, numbers of their sources), so that lines lead down.

    Sources come before their targets in `nodes`. `labels` are those of the lines: for each node one for each of its sources, or
    none. Lines from one node that have the same label have it together, where they begin; others where they end.
    """
    if not nodes:
        return Layout([], [], 2 * MARGIN, 2 * MARGIN)
    ranks = _ranks([sources for _, _, sources in nodes])
    begun, ended = _shared_labels(nodes, labels)
    widths = [max(44.0, CHARACTER * len(label) + PADDING) for label, _, _ in nodes]
    for number, text in [*begun.items(), *((target, text) for (_, target), text in ended.items())]:
        widths[number] = max(widths[number], 2 * (BESIDE + SMALL * len(text)))
    edges = [(source, target) for target, (_, _, sources) in enumerate(nodes) for source in sources]
    # a line over several ranks gets a place in each, as if it were a narrow box
    above: list[list[int]] = [[] for _ in nodes]
    below: list[list[int]] = [[] for _ in nodes]
    paths = []
    for source, target in edges:
        path = [source]
        for rank in range(ranks[source] + 1, ranks[target]):
            ranks.append(rank)
            widths.append(BEND)
            above.append([])
            below.append([])
            path.append(len(ranks) - 1)
        path.append(target)
        for upper, lower in itertools.pairwise(path):
            below[upper].append(lower)
            above[lower].append(upper)
        paths.append(path)
    rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for node in _depth_first(len(ranks), above, below):
        rows[ranks[node]].append(node)
    sweeps = max(4, min(SWEEPS, SWEEPS * MANY // len(ranks)))
    rows = _uncrossed(rows, above, below, sweeps)
    middles = _across(rows, widths, above, below, sweeps)
    left = min(middles[v] - widths[v] / 2 for v in range(len(ranks)))
    middles -= left - MARGIN
    boxes = [(float(middles[v] - widths[v] / 2), MARGIN + ROW * ranks[v], float(widths[v]), HEIGHT) for v in range(len(nodes))]
    lines = []
    for path in paths:
        points = [(float(middles[path[0]]), MARGIN + ROW * ranks[path[0]] + HEIGHT)]
        for v in path[1:-1]:
            points += [(float(middles[v]), MARGIN + ROW * ranks[v]), (float(middles[v]), MARGIN + ROW * ranks[v] + HEIGHT)]
        points.append((float(middles[path[-1]]), MARGIN + ROW * ranks[path[-1]]))
        lines.append((path[0], path[-1], points))
    width = max(float(middles[v] + widths[v] / 2) for v in range(len(ranks))) + MARGIN
    placed = [(points[0][0] + BESIDE, points[0][1] + BELOW, begun.pop(s)) for s, _, points in lines if s in begun]
    placed += [(points[-1][0] + BESIDE, points[-1][1] - ABOVE, ended[s, t]) for s, t, points in lines if (s, t) in ended]
    return Layout(boxes, lines, width, 2 * MARGIN + ROW * max(ranks) + HEIGHT, placed)


def _shared_labels(
    nodes: Sequence[tuple[str, str, Sequence[int]]], labels: Sequence[Sequence[str]]
) -> tuple[dict[int, str], dict[tuple[int, int], str]]:
    """Return the labels of lines that begin at a node, where all have the same, and of the other lines by both ends."""
    found: dict[int, dict[int, str]] = {}
    for target, ((_, _, sources), texts) in enumerate(zip(nodes, labels, strict=False)):
        for source, text in zip(sources, texts, strict=False):
            found.setdefault(source, {})[target] = text
    begun = {source: next(iter(texts.values())) for source, texts in found.items() if len(set(texts.values())) == 1}
    ended = {(s, t): text for s, texts in found.items() if s not in begun for t, text in texts.items()}
    return begun, ended


def _ranks(sources: Sequence[Sequence[int]]) -> list[int]:
    """Return the longest way to each node; one with no more sources than targets stands right above its first target."""
    ranks = [0] * len(sources)
    targets: list[list[int]] = [[] for _ in sources]
    for node, above in enumerate(sources):
        ranks[node] = max((ranks[s] + 1 for s in above), default=0)
        for s in above:
            targets[s].append(node)
    for node in range(len(sources) - 1, -1, -1):
        if targets[node] and len(sources[node]) <= len(targets[node]):
            ranks[node] = min(ranks[t] for t in targets[node]) - 1
    return ranks


def _depth_first(count: int, above: list[list[int]], below: list[list[int]]) -> list[int]:
    """Return an order to begin with, in which what is connected stands together."""
    seen = [False] * count
    order = []
    for start in (v for v in range(count) if not below[v]):
        stack = [start]
        while stack:
            v = stack.pop()
            if not seen[v]:
                seen[v] = True
                order.append(v)
                stack += reversed(above[v])
    return order + [v for v in range(count) if not seen[v]]


def _uncrossed(rows: list[list[int]], above: list[list[int]], below: list[list[int]], sweeps: int) -> list[list[int]]:
    """Order the rows with few crossings: each node near the median of its neighbours, down and up in turn."""
    best, fewest = [row[:] for row in rows], _crossings(rows, below)
    for sweep in range(sweeps):
        if not fewest:
            break
        down = sweep % 2 == 0
        neighbours = above if down else below
        place = {v: i for row in rows for i, v in enumerate(row)}
        for number in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            row = rows[number]
            medians = {v: _median([place[n] for n in neighbours[v]], place[v]) for v in row}
            row.sort(key=lambda v: medians[v])
            place.update({v: i for i, v in enumerate(row)})
        crossings = _crossings(rows, below)
        if crossings < fewest:
            best, fewest = [row[:] for row in rows], crossings
    return best


def _median(places: list[int], otherwise: int) -> float:
    return float(np.median(places)) if places else float(otherwise)


def _crossings(rows: list[list[int]], below: list[list[int]]) -> int:
    """Count the pairs of lines between neighbouring rows that cross."""
    total = 0
    place = {v: i for row in rows for i, v in enumerate(row)}
    for row in rows[:-1]:
        ends = np.array([place[n] for v in row for n in sorted(below[v], key=place.__getitem__)], dtype=np.intp)
        starts = np.array([i for i, v in enumerate(row) for _ in below[v]], dtype=np.intp)
        if len(ends) > 1:
            total += int(((starts[:, None] < starts) & (ends[:, None] > ends)).sum())
    return total


def _across(
    rows: list[list[int]], widths: list[float], above: list[list[int]], below: list[list[int]], sweeps: int
) -> np.ndarray:
    """Return the middles of all nodes, each drawn to the middle of its neighbours as far as the order and the room allow."""
    middles = np.zeros(len(widths))
    for row in rows:
        x = 0.0
        for v in row:
            middles[v] = x + widths[v] / 2
            x += widths[v] + GAP
        middles[row] -= x / 2
    for sweep in range(2 * sweeps):
        neighbours = (above, below)[sweep % 2]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = np.array([np.mean(middles[neighbours[v]]) if neighbours[v] else middles[v] for v in row])
            room = np.array([(widths[a] + widths[b]) / 2 + GAP for a, b in itertools.pairwise(row)])
            middles[row] = _in_order(wanted, room)
    return middles


def _in_order(wanted: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return the positions nearest to those wanted, by least squares, that keep the order and `room` between them.

    With the room taken out that is an isotonic regression, found by pooling neighbours that are in each other's way.
    """
    offsets = np.concatenate([[0.0], np.cumsum(room)])
    blocks: list[tuple[float, int]] = []
    for value in wanted - offsets:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, number = blocks.pop()
            mean, count = (mean * count + before * number) / (count + number), count + number
        blocks.append((mean, count))
    return np.concatenate([np.full(count, mean) for mean, count in blocks]) + offsets
