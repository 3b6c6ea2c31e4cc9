"""Patches are applied when the module that they touch is imported, each by itself, and everybody can see which ones are.

A patch that does not fit what is installed is left out, with one warning in the log; symae works without it, slower, or as
PyTensor alone would. One that guards memory is `required`: without it `symae.function` does not compile for its backend.

The environment variable ``SYMAE_PATCHES`` switches patches off: ``off`` all of them, ``-name,-other`` these.
"""

from __future__ import annotations

import functools
import logging
import os
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from symae._runtime.import_hooks import after_import
from symae.errors import BackendError, InputError
from symae.kernels.fingerprint import APPLIED
from symae.patches.changes import Changes
from symae.patches.patch import Patch

VARIABLE = "SYMAE_PATCHES"
_log = logging.getLogger("symae.patches")


@dataclass(frozen=True)
class PatchStatus:
    """Tell what has become of a patch.

    Attributes
    ----------
    name : str
    state : str
        ``"applied"``, ``"waiting"`` for a module to be imported, ``"skipped"`` or ``"switched off"``.
    reason : str
        Which module, or why it was skipped.
    """

    name: str
    state: str
    reason: str = ""


class PatchStates(tuple[PatchStatus, ...]):
    """Hold what has become of each patch: a tuple that is printed as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        columns = min(max(shutil.get_terminal_size((100, 24)).columns, 80), 128)
        width, lines = max((len(status.name) for status in self), default=0) + 2, []
        for status in self:
            before = f"{status.name:{width}}{status.state:14}"
            lines += textwrap.wrap(status.reason, columns, initial_indent=before, subsequent_indent=" " * len(before)) or [
                before
            ]
        return "\n".join(line.rstrip() for line in lines)


class Registry:
    """Hold patches, and what has become of each.

    Parameters
    ----------
    patches : iterable of Patch
    chosen : str
        What ``SYMAE_PATCHES`` says.

    Raises
    ------
    ValueError
        Two patches have one name.
    InputError
        `chosen` names no patch that there is.
    """

    def __init__(self, patches: Iterable[Patch], chosen: str = ""):
        listed = list(patches)
        known = {patch.name: patch for patch in listed}
        if len(known) < len(listed):
            raise ValueError(f"patches: found {[patch.name for patch in listed]}, expected a name for each")
        order = TopologicalSorter({patch.name: patch.after for patch in known.values()}).static_order()
        self.patches: Mapping[str, Patch] = {name: known[name] for name in order}
        off = _switched_off(chosen, sorted(known))
        self._states = {
            name: PatchStatus(name, "switched off") if name in off else PatchStatus(name, "waiting", f"for {patch.module}")
            for name, patch in sorted(self.patches.items())
        }

    def connect(self) -> None:
        """Apply each patch that is not switched off, now or when its module is imported."""
        for name, patch in self.patches.items():
            if self._states[name].state == "waiting":
                after_import(patch.module, functools.partial(self._apply, patch))

    def _apply(self, patch: Patch, module: Any) -> None:
        changes = Changes()
        try:
            misfit = patch.misfit()
            if misfit is None:
                patch.apply(module, changes)
        except Exception as error:
            changes.undo()
            misfit = f"{type(error).__name__}: {error}"
        if misfit is None:
            self._states[patch.name] = PatchStatus(patch.name, "applied")
            if patch.backend == "numba":
                APPLIED.add(patch.name)
            return
        self._states[patch.name] = PatchStatus(patch.name, "skipped", misfit)
        without = "symae does not compile for it then" if patch.required else patch.why
        _log.warning("patch %s is left out, because there is %s; %s", patch.name, misfit, without)

    def status(self) -> PatchStates:
        """Return what has become of each patch, in the order of their names."""
        return PatchStates(self._states.values())

    def summary(self) -> str:
        """Return how many are applied and waiting, and which ones are not and why, in one line."""
        states = self.status()
        parts = [f"{sum(s.state == state for s in states)} {state}" for state in ("applied", "waiting")]
        for state in ("skipped", "switched off"):
            names = [s.name + (f" ({s.reason})" if s.reason else "") for s in states if s.state == state]
            parts += [f"{state}: {', '.join(names)}"] if names else []
        return "; ".join(parts)

    def refuse_missing(self, backend: str) -> None:
        """Refuse to go on for `backend` without a patch that it requires.

        Raises
        ------
        BackendError
            One was skipped; the error has the versions that it was tested with and those that are installed.
        """
        for name, state in self._states.items():
            patch = self.patches[name]
            if patch.required and patch.backend == backend and state.state == "skipped":
                expected = f"what symae was tested with: {patch.tested}; or {VARIABLE}=-{name} to go on unguarded"
                raise BackendError(f"patch {name}", f"{state.reason} in {patch.installed()}", expected)


def _switched_off(chosen: str, known: list[str]) -> set[str]:
    """Return the names of the patches that are switched off."""
    if chosen.strip() in ("", "on"):
        return set()
    if chosen.strip() == "off":
        return set(known)
    names = [part.strip() for part in chosen.split(",") if part.strip()]
    for name in names:
        if name[:1] != "-" or name[1:] not in known:
            raise InputError(VARIABLE, repr(name), f"off, or the names of patches with a - before each: {', '.join(known)}")
    return {name[1:] for name in names}


def chosen_by_user() -> str:
    """Return what the environment variable says."""
    return os.environ.get(VARIABLE, "")
