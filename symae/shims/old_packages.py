"""Packages of 2010 to 2018, imported as they are: their modules find what Python, NumPy and SciPy had in their time.

Each of their modules has built-in names of its own, and among these an ``__import__`` that gives `FormerModules`; in it NumPy
takes what it took, by `lenient_numpy`. Nothing is put into NumPy or `sys.modules` for it, and no other library sees it.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from symae._runtime.quiet import without_warnings
from symae.errors import InputError
from symae.shims import lenient_numpy
from symae.shims.former import FormerModules
from symae.shims.lenient_syntax import Lenient
from symae.shims.standard_names import former_builtins

# What Python and NumPy say of a name that a module has not: the name is the first group or the last.
_LACKING = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'|(?:module '([\w.]+)' has no attribute '|`np\.)(\w+)[`']")


class Python2Error(InputError, SyntaxError):
    """Raised for a module that Python 3 cannot parse."""

    __str__ = Exception.__str__

    @classmethod
    def of(cls, error: SyntaxError, module: str) -> Python2Error:
        """Make the error for one of Python's, of a `module`: a file, or a package's folder."""
        where, found = f"{error.filename}, line {error.lineno}", f"a line that is not Python 3's ({error.msg})"
        return cls(where, found, f"Python 3: symae port --in-place rewrites {module} from Python 2")


class OldPackages(MetaPathFinder):
    """Find packages as all others do, and load them for the time that they were written in.

    `is_old` says by its name whether a top-level package is one of these.
    """

    def __init__(self, is_old: Callable[[str], bool]):
        self._is_old = is_old
        self._modules = FormerModules()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not self._is_old(fullname.partition(".")[0]):
            return None
        later = sys.meta_path[sys.meta_path.index(self) + 1 :]
        specs = (finder.find_spec(fullname, path, target) for finder in later)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _OldLoader(spec.loader, self)
        return spec

    def would_mend(self, error: BaseException) -> bool:
        """Return True if a module that asked for a name in vain would have got it as one of these packages."""
        match error:
            case ModuleNotFoundError(name=str(name)):
                return self._modules.find(name, [""]) is not None
            case NameError(name=str(name)):
                return name in former_builtins()
            case AttributeError() | ImportError() if found := _LACKING.match(str(error)):
                name, module = (found[1], found[2]) if found[1] else (found[4], found[3] or "numpy")
                return module in sys.modules and hasattr(self._modules.as_it_was(sys.modules[module]), name)
        return False

    def builtins(self) -> dict[str, Any]:
        """Return the built-in names of a module."""
        return {**former_builtins(), **vars(builtins), **lenient_numpy.OPERATIONS, "__import__": self._import}

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        try:
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
        except ModuleNotFoundError as error:
            is_gone = not level and f"{name}.".startswith(f"{error.name}.")
            answer = self._modules.find(name, fromlist or ()) if is_gone else None
            if answer is None:
                raise
            return answer
        return self._modules.as_it_was(module, self._modules.gone_from(module, fromlist or ()))


class _OldLoader(Loader):
    """Load as `loader` does, with other built-in names."""

    def __init__(self, loader: Any, packages: OldPackages):
        self._loader, self._packages = loader, packages

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._packages.builtins()
        try:
            code = self._lenient_code(module.__name__, module.__spec__.origin if module.__spec__ else None)
            if code is None:
                self._loader.exec_module(module)
            else:
                exec(code, vars(module))
        except SyntaxError as error:
            if isinstance(error, InputError):
                raise
            raise Python2Error.of(error, f"the folder of {module.__name__.partition('.')[0]}") from None

    def _lenient_code(self, name: str, where: str | None) -> CodeType | None:
        """Compile the module of that name from the file `where`; None for one that has no source."""
        # pytest's loader has no source to give: it reads the file, and puts what it says of failed assertions into the tree.
        rewrite = getattr(sys.modules.get(type(self._loader).__module__), "rewrite_asserts", None)
        loader = SourceFileLoader(name, where) if rewrite and where else self._loader
        text = loader.get_source(name) if hasattr(loader, "get_source") else None
        if text is None:
            return None
        where = loader.get_filename(name)
        with without_warnings(""):
            tree = ast.fix_missing_locations((_Uncompared if rewrite else Lenient)().visit(ast.parse(text, where)))
            if rewrite:
                rewrite(tree, text.encode(), where, self._loader.config)
                tree = _Compared().visit(tree)
            return compile(tree, where, "exec", dont_inherit=True)


class _Uncompared(Lenient):
    """Leave the comparisons that pytest explains, and `_Compared` replaces after it."""

    visit_Compare = ast.NodeTransformer.generic_visit  # type: ignore[assignment]


class _Compared(ast.NodeTransformer):
    visit_Compare = Lenient.visit_Compare
