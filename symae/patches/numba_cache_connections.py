"""What machine code needs before it runs is kept with all that it becomes a part of.

Machine code on the disk may have functions that are called first when it is read: they name the symbols that it refers to, or
start threads. Numba hands them on from a function to those that it is linked into, but forgets them when it reads the function
from the disk. A caller that is compiled with such a function, kept, and read by a third process may call what has no address
there.
"""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


def apply(_: Any, changes: Changes) -> None:
    from numba.core.compiler import CompileResult

    stock = CompileResult._rebuild.__func__

    def _rebuild(cls: Any, *given: Any) -> Any:
        result = stock(cls, *given)
        result.library._reload_init.update(result.reload_init)
        return result

    changes.replace(CompileResult, "_rebuild", classmethod(_rebuild))


PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="numba.core.compiler.CompileResult._rebuild",
    why="a process ends by a signal that reads a graph which another one compiled with parts from the disk",
    upstream="not proposed: CompileResult._rebuild should put reload_init into library._reload_init, from where finalize of "
    "what links it takes it.",
    delete_when="numba.core.compiler.CompileResult._rebuild does so",
    apply=apply,
    expects=(
        Expected(
            "numba.core.compiler:CompileResult",
            "_rebuild",
            ("cls", "target_context", "libdata", "reload_init"),
            others=True,
        ),
    ),
)
