"""A process that ends at once leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys

ENDS = """
import shutil, sys
from functools import partial
from symae._runtime.terminal import at_each_end, end_at_once
at_each_end(partial(shutil.rmtree, sys.argv[1]))
at_each_end(lambda: 1 / 0)
if sys.argv[2] == "at once":
    end_at_once("another process is gone", 75)
"""


def test_what_has_to_be_done_as_a_process_ends_is_done_also_where_it_ends_at_once(tmp_path):
    for how, status in (("at once", 75), ("as others do", 0)):
        folder = tmp_path / "results"
        folder.mkdir()
        done = subprocess.run([sys.executable, "-c", ENDS, folder, how], capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert not folder.exists()
        assert how != "at once" or done.stderr == "-c: error: another process is gone\n"
