"""Imports of a legacy script: `theano` is symae's, modules beside it are converted, and the modules of its time are there.

``theano`` and the script's own modules are found by a finder that is first in `sys.meta_path` for the time of the run, so that
libraries and pickles find them too. What Python 2 and its libraries had under names that are gone is for the script's own
modules only: these have an ``__import__`` of their own, and no library is led astray by it.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from symae._runtime.import_alias import AliasFinder
from symae.legacy.owners import is_inside
from symae.legacy.python2_builtins import builtins_for
from symae.legacy.python2_semantics import compiled
from symae.legacy.session import Session
from symae.legacy.shims import Standins
from symae.legacy.shims.drawing import attend
from symae.python2.convert import Source, parse
from symae.python2.version_detection import PythonVersion, future_imports

__all__ = ["Importer"]

REPLACED = "symae.theano"


class Importer(MetaPathFinder):
    """Find and load the modules of one run."""

    def __init__(self, session: Session):
        self.session = session
        self.standins = Standins(session)
        self._theano = AliasFinder("theano", REPLACED)
        self._installed = _folders_of_installed()
        self._foreign = _folders_of_libraries(session, self._installed)
        self._real_folders: dict[str, str] = {}
        session.loader_of = lambda path: _SourceLoader(self, Path(path))

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Import in this way as long as the block lasts; afterwards no module of the script's is left behind."""
        before = dict(sys.modules)
        hidden = [name for name in self._names_beside() if self._is_in_the_way(name)]
        for name in hidden:
            del sys.modules[name]
        sys.meta_path.insert(0, self)
        importlib.invalidate_caches()
        try:
            with self.standins.in_force():
                yield
        finally:
            sys.meta_path.remove(self)
            for name in [name for name in sys.modules if name not in before]:
                if name.partition(".")[0] == "theano" or name in self.session.modules:
                    del sys.modules[name]
            sys.modules.update((name, before[name]) for name in hidden)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if (theano := self._theano.find_spec(fullname)) is not None:
            return theano
        spec = PathFinder.find_spec(fullname, self.session.files.search_path(sys.path) if path is None else path)
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return None
        parent = fullname.rpartition(".")[0]
        real = self._real(spec.origin)
        if not self._is_the_scripts(real):
            if any(is_inside(real, folder) for folder in self._installed):
                return None
            spec.loader = _LibraryLoader(self, fullname, spec.origin)
            return spec
        if parent and parent not in self.session.modules:
            return None
        is_package = spec.submodule_search_locations is not None
        own = ModuleSpec(fullname, _SourceLoader(self, Path(spec.origin)), origin=spec.origin, is_package=is_package)
        own.has_location = True
        if is_package:
            own.submodule_search_locations = list(spec.submodule_search_locations or ())
        return own

    def run(self, source: Source, module: ModuleType, of_package: str = "") -> None:
        """Run `source` as `module`."""
        _remember_lines(source)
        self.session.sources.add(str(source.path))
        namespace = vars(module)
        is_absolute = source.python_version == "python3" or "absolute_import" in future_imports(source.tree)
        namespace["__builtins__"] = self._builtins(source.python_version, is_absolute)
        exec(compiled(source), namespace)

    def _builtins(self, python_version: PythonVersion, is_absolute: bool) -> dict[str, Any]:
        def importing(
            name: str,
            globals: Mapping[str, Any] | None = None,
            locals: Mapping[str, Any] | None = None,
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> Any:
            if level:
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            package = (globals or {}).get("__package__")
            # Until Python 2 ended, a name was looked up in the module's own package first.
            is_relative = not is_absolute and package and self._is_in_package(name, package)
            if is_relative and (python_version == "python2" or not _is_found(name.partition(".")[0])):
                return builtins.__import__(name, globals, locals, fromlist or (), 1)
            if not self._is_beside(name.partition(".")[0]):
                module = self.standins.find(name, fromlist or ())
                if module is not None:
                    return module
            imported = builtins.__import__(name, globals, locals, fromlist or (), 0)
            if name.partition(".")[0] in ("matplotlib", "pylab"):
                attend(self.session)
            return self.standins.as_it_was(imported, fromlist or ())

        return {**builtins_for(python_version, importing), **self.standins.names}

    # -- whose is it ------------------------------------------------------------------------------------------------------

    def _real(self, origin: str) -> str:
        """Return the real path of a source file. To ask for each folder above each of a library's modules would take longer."""
        folder, name = os.path.split(origin)
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        place = Path(self._real_folders[folder], name)
        return os.path.realpath(place) if place.is_symlink() else str(place)

    def _is_the_scripts(self, origin: str) -> bool:
        """Return True if a source file, a real path, is not a part of Python, of an installed package or of symae."""
        if is_inside(origin, str(self.session.script.parent)) or is_inside(origin, self.session.files.out):
            return "site-packages" not in origin
        return not any(is_inside(origin, folder) for folder in self._foreign)

    def _is_in_package(self, name: str, package: str) -> bool:
        top = f"{package}.{name.partition('.')[0]}"
        if top in sys.modules:
            return True
        paths = getattr(sys.modules.get(package), "__path__", None)
        return paths is not None and PathFinder.find_spec(top, paths) is not None

    def _is_beside(self, name: str) -> bool:
        return name in self._names_beside()

    def _names_beside(self) -> set[str]:
        """Return the names of modules and packages in the script's folder."""
        try:
            entries = list(Path(self.session.script.parent).iterdir())
        except OSError:
            return set()
        files = {path.stem for path in entries if path.suffix == ".py" or path.name.endswith(tuple(EXTENSION_SUFFIXES))}
        return files | {path.name for path in entries if (path / "__init__.py").is_file()}

    def _is_in_the_way(self, name: str) -> bool:
        """Return True if a library of this process has the name of a module beside the script; Python's own modules stay."""
        file = getattr(sys.modules.get(name), "__file__", None)
        return bool(file) and name not in sys.stdlib_module_names and name not in ("symae", "numpy", "scipy", "pytensor", "PIL")


class _SourceLoader(Loader):
    """Convert a module of the script's; nothing is written beside it."""

    def __init__(self, importer: Importer, path: Path):
        self._importer = importer
        self.path = str(path)

    def exec_module(self, module: ModuleType) -> None:
        session = self._importer.session
        module.__file__ = self.path
        session.modules[module.__name__] = module
        try:
            self._importer.run(parse(Path(self.path), of_python2=session.python_version == "python2"), module)
        except BaseException:
            session.modules.pop(module.__name__, None)
            raise


class _LibraryLoader(SourceFileLoader):
    """Load a module of a library that is not installed, but on PYTHONPATH, as Python does; convert what it cannot read."""

    def __init__(self, importer: Importer, name: str, path: str):
        super().__init__(name, path)
        self._importer = importer

    def exec_module(self, module: ModuleType) -> None:
        try:
            code = self.get_code(module.__name__)
        except SyntaxError:
            _SourceLoader(self._importer, Path(self.path)).exec_module(module)
        else:
            exec(code or "", vars(module))


def _is_found(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


def _remember_lines(source: Source) -> None:
    """Let tracebacks show the original text, also in encodings that Python 3 would not guess."""
    lines = source.text.splitlines(keepends=True)
    linecache.cache[str(source.path)] = (len(source.text), None, lines, str(source.path))


def _folders_of_installed() -> list[str]:
    """Return where Python, symae and installed packages are."""
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {str(Path(__file__).parents[1])}
    folders |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    return [os.path.realpath(folder) for folder in folders]


def _folders_of_libraries(session: Session, installed: list[str]) -> list[str]:
    """Return where libraries are: also folders of PYTHONPATH, except those that the script is in."""
    on_path = {os.path.realpath(path) for path in sys.path if Path(path).is_absolute()}
    return [*installed, *(path for path in on_path if not any(is_inside(root, path) for root in session.files.roots))]
