"""A placed graph as SVG that needs nothing else: styles inside, every text escaped, a title for each box."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from symae.inspector.graph_layout import Layout

STYLE = """
svg { background: #fcfcfa; }
text { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; fill: #1d1e20; text-anchor: middle; }
.edge { fill: none; stroke: #8b8f95; stroke-width: 1.1; }
.node rect { stroke: #5f6368; fill: #ffffff; stroke-width: 1; }
.input rect { fill: #d7e9f5; stroke: #0072b2; }
.parameter rect { fill: #e4f1ea; stroke: #00805f; }
.output rect { fill: #fbe6d3; stroke: #c65102; }
.node .heat { fill: #c65102; stroke: none; }
.cost { font-size: 10px; fill: #c65102; text-anchor: end; }
.array { font-size: 10px; fill: #5f6368; text-anchor: start; stroke: #fcfcfa; stroke-width: 3px; paint-order: stroke; }
@media (prefers-color-scheme: dark) {
  svg { background: #151618; }
  text { fill: #e7e7e3; }
  .edge { stroke: #6d7278; }
  .node rect { fill: #1e2023; stroke: #a0a4aa; }
  .input rect { fill: #12303f; stroke: #5ab8ee; }
  .parameter rect { fill: #10332a; stroke: #2bc59a; }
  .output rect { fill: #3d2a12; stroke: #f0a13a; }
  .cost { fill: #f0a13a; }
  .array { fill: #a0a4aa; stroke: #151618; }
}
"""


@dataclass
class GraphNode:
    """Describe a box in the drawing."""

    kind: str  # input, parameter, operation or output
    label: str  # a few words
    details: list[str] = field(default_factory=list)  # lines that say more: types, shapes, constants
    sources: list[int] = field(default_factory=list)  # the boxes whose results it takes
    seconds: float | None = None  # of a call, where it was measured
    arrays: list[str] = field(default_factory=list)  # shape and dtype of what comes from each source, for the lines


def graph_svg(title: str, nodes: Sequence[GraphNode], layout: Layout, *, styled: bool = True) -> str:
    """Return the SVG of a graph, with styles unless the page around it has them.

    Boxes are ``g`` elements with ``data-node``; lines have ``data-from`` and ``data-to``.
    """
    w, h = round(layout.width), round(layout.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" role="img" '
        f"aria-label={quoteattr(_clean(title))}>",
        f"<title>{escape(_clean(title))}</title>",
        f"<style>{STYLE}</style>" if styled else "",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8b8f95"/></marker></defs>',
    ]
    parts += [
        f'<path class="edge" data-from="{source}" data-to="{target}" marker-end="url(#end)" d="{_curve(points)}"/>'
        for source, target, points in layout.lines
    ]
    longest = max((node.seconds or 0.0 for node in nodes), default=0.0)
    for number, (node, (x, y, width, height)) in enumerate(zip(nodes, layout.boxes, strict=True)):
        radius = height / 2 if node.kind != "operation" else 4
        words = [node.label, *node.details]
        heat = ""
        if node.seconds is not None and longest > 0:
            words.append(f"{1e6 * node.seconds:.0f} µs")
            heat = (
                f'<rect class="heat" x="{x:.1f}" y="{y + height - 3:.1f}" height="3" '
                f'width="{width * node.seconds / longest:.1f}"/>'
                f'<text class="cost" x="{x + width / 2 - 6:.1f}" y="{y + height + 13:.1f}">{_time(node.seconds)}</text>'
            )
        parts.append(
            f'<g class="node {node.kind}" data-node="{number}"><title>{escape(_clean(chr(10).join(words)))}</title>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"/>'
            f'<text x="{x + width / 2:.1f}" y="{y + height / 2 + 4:.1f}">{escape(_clean(node.label))}</text>{heat}</g>'
        )
    parts += [f'<text class="array" x="{x:.1f}" y="{y:.1f}">{escape(_clean(text))}</text>' for x, y, text in layout.labels]
    return "\n".join([*parts, "</svg>", ""])


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.2f} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.0f} µs"


def _curve(points: list[tuple[float, float]]) -> str:
    """Draw a line that leaves and arrives vertically, straight through the ranks between."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for i, (to_x, to_y) in enumerate(rest):
        if i % 2 == 0:
            middle = (y + to_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        else:
            path.append(f"L{to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(path)


def _clean(text: str) -> str:
    """Return `text` without what XML does not allow."""
    return re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
