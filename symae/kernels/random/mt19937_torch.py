"""Masks of NumPy's streams for PyTorch, by machine code that the compiler of its programs makes of ``mt19937.h``.

NumPy draws doubles and compares them, and takes a fifth of a millisecond for a minibatch's mask; here whole numbers are
compared, many at a time. The machine code is made once, by a thread, and kept on the disk. Where there is none, or not yet,
NumPy draws: the bits are the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytensor import config

from symae._runtime.atomic_files import replacing
from symae.errors import UnwritableError
from symae.kernels import header
from symae.kernels.random.bernoulli import bernoulli_threshold

_log = logging.getLogger("symae.kernels.random.mt19937_torch")

TYPES = {"float32": "float", "float64": "double", "int64": "int64_t", "int8": "int8_t"}
STATE_SIZE = 628

_FUNCTION = """
extern "C" int symae_mask_{dtype}(
    const uint32_t *before, uint32_t *after, int64_t most, int likely, {type} *out, int64_t size
) {{
    if (before[MT_POSITION] > MT_N || before[MT_POSITION] % 2) return 0;
    memcpy(after, before, MT_STATE * sizeof(*after));
    mt_compared<{type}>(after, most, ({type})likely, ({type})(1 - likely), out, size);
    return 1;
}}
"""
# what PyTorch itself finds out about the processor
_FLAGS = {
    "AVX2": ("-mavx2", "-mfma"),
    "AVX512": ("-mavx2", "-mfma", "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mprefer-vector-width=512"),
}
_SECONDS = 60.0  # that a compiler may take


class Masks:
    """Draw masks, once there is machine code for it."""

    def __init__(self, file: Path, words: Sequence[str], source: str):
        self._functions: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        if file.exists():
            self._load(file)
        if not self._functions:
            self._thread = threading.Thread(target=self._make, args=(file, words, source), daemon=True)
            self._thread.start()

    def wait(self) -> bool:
        """Wait for the compiler; return True if there is machine code then."""
        if self._thread is not None:
            self._thread.join(_SECONDS)
        return bool(self._functions)

    def draw(self, state: torch.Tensor, size: Sequence[int], p: float, dtype: str) -> tuple[torch.Tensor, torch.Tensor] | None:
        """Return the state after a mask, and the mask of that size and dtype; None if NumPy has to draw it."""
        function, compared = self._functions.get(dtype), _compared(p)
        if function is None or compared is None or state.numel() != STATE_SIZE or not state.is_contiguous():
            return None
        after, out = torch.empty_like(state), torch.from_numpy(np.empty(tuple(size), dtype))
        done = function(state.data_ptr(), after.data_ptr(), *compared, out.data_ptr(), out.numel())
        return (after, out) if done else None

    def _make(self, file: Path, words: Sequence[str], source: str) -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            text, library = Path(name) / "masks.cpp", Path(name) / "masks.so"
            try:
                text.write_text(source, encoding="utf-8")
                command = [*words, "-o", str(library), str(text)]
                made = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
                if made.returncode:
                    _log.info("NumPy draws the masks, for a compiler has refused them: %s", made.stderr.strip()[:500])
                    return
                code = library.read_bytes()
            except (OSError, subprocess.TimeoutExpired) as error:
                _log.info("NumPy draws the masks: %s", error)
                return
            with contextlib.suppress(UnwritableError, OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                with replacing(file) as opened:
                    opened.write(code)
                library = file
            self._load(library)

    def _load(self, file: Path) -> None:
        try:
            library = ctypes.CDLL(str(file))
            functions = {dtype: getattr(library, f"symae_mask_{dtype}") for dtype in TYPES}
        except (OSError, AttributeError) as error:
            _log.info("NumPy draws the masks: %s", error)
            return
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        for function in functions.values():
            function.argtypes, function.restype = [pointer, pointer, number, ctypes.c_int, pointer, number], ctypes.c_int
        self._functions = functions


@functools.cache
def masks() -> Masks | None:
    """Return what draws masks in this process, from the first call on being made; None where it cannot be."""
    recipe = compiler_and_source()
    if recipe is None:
        return None
    digest = hashlib.sha256(repr((recipe, sys.platform, os.uname().machine)).encode()).hexdigest()[:32]
    return Masks(Path(config.base_compiledir) / "torch" / f"symae_masks-{digest}.so", *recipe)


def compiler_and_source() -> tuple[list[str], str] | None:
    """Return the words that call the compiler, but for the files, and the source; None where there is no compiler."""
    if sys.byteorder != "little" or os.name != "posix":
        return None
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        compiler = get_cpp_compiler()
    except RuntimeError:
        return None
    flags = _FLAGS.get(torch.backends.cpu.get_cpu_capability(), ())
    source = header("random/mt19937.h") + "".join(_FUNCTION.format(dtype=dtype, type=name) for dtype, name in TYPES.items())
    return [compiler, "-O3", *flags, "-ffp-contract=off", "-fPIC", "-shared"], source


@functools.lru_cache(64)
def _compared(p: float) -> tuple[int, int] | None:
    """Return the largest numerator for the likelier value, and that value; None where a search might start again."""
    most = bernoulli_threshold(p)
    return None if most is None else (most, int(p > 0.5))
