"""What docs/export.md says of exports is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symae.cli.main import _parser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "export.md").read_text()


@pytest.mark.docs
def test_its_examples_run_as_printed(tmp_path):
    for package in ("onnx", "onnxruntime", "torch"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTENSOR_FLAGS": "mode=FAST_COMPILE"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.stdout.splitlines() == [
        "(5, 3, 7, 7) True",
        "['MatMul', 'Softmax']",
        "['W', 'b', 'b_prime'] torch.Size([2, 784])",
    ], done.stderr


@pytest.mark.parametrize("line", re.findall(r"^symae (export .*)$", PAGE, re.MULTILINE))
def test_its_commands_are_understood(line):
    settings = _parser().parse_args(line.split())
    assert settings.card or settings.onnx or settings.torch
