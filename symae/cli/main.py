"""The ``symae`` command."""

from __future__ import annotations

import argparse
import ast
import contextlib
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import symae
from symae import patches
from symae._runtime.atomic_files import make_folder
from symae._runtime.decimals import fixed
from symae._runtime.memory import end_quickly
from symae._runtime.roomy_calls import roomy
from symae._runtime.terminal import INTERRUPTED, Parser, at_least, print_anything, reader_left, status_of
from symae.cli.compare import add_compare, run_compare
from symae.cli.inspect import COMMANDS, add_inspector, run_inspector
from symae.cli.port import PROGRAMS, add_port, run_port
from symae.cli.warmup import add_warmup, run_path, run_warmup
from symae.compile.backends import BACKENDS
from symae.compile.environment import environment
from symae.datasets import Dataset, available, default, download_set, read
from symae.datasets.named import SETS
from symae.errors import InputError, MissingFileError, one_line
from symae.runs.catalogue import find_worksheet, title_of, worksheets
from symae.runs.options import image_shape


@roomy
def command() -> int:
    """Run this process's command line, as ``symae`` or ``python -m symae``; returns the exit status."""
    symae.tune_process()
    return main(own_process=True)


def main(argv: Sequence[str] | None = None, own_process: bool = False) -> int:
    """Run the command line `argv`; returns the exit status: 0, 2 after an error of the user's, else as a shell has it.

    With `own_process` the process is there for this command alone, which may restrict it for good.
    """
    print_anything()
    settings = _parser().parse_args(argv)
    try:
        if settings.version:
            _show_versions(settings.verbose)
            return 0
        if settings.command == "run":
            return _run_any(find_worksheet(settings.worksheet), settings.arguments, settings.out, own_process)
        if settings.command == "data":
            _data(settings.name, settings.out, settings.image_shape)
        elif settings.command == "show":
            _show(settings)
        elif settings.command == "port":
            return run_port(settings)
        elif settings.command == "compare":
            run_compare(settings)
        elif settings.command in COMMANDS:
            run_inspector(settings)
        elif settings.command == "warmup":
            return run_warmup(settings, own_process)
        else:
            _parser().print_help()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return reader_left()
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        print(f"symae: error: {line}", file=sys.stderr)
        return status_of(error)
    return 0


def _parser() -> Parser:
    parser = Parser(prog="symae", description="Symbolic autoencoders: the Theano-era tutorials, running on PyTensor.")
    parser.add_argument("--version", action="store_true", help="show symae's version and exit")
    parser.add_argument("--verbose", action="store_true", help="with --version: those of what it stands on too")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    run = commands.add_parser(
        "run",
        help="run a worksheet, or a script of the Theano years as it is",
        description="Run a worksheet; or a Theano script of 2010 to 2017, Python 2 or 3, without changing it.",
        usage="symae run [--out FOLDER] WORKSHEET|SCRIPT.py [its own arguments]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--out", type=Path, metavar="FOLDER", help="where the results go; by default out/ and its name")
    words = "its number, its name, or the path of a file"
    run.add_argument("worksheet", type=_worksheet, metavar="WORKSHEET|SCRIPT.py", help=words)
    rest = run.add_argument("arguments", nargs=argparse.REMAINDER, help="the worksheet's own; symae run 01 --help lists them")
    rest.required = False
    with contextlib.suppress(MissingFileError):
        known = worksheets()
        run.epilog = "\n".join(["worksheets:", *(f"  {name:30} {title_of(path)}" for name, path in known.items())])
        run.missing = f"found no worksheet or script, expected one of {', '.join(known)}, its number, or the path of a script"

    data = commands.add_parser(
        "data",
        help="list, look at or download data",
        description="List the data that is here, download a set by its name, or look at what symae reads in a file or folder.",
    )
    data.add_argument("name", nargs="?", metavar="NAME|PATH", help=f"mnist, {', '.join(SETS)}; or a file or folder of images")
    data.add_argument("--out", type=Path, metavar="FOLDER", help="where to; by default where the worksheets look for it")
    data.add_argument("--image-shape", type=image_shape, metavar="CxHxW", help="as the worksheets take it, of a file or folder")

    show = commands.add_parser(
        "show",
        help="show what a saved model's nodes compute",
        description="Compute nodes of the saved models of a run for the first test images, as a picture and as text files.",
    )
    show.add_argument("run", type=Path, help="a run's folder, or one of its models")
    show.add_argument(
        "--node", action="append", metavar="NAME", help="what to show; may be given again. Without it, the nodes are listed"
    )
    show.add_argument("--images", type=at_least(1), default=5, metavar="N", help="how many test images")
    show.add_argument("--data", metavar="NAME|PATH", help="as the worksheets take it; by default the run's")
    show.add_argument("--out", type=Path, metavar="FOLDER", help="where to; by default the run's folder")

    add_inspector(commands)
    add_compare(commands)
    add_port(commands)

    add_warmup(commands)
    return parser


