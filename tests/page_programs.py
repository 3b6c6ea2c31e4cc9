"""Programs of a page of docs/, run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def programs(page: str) -> list[str]:
    """Return the Python programs of a page, in their order."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


def printed(page: str, number: int, folder: Path) -> str:
    """Return what a page's program prints, run as a script in `folder`."""
    script = folder / "program.py"
    script.write_text(programs(page)[number])
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    result = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        cwd=folder,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
