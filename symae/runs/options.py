"""The options that all worksheets have, and types for those of one."""

from __future__ import annotations

import argparse
from pathlib import Path

from symae._runtime.terminal import Parser, at_least, real_at_least
from symae.compile.backends import BACKENDS, DEFAULT
from symae.errors import InputError
from symae.training.joining import parse

__all__ = ["at_least", "devices", "distributed", "image_shape", "real_at_least", "worksheet_parser"]


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Format help with a default where there is one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default in (None, False) else super()._get_help_string(action)


def worksheet_parser(name: str, title: str, epochs: int, images: int | None, floatX: str) -> Parser:
    """Make a parser of the options that all worksheets have; `epochs` are of `images` images, where these are given."""
    parser = Parser(prog=name, description=title, formatter_class=_Help)
    parser.add_argument(
        "--data",
        type=_not_empty,
        metavar="NAME|PATH",
        help="mini_mnist, mnist, digits, or a file or folder of images (default: MNIST if it is there)",
    )
    parser.add_argument(
        "--image-shape",
        type=image_shape,
        metavar="CxHxW",
        help="channels, height and width: of rows of pixels that are no squares, or to bring pictures to (1 channel is grey)",
    )
    parser.add_argument(
        "--epochs",
        type=at_least(0),
        default=epochs if images is None else None,
        metavar="N",
        help="passes over the training images" + (f" (default: {epochs} of {images} images, more of fewer)" if images else ""),
    )
    parser.add_argument("--backend", choices=BACKENDS, default=DEFAULT, help="which compiler makes the machine code")
    parser.add_argument("--floatX", choices=("float64", "float32"), default=floatX, help="precision of all numbers")
    parser.add_argument(
        "--seed", type=at_least(0, 2**32 - 1), default=123, metavar="N", help="seeds the initial weights and the corruption"
    )
    parser.add_argument("--out", type=_path, default=Path("out") / name, metavar="FOLDER", help="where the results go")
    parser.add_argument(
        "--threads", type=at_least(1), metavar="N", help="threads of BLAS; one unless the environment says otherwise"
    )
    parser.add_argument(
        "--keep-filters", action="store_true", help="keep the parameters of each epoch too, for symae inspect to show"
    )
    return parser


def _not_empty(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("found '', expected a name or a path")
    return text


def devices(text: str) -> int | str:
    """Return the number in a text, or "all", as ``--devices`` takes it."""
    if text == "all":
        return text
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number of at least 1, or all")
    return int(text)


def distributed(text: str) -> bool | str:
    """Return what `symae.training.fit` takes, of HOST:PORT,N,I or an empty text, as ``--distributed`` takes it."""
    try:
        return text if parse(text) is not None else True
    except InputError as error:
        raise argparse.ArgumentTypeError(f"found {error.found}, expected {error.expected}") from error


def image_shape(text: str) -> tuple[int, ...]:
    """Return the numbers of a text such as ``3x64x64``, or ``28x20`` for grey, as ``--image-shape`` takes it."""
    sizes = text.lower().replace("×", "x").split("x")
    if len(sizes) not in (2, 3) or not all(size.isascii() and size.isdecimal() and int(size[:9]) > 0 for size in sizes):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected numbers such as 3x64x64, or 28x20 for grey")
    return tuple(map(int, sizes))


def _path(text: str) -> Path:
    return Path(_not_empty(text))
