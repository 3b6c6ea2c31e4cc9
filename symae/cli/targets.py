"""Where commands may write: told before any work is done."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from symae.errors import UnwritableError


def check_target(target: Path, endings: Sequence[str], runs: Sequence[Path] | None = None, beside: Path | None = None) -> None:
    """Refuse to write to `target`: another ending than `endings`, no folder for it, or a file that must stay.

    With `runs`, files that are there stay in these folders and in all others of runs: the ending is one that runs leave files
    with. With `beside`, `target` comes along with that file: it must stay, if that file is not there yet.
    """
    folder, ending = target.parent, " or ".join(endings)
    if target.is_dir():
        raise UnwritableError(target, "a folder", f"the name of a file that ends in {ending}")
    if target.suffix.lower() not in endings:
        raise UnwritableError(target, f"the ending {target.suffix!r}", f"a name that ends in {ending}")
    if not folder.is_dir():
        raise UnwritableError(target, f"no folder {folder}", "a folder that is there")
    if not target.exists():
        if not os.access(folder, os.W_OK):
            raise UnwritableError(target, "a read-only folder", "a folder that can be written")
        return
    if not target.is_file():
        raise UnwritableError(target, "a device or a pipe", "a file name")
    if runs is not None and _of_a_run(folder, runs):
        raise UnwritableError(target, "a file in a run's folder, which may be the run's own", "a name that is free there")
    if beside is not None and not beside.exists():
        raise UnwritableError(target, f"a file that does not belong to {beside.name}", "a name that is free")


def _of_a_run(folder: Path, runs: Sequence[Path]) -> bool:
    from symae.inspector.runs import HISTORY
    from symae.runs.record import FILE

    shown = {path.resolve() for path in (*runs, *(run.parent for run in runs if not run.is_dir()))}
    return folder.resolve() in shown or (folder / FILE).is_file() or (folder / HISTORY).is_file()
