"""Machine code that is kept on the disk, beside Numba's, for as long as symae's kernels and the processor are the same.

A file's name has a digest of what all of a process depend on. Those with another one, of other releases, say, are removed when
nobody has read them for a month.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numba
from llvmlite import binding, ir
from numba.core.registry import cpu_target
from pytensor import config

from symae._runtime.checked_files import read_checked, remove_unread, write_checked
from symae.kernels.fingerprint import fingerprint
from symae.kernels.machine_code import named, target


def define_kept(names: Sequence[str], make: Callable[[], ir.Module]) -> dict[str, int]:
    """Make machine code of the module that `make` makes, which refers to no address; other code finds it by the names.

    It is optimised for this processor, and kept.
    """
    file = kept_file(names[0])
    code = read_kept(file)
    if code is None:
        module, machine = binding.parse_assembly(str(make())), _machine()
        options = binding.create_pipeline_tuning_options(speed_level=2)
        options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
        passes = binding.create_pass_builder(machine, options)
        passes.getModulePassManager().run(module, passes)
        code = machine.emit_object(module)
        keep(file, code)
    return load(code, names)


def kept_file(name: str, variant: str = "") -> Path:
    """Return where the machine code of that name is kept, for this processor and these sources."""
    digest = _digest()
    of_this = hashlib.sha256(f"{digest} {variant}".encode()).hexdigest()[:32]
    return Path(config.base_compiledir) / "numba" / f"{name}-{digest[:16]}-{of_this}.o"


def read_kept(file: Path) -> bytes | None:
    """Return what is in a file; None if it is not there, or damaged: LLVM would end the process."""
    content = read_checked(file)
    return None if content is None else bytes(content)


def keep(file: Path, code: bytes) -> None:
    """Write a file that `read_kept` reads. Of a disk that is full or read-only only the next start has to know."""
    if write_checked(file, code):
        _remove_unread(file.parent, f"-{_digest()[:16]}-")


@functools.cache
def _remove_unread(folder: Path, digest: str) -> None:
    """Remove the files of other digests that nobody has read for long, once a process."""
    with contextlib.suppress(OSError):
        remove_unread(path for path in folder.glob("symae_*.o") if digest not in path.name)


def load(code: bytes, names: Sequence[str]) -> dict[str, int]:
    """Load an object file, and let other code find its functions by the names. Returns their addresses."""
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    return named(engine, names)


def _machine() -> binding.TargetMachine:
    _, processor, features = cpu_target.target_context.codegen().magic_tuple()
    return target().create_target_machine(cpu=processor, features=features, opt=2)


def _digest() -> str:
    """Return a digest of what machine code depends on."""
    settings = numba.config.NUMBA_NUM_THREADS, numba.config.OPT, numba.config.BOUNDSCHECK
    machine = cpu_target.target_context.codegen().magic_tuple()
    described = sys.version_info[:2], numba.__version__, settings, machine, fingerprint()
    return hashlib.sha256(repr(described).encode()).hexdigest()
