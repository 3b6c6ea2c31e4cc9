"""Processes that meet at one cache or in one folder; `races.py` as a script lets as many meet as is wanted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
def test_processes_that_meet_get_right_results_and_leave_whole_files():
    script = Path(__file__).with_name("races.py")
    result = subprocess.run([sys.executable, str(script), "--count", "2"], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
