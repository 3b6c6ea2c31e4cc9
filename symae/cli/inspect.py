"""The commands ``symae inspect``, ``filters``, ``graph`` and ``export``, whose models are in `symae.cli.export`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symae._runtime.atomic_files import write_text
from symae._runtime.decimals import size
from symae._runtime.terminal import Parser, at_least
from symae.cli.export import PAGE, add_models, export_models
from symae.cli.targets import check_target
from symae.compile.backends import DEFAULT
from symae.errors import InputError
from symae.inspector.graphs import REWRITTEN_FOR, TIMED

SORTS = ("index", "norm", "active", "similarity")
SCALINGS = ("each", "zero", "common")
COLOURS = ("grey", "inverse", "diverging", "viridis")


def add_inspector(commands: Any) -> None:
    """Add the commands to a parser's `commands`; what runs them is imported when one is run."""
    inspect = commands.add_parser(
        "inspect",
        help="look at what a run has learned, in the browser",
        description="Open a local page over finished or running runs: filters, reconstructions, codes, curves, graphs.",
    )
    inspect.add_argument("run", nargs="+", type=Path, help="a run's folder")
    inspect.add_argument("--port", type=at_least(1, 65535), metavar="N", help="where the page is; a free one by default")
    inspect.add_argument("--no-browser", action="store_true", help="only say where the page is")

    filters = commands.add_parser(
        "filters", help="draw the filters of a run", description="Write the filters of a layer, laid out like tiles, as PNG."
    )
    _one_run(filters, "filters.png")
    filters.add_argument("--layer", metavar="NAME", help="whose weights; the first layer's by default")
    filters.add_argument("--tile", type=_pair("x", 1), metavar="ROWSxCOLUMNS", help="about a square by default")
    filters.add_argument("--spacing", type=_spacing, default=(1, 1), metavar="N|NxN", help="pixels between tiles (default: 1)")
    filters.add_argument(
        "--scaling",
        choices=SCALINGS,
        default="each",
        help="each filter from least to largest weight, each with zero in the middle, or all on one scale",
    )
    filters.add_argument("--colours", choices=COLOURS, default="grey")
    words = "largest norm first, most often active first, or alike ones together"
    filters.add_argument("--sort", choices=SORTS, default="index", help=words)
    filters.add_argument("--zoom", type=at_least(1, 64), default=1, metavar="N", help="pixels for each weight (default: 1)")

    graph = commands.add_parser(
        "graph", help="draw a compiled graph of a run", description="Write a graph of a model as SVG; Graphviz is not needed."
    )
    _one_run(graph, "graph.svg")
    graph.add_argument("--graph", metavar="NAME", help="reconstruction, code or, by default, training step")
    graph.add_argument("--before", action="store_true", help="as written, before rewriting")
    words = f"rewritten for this one (default: {DEFAULT}; with --profile {TIMED[0]})"
    graph.add_argument("--backend", choices=REWRITTEN_FOR, help=words)
    graph.add_argument("--profile", action="store_true", help="run it, and write what each node costs")

    export = commands.add_parser(
        "export",
        help="keep the page of symae inspect as one file, or the model for ONNX, PyTorch or Keras",
        description="Write the page of symae inspect as one HTML file, read-only, that needs neither symae nor a network; "
        "or the model of a run for other programs.",
    )
    export.add_argument("run", nargs="+", type=Path, help="a run's folder; for other programs also one of its models")
    export.add_argument("-o", "--out", type=Path, metavar="FILE", help=f"the page (default: {PAGE})")
    add_models(export)
    for parser in (inspect, filters, export):
        words = "of an image, where the run does not say it; a square by default, and of three channels in colours"
        parser.add_argument("--shape", metavar="HxW[xC]|CxHxW", help=words)
    for parser in (inspect, export):
        parser.add_argument("--data", metavar="NAME|PATH", help="other test images than the run's, as the worksheets take data")
        parser.add_argument("--images", type=at_least(2, 60000), default=1000, metavar="N", help="test images (default: 1000)")


def run_inspector(settings: argparse.Namespace) -> None:
    """Run one of `COMMANDS`."""
    COMMANDS[settings.command](settings)


def _inspect(settings: argparse.Namespace) -> None:
    from symae.inspector.server import serve

    runs = _runs(settings)
    serve(runs, settings.port, browser=not settings.no_browser)
    print("\nstopped")


