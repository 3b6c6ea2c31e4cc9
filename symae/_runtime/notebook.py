"""Whether a notebook's kernel runs this process: Jupyter's, VS Code's, Colab's; IPython on a terminal is none."""

from __future__ import annotations

import sys
from typing import Any


def in_notebook() -> bool:
    """Return True where what `IPython.display.display` gets is shown below a cell."""
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def is_interactive() -> bool:
    """Return True in a notebook and at Python's or IPython's prompt, where whoever waits can type nothing."""
    return in_notebook() or hasattr(sys, "ps1") or bool(sys.flags.interactive)
