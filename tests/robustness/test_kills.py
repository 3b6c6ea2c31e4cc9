"""Trainings that are killed and resumed; `kills.py` as a script kills as often as is wanted, worksheets too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the trainings are forked")
def test_trainings_that_are_killed_at_random_moments_come_to_the_same():
    script = Path(__file__).with_name("kills.py")
    result = subprocess.run([sys.executable, str(script), "--kills", "40"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
