"""Seconds an epoch of worksheet 01 takes with 1, 2, 4 and 8 times the images, and of the hidden units; drawn as an SVG file."""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

from autoencoder_epoch import missing, save_images, start
from race import race, show, write
from race_tables import number

from symae.report.curve import Curve, Plot, curve
from symae.report.theme import stylesheet

NAMES = ("symae, Numba", "JAX, scan", "PyTorch")
TIMES = (1, 2, 4, 8)
BATCH, HIDDEN = 20, 100
GAP, HEAD = 34, 34  # before each drawing, for labels longer than the logarithms that it was made for; above both
Series = Mapping[str, Mapping[int, float]]


def measure(floatX: str, threads: int, rounds: int) -> dict[str, dict[str, dict[int, float]]]:
    """Median seconds by what grows, by contender, by how many times."""
    there = [name for name in NAMES if not missing(name, None)]
    seconds: dict[str, dict[str, dict[int, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npy"
        for what in ("images", "hidden units"):
            seconds[what] = {name: {} for name in there}
            for times in TIMES:
                copies, hidden = (times, HIDDEN) if what == "images" else (1, times * HIDDEN)
                count = save_images(images, copies)
                results = race([start(name, images, floatX, 0.0, BATCH, hidden, threads) for name in there], rounds)
                show(f"\n{count}, {hidden} hidden units", results, there[0])
                for name in there:
                    seconds[what][name][times] = results[name]["median"]
    return seconds


def logarithmic(series: Series, what: str, floatX: str) -> Curve:
    """Return the curve with both axes in powers of two."""
    logarithms = {
        name: {math.log2(x): math.log2(y) for x, y in values.items()} for name, values in series.items()
    }  # which the chart takes for the values; its ticks get what they stand for
    drawn = curve(logarithms, x_label=f"times the {what}", y_label=f"seconds an epoch, {floatX}")
    return replace(drawn, plots=[_powers_of_two(plot) for plot in drawn.plots])


def _powers_of_two(plot: Plot) -> Plot:
    x_ticks = [replace(tick, label=f"{2 ** float(tick.label):g}") for tick in plot.x_ticks]
    y_ticks = [replace(tick, label=number(2 ** float(tick.label))) for tick in plot.y_ticks]
    return replace(plot, x_ticks=x_ticks, y_ticks=y_ticks)


def picture(curves: list[Curve]) -> str:
    """Return the narrow drawings of the curves beside each other, with one legend, in the report's colours."""
    plots = [next(plot for plot in c.plots if plot.name == "narrow") for c in curves]
    width = sum(plot.width for plot in plots) + GAP * len(plots)
    height = HEAD + max(plot.height for plot in plots)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curve" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family="system-ui, sans-serif">',
        f"<title>{escape('; '.join(c.title for c in curves))}</title>",
        f"<style>{escape(stylesheet())}</style>",
        f'<rect width="{width}" height="{height}" style="fill: var(--paper)"/>',
    ]
    left = 8
    for name, _, style in curves[0].legend:
        parts.append(
            f'<g class="series style{style}"><path d="M{left} 14h30"/></g><text x="{left + 38}" y="18.5">{escape(name)}</text>'
        )
        left += 38 + 8 * len(name) + 24
    at = GAP
    for plot, c in zip(plots, curves, strict=True):
        parts += [f'<g transform="translate({at} {HEAD})">', *_plot(plot, c), "</g>"]
        at += plot.width + GAP
    return "\n".join([*parts, "</svg>\n"])


def _plot(plot: Plot, c: Curve) -> list[str]:
    left, right, bottom = plot.left, plot.right, plot.bottom
    parts = [f'<text x="{8 - GAP}" y="14">{escape(c.y_label)}</text>']
    for tick in plot.y_ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{tick.position}" y2="{tick.position}"/>')
        parts.append(f'<text class="y tick" x="{left - 8}" y="{tick.position + 4.5}">{tick.label}</text>')
    parts.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    for tick in plot.x_ticks:
        parts.append(f'<line class="axis" x1="{tick.position}" x2="{tick.position}" y1="{bottom}" y2="{bottom + 5}"/>')
        parts.append(f'<text class="x tick" x="{tick.position}" y="{bottom + 20}">{tick.label}</text>')
    parts.append(f'<text class="x" x="{(left + right) / 2}" y="{bottom + 42}">{escape(c.x_label)}</text>')
    for line in plot.lines:
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="3"/>' for x, y in line.dots)
        parts.append(f'<g class="series style{line.style}"><path d="{line.path}"/>{dots}</g>')
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="epochs of each contender that count")
    parser.add_argument("--floatX", default="float32", choices=["float64", "float32"])
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".svg"))
    given = parser.parse_args()

    seconds = measure(given.floatX, given.threads, given.rounds)
    write(given.out, {"floatX": given.floatX, "seconds": seconds})
    given.picture.write_text(picture([logarithmic(series, what, given.floatX) for what, series in seconds.items()]))
    print(f"\n{given.picture}")


if __name__ == "__main__":
    main()
