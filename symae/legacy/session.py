"""What the parts of one run share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType
from typing import Any

from symae.legacy.file_redirection import Files
from symae.legacy.record import Record
from symae.python2.version_detection import PythonVersion

__all__ = ["Session"]


@dataclass
class Session:
    """Hold one run of one script.

    Attributes
    ----------
    script, out, caller : Path
        The script, the output folder and the folder that the run was started in, all absolute.
    files : Files
    record : Record
        What goes into the report.
    python_version : str
        The script's; a module beside it that does not tell which Python it is for is of the script's.
    modules : dict
        The script's own modules: itself under ``__main__``, and those beside it that it imported.
    sources : set of str
        Their files.
    pyplot : module, optional
        What draws where matplotlib is not installed.
    misc : module, optional
        ``scipy.misc``.
    loader_of : callable
        What loads a file as a module of the script's; the run's importer sets it.
    at_exit : ExitStack
        What the script wants to have called when it ends.
    is_confined : bool
        Whether the system keeps this process from writing to the user's files.
    """

    script: Path
    out: Path
    caller: Path
    files: Files
    record: Record
    python_version: PythonVersion = "either"
    modules: dict[str, ModuleType] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    pyplot: ModuleType | None = None
    misc: ModuleType | None = None
    loader_of: Callable[[str], Loader] = field(init=False)
    at_exit: ExitStack = field(default_factory=ExitStack)
    is_confined: bool = False
    stderr: Any = field(default_factory=lambda: sys.stderr)
    _said: set[str] = field(default_factory=set)

    def say(self, line: str) -> None:
        """Tell the user something, once, where it does not mix with what the script prints."""
        if line not in self._said:
            self._said.add(line)
            self.record.note(line)
            print(f"symae: {line}", file=self.stderr, flush=True)
