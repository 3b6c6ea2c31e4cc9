"""Numba optimises a program once, when it is whole.

Numba makes a library of every function: what it calls is linked in, all of it optimised, made machine code of, and kept to be
linked into its callers, where it is optimised again. PyTensor's graphs call hundreds of functions within one another, of which
Python ever calls the outermost alone, so more than half the time of a first start went into machine code that nothing runs.

Within `whole_programs` functions that are compiled for others are lowered and linked, and no more; the outermost is optimised
with everything that it calls. An inner one that Python calls later is finished then; an outermost one that is called with other
arguments later, of another layout or dtype, is compiled for them as it was for the first. The disk's cache keeps inner ones as
bitcode, in Numba's own format, which a process without this module reads too. So does memory: as modules of LLVM, and in the
copies that Numba makes of them for linking, those of a convolutional step are 150 MB, as bitcode 10.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from symae._runtime.interrupts import interrupts_later
from symae._runtime.memory import collect_less_seldom
from symae._runtime.roomy_calls import roomy
from symae.patches.changes import Changes
from symae.patches.patch import Expected, Patch


class _Thread(threading.local):
    """Hold what a thread is compiling: for each function, from the outermost on, whether only others are to call it."""

    def __init__(self) -> None:
        self.active = False
        self.inner: list[bool] = []


_thread = _Thread()


@contextmanager
def whole_programs() -> Iterator[None]:
    """Optimise what Numba compiles in this thread meanwhile once, with all that it calls."""
    before, _thread.active = _thread.active, True
    try:
        yield
    finally:
        _thread.active = before


def compiling_whole_programs() -> bool:
    """Return True within `whole_programs`, where symae compiles."""
    return _thread.active


@dataclass(eq=False, frozen=True)
class _Deferred:
    """Stands where a function's entry point would, for one that has no machine code yet."""

    context: Any
    library: Any
    description: Any
    environment: Any

    def finish(self) -> Any:
        return self.context.get_executable(self.library, self.description, self.environment)


def apply(_: Any, changes: Changes) -> None:
    from numba.core import codegen, cpu, dispatcher

    _connect_libraries(codegen, changes)
    _connect_functions(cpu, dispatcher, changes)
    for kind in (dispatcher.LiftedLoop, dispatcher.LiftedWith, dispatcher.ObjModeLiftedWith):
        _connect_lifted(kind, changes)


