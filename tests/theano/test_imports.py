"""Scripts import parts of Theano in any order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import symae

FOLDER = Path(symae.__file__).parent

FIRST_OF_ALL = """
import importlib, os, sys
import symae
for name in sys.argv[1:]:
    if not os.fork():
        status = 1
        try:
            importlib.import_module(name)
            status = 0
        finally:
            os._exit(status)
    if os.wait()[1]:
        print(name)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a whole process for each module takes minutes")
def test_each_module_of_networks_can_be_the_first_one():
    files = sorted(f for part in ("nnet", "signal") for f in (FOLDER / "theano" / "tensor" / part).glob("*.py"))
    names = [".".join(f.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__") for f in files]
    command = [sys.executable, "-W", "ignore", "-c", FIRST_OF_ALL, *names]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == ""
