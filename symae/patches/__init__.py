"""Replacements of what PyTensor, Numba and JAX keep to themselves: one file a patch, each with a declaration, `Patch`.

What they are, whether they fit what is installed, and which are on: `status`. They are applied when PyTensor loads the backend
(`symae.patches.registry`); ``SYMAE_PATCHES`` switches them off.
"""

from symae._runtime.package_entries import entries
from symae.errors import InputError
from symae.patches.patch import Expected, Patch
from symae.patches.registry import PatchStates, PatchStatus, Registry, chosen_by_user

__all__ = ["PATCHES", "Expected", "Patch", "PatchStatus", "Registry", "refuse_missing", "status", "summary"]

PATCHES: tuple[Patch, ...] = tuple(entries(__name__, __path__, "PATCH", apart=("changes", "patch", "registry")).values())


def _chosen() -> tuple[Registry, InputError | None]:
    """Return the registry that the user chose, or one of all patches and what is wrong with the choice."""
    try:
        return Registry(PATCHES, chosen_by_user()), None
    except InputError as error:  # importing symae must not raise it: a command says it in a line
        return Registry(PATCHES), error


_registry, _refused = _chosen()
_registry.connect()


def _checked() -> Registry:
    if _refused is not None:
        raise _refused
    return _registry


def status() -> PatchStates:
    """Return what has become of each patch, in the order of their names: a tuple of `PatchStatus`, printed as a table.

    Raises
    ------
    InputError
        ``SYMAE_PATCHES`` names no patch that there is; `symae.function` raises it too.
    """
    return _checked().status()


def summary() -> str:
    """Return how many are applied and waiting, and which ones are not and why, in one line."""
    return _checked().summary()


def refuse_missing(backend: str) -> None:
    """Refuse to go on for `backend` without a patch that it requires, or with a choice of patches that is none.

    Raises
    ------
    BackendError, InputError
    """
    _checked().refuse_missing(backend)
