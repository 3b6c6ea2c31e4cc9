"""What is written down of a patch: which private thing it replaces, why, what has to be there, and until when."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from symae.patches.changes import Changes

PYTENSOR = "pytensor 3.0.7, 3.1.1, 3.3.8"
# What patches were tested with, by the backend that they are for.
TESTED = {
    "": PYTENSOR,
    "c": PYTENSOR,
    "numba": f"{PYTENSOR}; numba 0.65.1, 0.68.0",
    "jax": f"{PYTENSOR}; jax 0.10.2, 0.12.0.1",
    "pytorch": "pytensor 3.0.7, 3.3.8; torch 2.13.0",
    "mlx": "pytensor 3.0.7, 3.3.8; mlx 0.32.4",
}


@dataclass(frozen=True)
class Expected:
    """Describe what has to be found for a patch to fit.

    Attributes
    ----------
    owner : str
        Where: a module, or ``module:Class``, in which the name has to be, not in a base of it.
    name : str
    parameters : tuple of str, optional
        The function's, in their order; None if they do not matter.
    others : bool
        There may be more parameters, between them and after them.
    sources : tuple of str
        Where the patch has a copy of the body: the beginnings of the SHA-256 of those that it is a copy of.
    """

    owner: str
    name: str
    parameters: tuple[str, ...] | None = None
    others: bool = False
    sources: tuple[str, ...] = ()

    def misfit(self) -> str | None:
        """Return what is found instead, in words; None if it is as expected."""
        module, _, kind = self.owner.partition(":")
        try:
            owner = importlib.import_module(module)
        except ImportError as error:
            return f"no module {module} ({error})"
        found = vars(owner)
        if kind:
            if kind not in found:
                return f"no {kind} in {module}"
            found = vars(found[kind])
        if self.name not in found:
            return f"no {self.name} in {self.owner}"
        function = getattr(found[self.name], "__func__", found[self.name])
        if self.parameters is not None:
            parameters = tuple(inspect.signature(function).parameters)
            known = tuple(p for p in parameters if p in self.parameters) if self.others else parameters
            if known != self.parameters:
                return f"{self.owner} {self.name}({', '.join(parameters)}), not ({', '.join(self.parameters)})"
        if self.sources:
            digest = source_digest(function)
            if digest is None or not digest.startswith(self.sources):
                return (
                    f"another {self.name} in {self.owner} than was copied (its source's SHA-256 begins {(digest or '?')[:12]})"
                )
        return None


# what several patches call
NUMBA_NJIT = Expected("pytensor.link.numba.dispatch.basic", "numba_njit")
NUMBA_SOURCE = Expected(
    "pytensor.link.numba.dispatch.basic", "compile_numba_function_src", ("src", "function_name", "global_env"), others=True
)
SUBTENSOR_INDICES = Expected("pytensor.tensor.subtensor", "indices_from_subtensor", ("op_indices", "idx_list"), others=True)


def source_digest(function: Callable[..., Any]) -> str | None:
    """Return the SHA-256 of a function's source; None if there is none to read."""
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()
    except (OSError, TypeError):
        return None


@dataclass(frozen=True)
class Patch:
    """Describe a replacement of something private of PyTensor, Numba or another backend.

    Attributes
    ----------
    module : str
        It is applied when this is imported.
    replaces : str
        Which private thing.
    why : str
        What is wrong or slow without it.
    upstream : str
        A link, or ``"not proposed"`` and the text that would propose it.
    delete_when : str
        When it can go.
    apply : callable
        ``apply(module, changes)`` makes the `Changes`. If it raises, they are undone.
    expects : tuple of Expected
    after : tuple of str
        Names of patches that have to be applied before: this one wraps what they make.
    required : bool
        Without it symae does not compile for the backend: it guards memory.
    tested : str
        With which versions; by default all those of its backend.
    name : str
        As ``SYMAE_PATCHES`` and `symae.patches.status` have it; by default that of the file of `apply`.
    """

    module: str
    replaces: str
    why: str
    upstream: str
    delete_when: str
    apply: Callable[[Any, Changes], None]
    expects: tuple[Expected, ...] = ()
    after: tuple[str, ...] = ()
    required: bool = False
    tested: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.apply.__module__.rpartition(".")[2])
        if not self.tested:
            object.__setattr__(self, "tested", TESTED[self.backend])

    @property
    def backend(self) -> str:
        """The backend that it is for: numba, c, jax, pytorch, mlx; an empty text for PyTensor itself."""
        before, _, rest = self.module.partition("pytensor.link.")
        return "" if before else rest.partition(".")[0]

    def misfit(self) -> str | None:
        """Return why it does not fit what is installed, in words; None if it does."""
        return next(filter(None, (expected.misfit() for expected in self.expects)), None)

    def installed(self) -> str:
        """Return the versions that are installed of what it was tested with."""
        found = []
        for package in (part.split()[0] for part in self.tested.split(";")):
            try:
                found.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                found.append(f"no {package}")
        return ", ".join(found)