def _connect_libraries(codegen: Any, changes: Changes) -> None:
    """Link libraries that are finalized for others; they are optimised and compiled when one asks for machine code."""
    from llvmlite import binding
    from numba.core.environment import lookup_environment

    from symae.kernels import compiled_once

    Library, Native = codegen.CPUCodeLibrary, codegen.JITCodeLibrary
    finalize_now, get_pointer, set_known_env = Library.finalize, Native.get_pointer_to_function, codegen.JITCPUCodegen.set_env
    serialize, unserialize = Library.serialize_using_object_code, Library._unserialize.__func__

    def is_deferred(library: Any) -> bool:
        return getattr(library, "_is_deferred", False)

    def get_module(self: Any) -> Any:
        if self.__dict__["_final_module"] is None:
            self.__dict__["_final_module"] = binding.parse_bitcode(self._bitcode)
        return self.__dict__["_final_module"]

    def set_module(self: Any, module: Any) -> None:
        self.__dict__["_final_module"], self._bitcode = module, None

    def bitcode(library: Any) -> bytes:
        """Return that of a deferred library, all that is kept of its module from now on."""
        if library._bitcode is None:
            library._bitcode = library._final_module.as_bitcode()
        library.__dict__["_final_module"] = None
        return library._bitcode

    def module_to_link(library: Any) -> Any:
        """Return a module that linking may destroy, its functions as `_get_module_for_linking` has them."""
        if not is_deferred(library):
            return library._get_module_for_linking().clone()
        module = binding.parse_bitcode(bitcode(library))
        for function in module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.external:
                function.linkage = "linkonce_odr"
        return module

    def finalize(self: Any) -> None:
        if not _thread.inner:
            finalize_now(self)
            return
        self._raise_if_finalized()
        for linked in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(linked._reload_init)
            self._final_module.link_in(module_to_link(linked))
        defer(self)

    def defer(self: Any) -> None:
        self._finalize_dynamic_globals()
        self._finalized = self._is_deferred = True

    def finish(self: Any) -> None:
        self._is_deferred, self._final_module = False, self._final_module  # its bitcode is no longer what it is
        self._dynamic_globals.clear()  # they are looked for again
        self._optimize_final_module()
        self._final_module.verify()
        compiled_once.complete()
        with interrupts_later():  # Numba is called back by LLVM here, where exceptions are lost, and with them the machine code
            self._finalize_final_module()
        for variable in self._final_module.global_variables:
            # those of the functions linked in, whose own libraries have no machine code in which to set them
            environment = lookup_environment(variable.name)
            if environment is not None:
                self.codegen.set_env(variable.name, environment)

    def get_pointer_to_function(self: Any, name: str) -> int:
        self._ensure_finalized()
        if is_deferred(self):
            finish(self)
        return get_pointer(self, name)

    def set_env(self: Any, env_name: str, env: Any) -> None:
        if self._engine.get_global_value_address(env_name):  # else what is finished later sets it
            set_known_env(self, env_name, env)

    def serialize_using_object_code(self: Any) -> tuple[str, str, Any]:
        if is_deferred(self):
            return self.name, "bitcode", bitcode(self)
        state = serialize(self)
        self._shared_module = None  # made once more if it is linked
        return state

    def _unserialize(cls: Any, codegen: Any, state: tuple[str, str, Any]) -> Any:
        name, kind, data = state
        if kind != "bitcode":
            compiled_once.complete()
            return unserialize(cls, codegen, state)
        library = codegen.create_library(name)
        library._final_module = binding.parse_bitcode(data)
        defer(library)
        return library

    for owner, function in (
        (Library, finalize),
        (Library, serialize_using_object_code),
        (Native, get_pointer_to_function),
        (codegen.JITCPUCodegen, set_env),
    ):
        changes.replace(owner, function.__name__, function)
    changes.replace(Library, "_unserialize", classmethod(_unserialize))
    changes.replace(compiled_once, "can_wait", lambda: bool(_thread.inner))
    changes.replace(Library, "_bitcode", None)
    changes.replace(Library, "_final_module", property(get_module, set_module))


def _connect_functions(cpu: Any, dispatcher: Any, changes: Changes) -> None:
    """Leave functions that are compiled for others without an entry point until Python calls them."""
    Base, Dispatcher = dispatcher._DispatcherBase, dispatcher.Dispatcher
    get_executable_now, add_callable, compile_now = cpu.CPUContext.get_executable, Base.add_overload, Dispatcher.compile
    compile_outermost = roomy(compile_now)
    compile_at_call = Base._compile_for_args

    def get_executable(self: Any, library: Any, fndesc: Any, env: Any) -> Any:
        if _thread.inner and _thread.inner[-1]:
            library._ensure_finalized()  # it knows then what those that are linked in need before they run
            return _Deferred(self, library, fndesc, env)
        return get_executable_now(self, library, fndesc, env)

    def add_overload(self: Any, cres: Any) -> None:
        if isinstance(cres.entry_point, _Deferred):
            self.overloads[tuple(cres.signature.args)] = cres
        else:
            add_callable(self, cres)

    def compile(self: Any, sig: Any) -> Any:
        compile_it = compile_now if _thread.inner else compile_outermost
        if not _thread.inner and not _thread.active:
            entry = compile_it(self, sig)
        else:
            if not _thread.inner:
                self._is_whole_program = True
            else:  # the outermost was not on the disk
                collect_less_seldom()
            _thread.inner.append(bool(_thread.inner))
            try:
                entry = compile_it(self, sig)
            finally:
                _thread.inner.pop()
        if _thread.inner or not isinstance(entry, _Deferred):
            return entry
        (result,) = (r for r in self.overloads.values() if r.entry_point is entry)
        result = result._replace(entry_point=entry.finish())
        self.targetctx.insert_user_function(result.entry_point, result.fndesc, [result.library])
        self.add_overload(result)
        return result.entry_point

    def _compile_for_args(self: Any, *arguments: Any, **named: Any) -> Any:
        with whole_programs() if getattr(self, "_is_whole_program", False) else nullcontext():
            return compile_at_call(self, *arguments, **named)

    for owner, function in (
        (cpu.CPUContext, get_executable),
        (Base, add_overload),
        (Base, _compile_for_args),
        (Dispatcher, compile),
    ):
        changes.replace(owner, function.__name__, function)


