"""Whether a notebook's kernel runs this process: Jupyter's, VS Code's, Colab's; IPython on a terminal is none."""

from __future__ import annotations

import sys
from typing import Any


def in_notebook() -> bool:
    """Return True where what `IPython.display.display` gets is shown below a cell."""
    ipython: Any = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