def _show_versions(verbose: bool) -> None:
    """Print symae's version; if `verbose` those of what it stands on too, and what has become of each patch of theirs."""
    print(f"symae {symae.__version__}")
    if not verbose:
        return
    for backend in BACKENDS:
        with contextlib.suppress(ImportError):  # not installed
            import_module(f"pytensor.link.{backend}.dispatch")
    print(*(f"  {name:10} {found}" for name, found in environment().items() if name not in ("symae", "patches")), sep="\n")
    print("  patches", textwrap.indent(str(patches.status()), "    "), sep="\n")


def _worksheet(text: str) -> str:
    if text.startswith("-"):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a worksheet before its options")
    return text


def _run_any(path: Path, arguments: Sequence[str], out: Path | None, own_process: bool) -> int:
    """Run a worksheet or another script that imports symae as Python would, and everything else as legacy code."""
    if path not in worksheets().values():
        from symae.legacy.run import is_legacy, parse, run_source

        source = parse(path)
        imports = any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(source.tree))
        if path.suffix.lower() not in PROGRAMS - {".txt"} and not imports:  # notes, figures and JSON may be valid Python
            raise InputError(path, "a text that imports nothing", "a Python program; of one, a copy whose name ends in .py")
        if is_legacy(source):
            status = run_source(source, arguments, out, own_process)
            if own_process:
                end_quickly()
            return status
    run_path(path, arguments if out is None else ["--out", str(out), *arguments])
    return 0


def _data(name: str | None, folder: Path | None, shape: tuple[int, ...] | None) -> None:
    if name is None and folder is not None:
        raise InputError("--out", f"{folder} and nothing to download", "symae data mnist --out FOLDER")
    if shape is not None and (name in (None, "mnist") or name in SETS):
        raise InputError("--image-shape", "x".join(map(str, shape)), "a file or folder of images before it")
    if name == "mnist" or name in SETS:
        print(f"{'MNIST' if name == 'mnist' else SETS[name].title} is in {download_set(name, folder)}")
        return
    if name is not None:
        if folder is not None:
            raise InputError("--out", f"{folder} and nothing to download", f"one of mnist, {', '.join(SETS)} with it")
        _look_at(read(name, image_shape=shape))
        return
    for known in available():
        chosen = "  (used by default)" if known == default() else ""
        print(f"{known:16}{SETS[known].title if known in SETS else read(known).name}{chosen}")
    if "mnist" not in available():
        print("MNIST is not here; symae data mnist downloads it (11 MB)")


def _look_at(dataset: Dataset) -> None:
    """Print what there is in a data set, a line each."""
    shape = " x ".join(map(str, dataset.image_shape))
    kind = "bytes" if dataset.train.x.dtype == "uint8" else str(dataset.train.x.dtype)
    names = f": {', '.join(name or '-' for name in dataset.class_names[:20])}" if dataset.class_names else ""
    classes = f"{dataset.n_classes} classes{names}" if dataset.train.y is not None else "no labels"
    print(dataset.name, f"  {shape}, {kind}, {classes}", *(f"  {note}" for note in dataset.notes), sep="\n")


def _show(settings: argparse.Namespace) -> None:
    """List the nodes of a run's models, or write what they compute."""
    from symae.inspector.loading import models_at
    from symae.inspector.runs import Run
    from symae.runs.nodes import first_images, list_nodes, show_nodes

    models = models_at(settings.run)
    run = Run((folder := settings.run if settings.run.is_dir() else settings.run.parent).resolve(), folder.resolve().name)
    if settings.node is None:
        for name, model in models.items():
            print(f"{name}, {type(model).__name__}:")
            nodes = list_nodes(model)
            width = max([12, *(len(node) for node, _ in nodes)])
            for node, shape in nodes:
                print(f"  {node:{width}} {' x '.join(map(str, shape)) or 'a number'}")
        return
    chosen = {name: model for name, model in models.items() if set(settings.node) <= set(model.node_names())}
    if not chosen:
        known = dict.fromkeys(node for model in models.values() for node in model.node_names())
        raise InputError("--node", ", ".join(settings.node), f"nodes of one model in {settings.run}: {', '.join(known)}")
    if run.makes_its_images and settings.data is None:
        raise InputError(folder, "a run that has made its images itself", "--data with images to show")
    images = first_images(settings.data or run.record.get("data"), settings.images, run.pixel_scale, run.image_shape)
    folder = make_folder(settings.out or folder)
    for name, model in chosen.items():
        shown = show_nodes(model, settings.node, images, folder, name)
        for node, values in shown.values.items():
            print(f"{name}, {node} {values.shape}: from {fixed(values.min())} to {fixed(values.max())}")
        print(*(f"  {file}" for file in shown.files), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
