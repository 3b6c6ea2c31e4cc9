"""PyTensor reads the C code of an operation once, and not for each operation that it makes."""

from __future__ import annotations

from typing import Any

from pytensor.link.c.op import ExternalCOp

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    read = ExternalCOp.load_c_code
    known: dict[Any, tuple[list[str], dict[str, str]]] = {}

    def load_c_code(self: Any, func_files: Any) -> None:
        if not type(self).__module__.startswith("pytensor."):
            read(self, func_files)  # a user's, who may write another file
            return
        key = (type(self), *func_files)
        if key not in known:
            read(self, func_files)
            known[key] = list(self.func_codes), dict(self.code_sections)
        codes, sections = known[key]
        self.func_codes, self.code_sections = list(codes), dict(sections)

    changes.replace(ExternalCOp, "load_c_code", load_c_code)


PATCH = Patch(
    module="pytensor.tensor.elemwise",
    replaces="pytensor.link.c.op.ExternalCOp.load_c_code",
    why="each DimShuffle reads a file: a twentieth of the time in which a graph is made and compiled",
    upstream="not proposed: DimShuffle of PyTensor 3.3 is no ExternalCOp any more.",
    delete_when="symae no longer supports PyTensor before 3.3",
    apply=apply,
    expects=(Expected("pytensor.link.c.op:ExternalCOp", "load_c_code", ("self", "func_files")),),
)