def _filters(settings: argparse.Namespace) -> None:
    from symae.inspector.loading import check_layout, chosen_model
    from symae.inspector.runs import SAVED

    check_target(settings.out, (".png",), [settings.run])
    shape = _shape(settings)
    run, name = chosen_model(settings.run, settings.model, settings.data, shape)
    _report_damage(run)
    inspection = run.inspection(name)
    layer = settings.layer or next(iter(inspection.layers), "")
    filters = inspection.filters(layer)
    if shape is not None and (drawn := filters.pictures.shape[1:3]) != (shape.height, shape.width):
        check_layout("--shape", shape, [inspection])
        raise InputError("--shape", str(shape), f"{drawn[0]}x{drawn[1]}, as the filters of {layer} are drawn, or none")
    if settings.sort == "active":
        run.check_examples()
    active = inspection.activity(layer).active if settings.sort == "active" else None
    figure = filters.figure(
        order=filters.order(settings.sort, active),
        tile_shape=settings.tile,
        spacing=settings.spacing,
        scaling=settings.scaling,
        colours=settings.colours,
        zoom=settings.zoom,
    )
    figure.save(settings.out)
    shown = len(filters) if settings.tile is None else min(len(filters), settings.tile[0] * settings.tile[1])
    saved = run.models()[name]
    source = "" if saved.source == SAVED else f", {saved.source}"
    pixels = f"{figure.image.width} x {figure.image.height} pixels"
    print(f"{settings.out}: {shown} of {len(filters)} filters of {layer}{source}, {pixels}")


def _graph(settings: argparse.Namespace) -> None:
    from symae.inspector.loading import chosen_model

    check_target(settings.out, (".svg",), [settings.run])
    run, name = chosen_model(settings.run, settings.model)
    _report_damage(run)
    inspection = run.inspection(name)
    which = settings.graph or inspection.graphs.names[-1]
    stage = "before" if settings.before else "after"
    graph = inspection.graph(which, stage, backend=settings.backend, profile=settings.profile)
    write_text(settings.out, graph.svg())
    print(f"{settings.out}: {graph.title}, {graph.operations} operations")
    if settings.profile:
        print(graph.note)
        measured = [node for node in graph.nodes if node.seconds is not None]
        for node in sorted(measured, key=lambda node: -(node.seconds or 0.0))[:20]:
            print(f"  {1e6 * (node.seconds or 0.0):10.1f} µs  {node.label}")


def _export(settings: argparse.Namespace) -> None:
    from symae.inspector.export import export_page

    if settings.out is not None:
        check_target(settings.out, (".html",), settings.run)
    if export_models(settings) and settings.out is None:
        return
    out = settings.out or PAGE
    check_target(out, (".html",), settings.run)
    export_page(_runs(settings), out, lambda line: print(line, flush=True))
    print(f"{out}: {size(out.stat().st_size)}")


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "inspect": _inspect,
    "filters": _filters,
    "graph": _graph,
    "export": _export,
}


def _one_run(parser: Parser, out: str) -> None:
    parser.add_argument("run", type=Path, help="a run's folder, or one of its models")
    parser.add_argument("-o", "--out", type=Path, default=Path(out), metavar="FILE", help=f"(default: {out})")
    parser.add_argument("--model", metavar="NAME", help="which of the run's models")
    if out == "filters.png":
        parser.add_argument("--data", metavar="NAME|PATH", help="other test images than the run's, to sort by what is active")


def _runs(settings: argparse.Namespace) -> list[Any]:
    """Open the runs; a shape that the first models of all of them would ignore is refused."""
    from symae.inspector.loading import check_layout
    from symae.inspector.runs import open_run

    shape = _shape(settings)
    runs = [open_run(path, settings.data, settings.images, shape) for path in settings.run]
    for run in runs:
        _report_damage(run)
    if shape is not None:
        check_layout("--shape", shape, [run.inspection(name) for run in runs for name in list(run.models())[:1]])
    return runs


def _report_damage(run: Any) -> None:
    """Say on standard error that the run's record cannot be read: what is shown then comes from its models alone."""
    if "problem" in (record := run.record):
        print(f"symae: {record['problem']}", file=sys.stderr)


def _shape(settings: argparse.Namespace) -> Any:
    from symae.inspector.layout import parsed_layout

    return None if settings.shape is None else parsed_layout("--shape", settings.shape)


def _pair(sign: str, least: int) -> Callable[[str], tuple[int, int]]:
    def pair(text: str) -> tuple[int, int]:
        parts = text.lower().split(sign)
        if len(parts) != 2 or not all(p.isdecimal() and p.isascii() and least <= int(p) <= 10000 for p in parts):
            raise argparse.ArgumentTypeError(f"found {text!r}, expected two whole numbers such as 10{sign}10")
        return int(parts[0]), int(parts[1])

    return pair


def _spacing(text: str) -> tuple[int, int]:
    return _pair("x", 0)(text if "x" in text.lower() else f"{text}x{text}")
