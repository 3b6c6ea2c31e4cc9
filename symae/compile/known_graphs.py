"""Graphs whose machine code is on the disk are not rewritten again.

PyTensor rewrites a graph, converts each node, and knows then under which key Numba keeps its machine code: seconds for the
gradient of a loop, in each process anew, for the same result. Here that key is kept beside the machine code, under a digest of
all that it follows from: the graph as the user wrote it, the mode, settings, versions, the sources of symae
(`symae.compile.exact_description`), and what it is rewritten by (`symae.compile.described_rewrites`). A function whose graph is
known loads its machine code at once; `symae.compile.late_rewriting` makes it.

What else needs the rewritten graph gets it when it asks: ``function.maker.fgraph``, an error of a node, a copy, arguments of
another layout or dtype, or machine code that is no longer there. The graph is rewritten then, as it would have been before.

The environment variable ``SYMAE_KNOWN_GRAPHS=off`` switches this off.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytensor
from pytensor import config
from pytensor.compile.executor import Function
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.mode import Mode
from pytensor.link.numba.linker import NumbaLinker

from symae._runtime.versions import SYMAE
from symae.compile.described_rewrites import described_rewrites, refuse_foreign_conversions
from symae.compile.exact_description import Describer
from symae.compile.late_rewriting import Found, Known, LateMaker
from symae.errors import InputError

_log = logging.getLogger("symae.compile.known_graphs")
VARIABLE = "SYMAE_KNOWN_GRAPHS"
LEAST = 0.05  # seconds of rewriting and converting, from which on a graph is worth a file

# PyTensor's settings on which neither the rewritten graph nor its machine code depends; some take long to find out
_OTHER_SETTINGS = (
    *("DebugMode", "NanGuardMode", "base_compiledir", "blas", "cmodule", "compile_", "compiledir", "compiler_verbose", "cxx"),
    *("exception", "gcc", "nocleanup", "on_unused_input", "print", "profil", "traceback", "unpickle", "warn__"),
)
_OTHER_VARIABLES = (VARIABLE, "SYMAE_DATA", "SYMAE_SECOND_PROCESS", "NUMBA_CACHE_DIR")
# Where symae's rewrites, ops and conversions are, and what they are made of.
_SOURCES = ("_runtime", "compile", "geometry", "kernels", "nn", "ops", "patches", "rewrites", "theano")


def chosen() -> bool:
    """Return True unless the environment variable says that all graphs are to be rewritten.

    InputError is raised where it is neither ``on`` nor ``off``.
    """
    value = os.environ.get(VARIABLE, "").strip()
    if value not in ("", "on", "off"):
        raise InputError(VARIABLE, repr(value), "on or off")
    return value != "off"


def written_graph(function: Function) -> Any:
    """Return the graph of a function, rewritten or not yet: inputs, updates, and the kinds of outputs are the same."""
    return vars(function.maker)["fgraph"]


def looking_up(mode: Any, surroundings: Callable[[], AbstractContextManager[Any]], *more: Any) -> Any:
    """Return a mode that compiles as `mode` does, but looks first whether the graph is known.

    Whatever is rewritten later is so within `surroundings`. `more` are settings of symae's that the graph is rewritten with.
    """
    if not chosen() or type(mode) is not Mode or type(mode.linker) is not NumbaLinker or not config.numba__cache:
        return mode
    looking = _LookingUp.__new__(_LookingUp)
    looking.__dict__.update(vars(mode), original=mode, surroundings=surroundings, more=more)
    return looking


class _LookingUp(Mode):
    """Compile as `original` does, by a `LateMaker`."""

    original: Mode
    surroundings: Callable[[], AbstractContextManager[Any]]
    more: tuple[Any, ...]

    @property
    def function_maker(self) -> type[FunctionMaker]:
        return LateMaker

    def look_up(self, fgraph: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> Found:
        """Return what is known of a graph; `outputs` include updates."""
        settings = _settings()
        file = _file(fgraph, inputs, outputs, self, settings)
        return Found(file, None if file is None else _read(file), settings)


def _file(
    fgraph: Any, inputs: Sequence[Any], outputs: Sequence[Any], mode: _LookingUp, settings: Mapping[str, Any]
) -> Path | None:
    """Return where the key of a graph's machine code is kept; None if it has to be rewritten in any case.

    That is so if something cannot be described, or if an output is an input, or there twice: such outputs are copied by what is
    inserted when the graph is rewritten.
    """
    if not outputs or len(set(fgraph.outputs)) < len(outputs) or any(v.owner is None for v in fgraph.outputs):
        return None
    describe = Describer()
    try:
        refuse_foreign_conversions()
        described = (
            _process(),
            _environment(),
            describe.graph(fgraph.inputs, fgraph.outputs),
            [(i.mutable, i.borrow, i.shared, i.update is not None, i.value is None) for i in inputs],
            [o.borrow for o in outputs],
            sorted((fgraph.update_mapping or {}).items()),
            describe.text(dict(settings)),
            describe.text(mode.original),
            described_rewrites(),
            mode.more,
        )
    except Exception as found:  # `Indescribable`, or whatever an object of somebody's raises that is looked at
        _log.debug("a graph is rewritten in any case, as it has %r", found)
        return None
    from symae.kernels.kept_code import kept_file

    return kept_file("symae_graph", repr(described))


def _settings() -> dict[str, Any]:
    return {name: getattr(config, name) for name in _names_of_settings()}


@functools.cache
def _names_of_settings() -> tuple[str, ...]:
    return tuple(name for name in sorted(config._config_var_dict) if not name.startswith(_OTHER_SETTINGS))


def _environment() -> list[tuple[str, str]]:
    return sorted((k, v) for k, v in os.environ.items() if k.startswith(("SYMAE_", "NUMBA_")) and k not in _OTHER_VARIABLES)


@functools.cache
def _process() -> str:
    """Describe what does not change in this process: versions and sources."""
    package = Path(__file__).parents[1]
    folders = [package, *(package / folder for folder in _SOURCES)]
    sources = sorted(itertools.chain.from_iterable(_files(str(folder), folder is not package) for folder in folders))
    versions = sys.version, SYMAE, pytensor.__version__, np.__version__
    return hashlib.sha256(repr((versions, sources)).encode()).hexdigest()


def _files(folder: str, with_folders: bool) -> Iterator[tuple[str, int, int]]:
    """Yield the path, the size and the time of each source in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if with_folders:
                    yield from _files(entry.path, with_folders)
            elif entry.name.endswith((".py", ".h", ".c")):
                seen = entry.stat()
                yield entry.path, seen.st_size, seen.st_mtime_ns


def _read(file: Path) -> Known | None:
    from symae.kernels.kept_code import read_kept

    kept = read_kept(file)
    try:
        known = None if kept is None else Known(**json.loads(kept))
    except (ValueError, TypeError):
        return None
    return known if known is not None and known.is_plain() else None


def keep(function: Any, seconds: float) -> None:
    """Keep the key of the machine code of `function`, if rewriting and converting its graph took so many `seconds`."""
    file, found = function.maker.__dict__.pop("_to_keep", (None, None))
    if file is not None and found is not None and found.is_plain() and seconds >= LEAST:
        from symae.kernels import kept_code

        kept_code.keep(file, json.dumps(found._asdict()).encode())
