"""Bytes become numbers from 0 to 1 in one place, by the divisor that a run has recorded."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

import symae
from symae.datasets import load_data
from symae.datasets.pixel_scale import scaled
from symae.errors import InputError
from symae.images import unit_images
from symae.runs.record import RunRecord
from symae.runs.worksheet import Worksheet


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_are_divided_and_floats_stay(dtype):
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(scaled(pixels, 255, dtype), pixels.astype(dtype) / np.dtype(dtype).type(255))
    np.testing.assert_array_equal(scaled(pixels / 300, 255, dtype), (pixels / 300).astype(dtype))


@pytest.mark.parametrize(("way", "scale"), [("load_data", 256), ("unit_images", 255)])
def test_a_run_records_what_its_worksheet_divides_by(way, scale, tmp_path):
    sheet = Worksheet("mine", "Mine", epochs=1, argv=["--data", "digits", "--out", str(tmp_path)])
    if way == "load_data":
        images = sheet.load_data()[0][0].get_value()
        np.testing.assert_array_equal(images, load_data("digits")[0][0].get_value())
    else:
        images = sheet.unit_images(sheet.dataset.train.x)
        np.testing.assert_array_equal(images, unit_images(sheet.dataset.train.x))
    sheet.finish({})
    assert json.loads((tmp_path / "run.json").read_text())["pixel_scale"] == scale
    assert images.max() == np.asarray(255, images.dtype) / scale


def test_a_run_has_one_scale(tmp_path):
    record = RunRecord(tmp_path, "mine", "Mine", "digits", {})
    record.scaled_by(256)
    record.scaled_by(256)
    with pytest.raises(InputError, match="found bytes divided by 255, expected 256, by which this run has divided others"):
        record.scaled_by(255)


def test_nothing_else_divides_by_it():
    root = Path(symae.__file__).parent
    files = [*root.rglob("*.py"), *root.parent.glob("worksheets/*.py")]
    divided = [
        f"{file}:{node.lineno}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        for divisor in [node.right if isinstance(node, ast.BinOp) else node.value]
        if isinstance(divisor, ast.Constant) and divisor.value in (255, 256)
    ]
    assert divided == []
