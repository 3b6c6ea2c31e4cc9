"""What is kept on the disk by PyTensor of a function depends on the patches that it was compiled with."""

from __future__ import annotations

from typing import Any

from symae.kernels.fingerprint import fingerprint
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    from pytensor.link.numba.cache import NumbaPyTensorCacheLocator

    stock = NumbaPyTensorCacheLocator.get_disambiguator

    def get_disambiguator(self: Any) -> str:
        return f"{stock(self)}-{fingerprint()[:16]}"

    changes.replace(NumbaPyTensorCacheLocator, "get_disambiguator", get_disambiguator)


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="pytensor.link.numba.cache.NumbaPyTensorCacheLocator.get_disambiguator",
    why="a process without symae or with other patches loads machine code of this one, and may miss modules of symae",
    upstream="not proposed: PyTensor's key of cached machine code could take a salt that extensions register, as their "
    "conversions and patches are part of what was compiled.",
    delete_when="PyTensor's cache takes a salt",
    apply=apply,
    expects=(Expected("pytensor.link.numba.cache:NumbaPyTensorCacheLocator", "get_disambiguator", ("self",)),),
)
