"""Numba does without what nobody reads, while symae compiles: a sixth of what compiling takes.

The machine code is the same. Left out are

- the events of LLVM's lock, two for each of some ten thousand calls of LLVM, which all timers of the functions being compiled
  hear, and how LLVM's time is divided among functions is all that comes of it;
- passes over functions that a module only declares, four of five, and that have nothing to be optimised;
- the entry points for C of functions that Python can't call either;
- what is live at the beginning of each block, after each pass that changes blocks: generators and object mode alone read it;
- modules of LLVM made to ask for the size of a type that was asked for before.
"""

from __future__ import annotations

from typing import Any

from symae.patches.changes import Changes
from symae.patches.numba_deferred_codegen import compiling_whole_programs
from symae.patches.patch import Expected, Patch

_LOCK = "numba:llvm_lock"


def apply(_: Any, changes: Changes) -> None:
    from numba.core import base, codegen, event, lowering, postproc

    _leave_out_events(event, changes)
    _leave_out_declarations(codegen, changes)
    _leave_out_entries(lowering, changes)
    _leave_out_liveness(postproc, changes)
    _remember_sizes(base, changes)


def _leave_out_events(event: Any, changes: Changes) -> None:
    def silent(send: Any) -> Any:
        def send_unless_of_lock(kind: Any, *details: Any, **named: Any) -> None:
            if kind != _LOCK or not compiling_whole_programs():
                send(kind, *details, **named)

        return send_unless_of_lock

    for name in ("start_event", "end_event"):
        changes.replace(event, name, silent(vars(event)[name]))


def _leave_out_declarations(codegen: Any, changes: Changes) -> None:
    optimize_all = codegen.CPUCodeLibrary._optimize_functions

    def _optimize_functions(self: Any, ll_module: Any) -> None:
        if not compiling_whole_programs():
            optimize_all(self, ll_module)
            return
        ll_module.data_layout = self._codegen._data_layout
        for function in ll_module.functions:
            if not function.is_declaration:
                passes, builder = self._codegen._function_pass_manager()
                with self._recorded_timings.record(f"Function passes on {function.name!r}", builder):
                    passes.run(function, builder)

    changes.replace(codegen.CPUCodeLibrary, "_optimize_functions", _optimize_functions)


def _leave_out_entries(lowering: Any, changes: Changes) -> None:
    create = lowering.BaseLower.create_cfunc_wrapper

    def create_cfunc_wrapper(self: Any) -> None:
        asked_for = self.flags.is_set("no_cfunc_wrapper")  # by numba.cfunc, say
        if asked_for or not self.flags.no_cpython_wrapper or not compiling_whole_programs():
            create(self)

    changes.replace(lowering.BaseLower, "create_cfunc_wrapper", create_cfunc_wrapper)


def _leave_out_liveness(postproc: Any, changes: Changes) -> None:
    run_all = postproc.PostProcessor.run

    def run(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
        function = self.func_ir
        if emit_dels or function.is_generator or not compiling_whole_programs():
            run_all(self, emit_dels, extend_lifetimes)
            return
        function.blocks = postproc.transforms.canonicalize_cfg(function.blocks)
        function.variable_lifetime = postproc.VariableLifetime(function.blocks)  # found out when it is asked for
        function.generator_info = None

    changes.replace(postproc.PostProcessor, "run", run)


def _remember_sizes(base: Any, changes: Changes) -> None:
    ask = base.BaseContext.get_abi_sizeof

    def get_abi_sizeof(self: Any, ty: Any) -> int:
        text = str(ty)
        if "%" in text:  # a name, which may stand for something else in another module
            return ask(self, ty)
        sizes = vars(self).setdefault("_sizes_of_types", {})
        if text not in sizes:
            sizes[text] = ask(self, ty)
        return sizes[text]

    changes.replace(base.BaseContext, "get_abi_sizeof", get_abi_sizeof)


_LIBRARY, _POSTPROC = "numba.core.codegen:CPUCodeLibrary", "numba.core.postproc"

PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="start_event and end_event of numba.core.event; CPUCodeLibrary._optimize_functions, "
    "BaseLower.create_cfunc_wrapper, PostProcessor.run and BaseContext.get_abi_sizeof of numba.core",
    why="compiling takes a fifth longer, for events, entry points and lists that nobody reads",
    upstream="not proposed: five changes that each stand alone. Send events of the LLVM lock only where somebody listens; skip "
    "`func.is_declaration` in CPUCodeLibrary._optimize_functions; let _overload_default_jit_options have no_cfunc_wrapper "
    "too; compute block_entry_vars in PostProcessor.run for generators and with emit_dels only; keep the answers of "
    "BaseContext.get_abi_sizeof.",
    delete_when="Numba leaves these out itself",
    apply=apply,
    expects=(
        Expected("numba.core.event", "start_event", ("kind", "data")),
        Expected("numba.core.event", "end_event", ("kind", "data", "exc_details")),
        Expected(_LIBRARY, "_optimize_functions", ("self", "ll_module"), sources=("9439219fa946f1ad",)),
        Expected("numba.core.lowering:BaseLower", "create_cfunc_wrapper", ("self",)),
        Expected(f"{_POSTPROC}:PostProcessor", "run", ("self", "emit_dels", "extend_lifetimes"), sources=("e1a8e77d6f179cfd",)),
        Expected(_POSTPROC, "VariableLifetime"),
        Expected("numba.core.base:BaseContext", "get_abi_sizeof", ("self", "ty")),
    ),
)