def _connect_lifted(kind: Any, changes: Changes) -> None:
    """Call parts of functions that are compiled apart, those in object mode before all, by their address."""
    compile_now = kind.compile

    def compile(self: Any, sig: Any) -> Any:
        if not _thread.inner:
            return compile_now(self, sig)
        _thread.inner.append(False)
        try:
            return compile_now(self, sig)
        finally:
            _thread.inner.pop()

    changes.replace(kind, "compile", compile)


_CODEGEN, _DISPATCHER = "numba.core.codegen", "numba.core.dispatcher"

_STEPS = ("_finalize_dynamic_globals", "_finalize_final_module", "_optimize_final_module", "_get_module_for_linking")

PATCH = Patch(
    module="pytensor.link.numba.dispatch.basic",
    replaces="twelve methods of Numba's libraries, contexts and dispatchers (see expects)",
    why="first starts take more than twice as long: each inner function is optimised and made machine code of by itself",
    upstream="not proposed: a compiler option that says a function is called by other compiled functions alone, so that its "
    "library is linked into its callers before it is optimised, and machine code is made only when Python asks for "
    "the entry point; the functions here show where (CPUCodeLibrary.finalize, CPUContext.get_executable, "
    "_DispatcherBase.add_overload).",
    delete_when="Numba optimises inner functions once, with their callers",
    apply=apply,
    expects=(
        Expected(f"{_CODEGEN}:CPUCodeLibrary", "finalize", ("self",), sources=("4b4c34b83488a72f",)),
        Expected(f"{_CODEGEN}:CPUCodeLibrary", "serialize_using_object_code", ("self",)),
        Expected(f"{_CODEGEN}:CPUCodeLibrary", "serialize_using_bitcode", ("self",)),
        Expected(f"{_CODEGEN}:CPUCodeLibrary", "_unserialize", ("cls", "codegen", "state"), sources=("c83d278d993487f3",)),
        *(Expected(f"{_CODEGEN}:CPUCodeLibrary", name, ("self",)) for name in _STEPS),
        *(Expected(f"{_CODEGEN}:CodeLibrary", name, ("self",)) for name in ("_ensure_finalized", "_raise_if_finalized")),
        Expected(f"{_CODEGEN}:JITCodeLibrary", "get_pointer_to_function", ("self", "name")),
        Expected(f"{_CODEGEN}:JITCPUCodegen", "set_env", ("self", "env_name", "env")),
        Expected("numba.core.cpu:CPUContext", "get_executable", ("self", "library", "fndesc", "env")),
        Expected("numba.core.base:BaseContext", "insert_user_function", ("self", "func", "fndesc", "libs")),
        Expected("numba.core.environment", "lookup_environment", ("env_name",)),
        Expected(f"{_DISPATCHER}:_DispatcherBase", "add_overload", ("self", "cres")),
        Expected(f"{_DISPATCHER}:_DispatcherBase", "_compile_for_args", ("self", "args", "kws")),
        *(
            Expected(f"{_DISPATCHER}:{kind}", "compile", ("self", "sig"))
            for kind in ("Dispatcher", "LiftedLoop", "LiftedWith", "ObjModeLiftedWith")
        ),
    ),
)
