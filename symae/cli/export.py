"""The command ``symae export``: the page of runs as one file, or the model of a run for other programs, and its card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from symae._runtime.decimals import size
from symae._runtime.terminal import at_least
from symae.cli.targets import check_target
from symae.errors import InputError

FORMATS = {"onnx": (".onnx",), "torch": (".pt", ".pth"), "keras": (".keras",)}
PARTS = ("whole", "encoder", "decoder")
PAGE = Path("page.html")


def add_models(parser: Any) -> None:
    """Add to the parser of ``symae export`` what writes models and not the page."""
    group = parser.add_argument_group("for other programs, in the place of the page")
    group.add_argument("--onnx", type=Path, metavar="FILE.onnx", help="the model for ONNX's runtimes and Netron")
    group.add_argument("--torch", type=Path, metavar="FILE.pt", help="its weights for PyTorch, and FILE.py, a module")
    group.add_argument("--keras", type=Path, metavar="FILE.keras", help="the model for Keras 3")
    group.add_argument("--card", action="store_true", help="README.md in the run's folder, a model card for Hugging Face")
    group.add_argument("--model", metavar="NAME", help="which of the run's models")
    group.add_argument("--part", choices=PARTS, help="of the model (default: whole, from input to reconstruction)")
    group.add_argument("--floatX", choices=("float32", "float64"), help="what all floats become (float32)")
    group.add_argument("--opset", type=at_least(1), metavar="N", help="version of ONNX's ops; the newest by default")


def export_models(settings: argparse.Namespace) -> bool:
    """Write what is asked for beside the page; returns whether anything was."""
    wanted = {name: getattr(settings, name) for name in FORMATS if getattr(settings, name) is not None}
    if not wanted and not settings.card:
        given = [name for name in ("model", "part", "floatX", "opset") if getattr(settings, name) is not None]
        if given:
            raise InputError(f"--{given[0]}", str(getattr(settings, given[0])), "--onnx, --torch or --keras beside it")
        return False
    if len(settings.run) != 1:
        raise InputError("run", f"{len(settings.run)} runs", "one, for --onnx, --torch, --keras and --card")
    for name, target in wanted.items():
        check_target(target, FORMATS[name])
        if name == "torch":
            check_target(target.with_suffix(".py"), (".py",), beside=target)
    if settings.opset is not None and "onnx" not in wanted:
        raise InputError("--opset", str(settings.opset), "--onnx beside it")

    from symae.inspector.loading import chosen_model

    run, name = chosen_model(settings.run[0], settings.model)
    if wanted:
        model = run.inspection(name).model
        options = {"part": settings.part or "whole", "floatX": settings.floatX or "float32"}
        for format_, target in wanted.items():
            for line in _write(format_, model, target, options, settings.opset):
                print(f"{line}, {type(model).__name__}, {options['part']}")
    if settings.card:
        from symae.export.card import write_card

        print(write_card(run))
    return True


def _write(format_: str, model: Any, target: Path, options: dict[str, Any], opset: int | None) -> list[str]:
    """Write a model in one of the formats; returns what to say of each file."""
    if format_ == "onnx":
        from symae.export.onnx_file import export_onnx

        written = [export_onnx(model, target, opset=opset, **options)]
    elif format_ == "torch":
        from symae.export.torch_source import export_torch

        written = list(export_torch(model, target, **options))
    else:
        from symae.export.keras_model import export_keras

        written = [export_keras(model, target, **options)]
    return [f"{file}: {size(file.stat().st_size)}" for file in written]
