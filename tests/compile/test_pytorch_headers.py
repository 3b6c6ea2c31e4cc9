"""What the compiler of C++ does once for all programs of PyTorch begins before the first one is there to be compiled."""

from __future__ import annotations

import contextlib
import threading

import pytest
from backend_params import on


@pytest.fixture(params=[on("pytorch")])
def cache(request, monkeypatch):
    pytest.importorskip("torch")
    from torch._inductor.codecache import CppPythonBindingsCodeCache

    from symae.compile.pytorch_headers import compile_headers_ahead

    compile_headers_ahead.cache_clear()
    monkeypatch.setattr(CppPythonBindingsCodeCache, "cache", {})  # what programs of other tests have left
    yield CppPythonBindingsCodeCache
    compile_headers_ahead.cache_clear()


def test_headers_are_compiled_once_and_under_the_settings_of_programs(cache, monkeypatch):
    from torch._inductor import config

    from symae.compile.pytorch_headers import compile_headers_ahead

    seen = []

    def compiled(arguments, code):
        seen.append((threading.current_thread(), config.cpp.vec_isa_ok, config.size_asserts))

    monkeypatch.setattr(cache, "load_pybinding_async", compiled)
    before = config.cpp.vec_isa_ok, config.size_asserts
    settings = {"cpp.vec_isa_ok": True, "size_asserts": False}
    thread = compile_headers_ahead(**settings)
    assert compile_headers_ahead(**settings) is thread
    thread.join()
    assert seen == [(thread, True, False)]
    assert (config.cpp.vec_isa_ok, config.size_asserts) == before


def test_the_headers_are_those_that_programs_are_compiled_with(cache, monkeypatch):
    from torch._inductor import codecache

    from symae.compile.pytorch_headers import compile_headers_ahead

    asked = []
    monkeypatch.setattr(codecache, "_precompile_header", lambda *given, **command: asked.append((given, command)) or "")
    thread = compile_headers_ahead(size_asserts=False)
    thread.join()
    # a program with two arguments
    cache.load_pybinding_async(["float*", "long"], 'extern "C" void kernel(float* x, long n) {}')
    one, other = asked
    assert one == other


def test_nothing_is_compiled_ahead_where_settings_are_the_whole_process_s(cache, monkeypatch):
    from torch._inductor import config

    from symae.compile.pytorch_headers import compile_headers_ahead

    class OfTheProcess:
        size_asserts = True

        def patch(self, changes=None, **named):
            return monkeypatch_of(self, changes or named)

    @contextlib.contextmanager
    def monkeypatch_of(settings, changes):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in changes.items():
                patch.setattr(settings, name, value)
            yield

    seen = []
    monkeypatch.setattr(cache, "load_pybinding_async", lambda *given: seen.append(given))
    monkeypatch.setattr("torch._inductor.config", OfTheProcess())
    compile_headers_ahead(size_asserts=False).join()
    assert not seen
    monkeypatch.setattr("torch._inductor.config", config)
    compile_headers_ahead.cache_clear()
    compile_headers_ahead(size_asserts=False).join()
    assert seen


def test_what_goes_wrong_there_is_left_to_pytorch(cache, monkeypatch):
    from symae.compile.pytorch_headers import compile_headers_ahead

    def broken(arguments, code):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(cache, "load_pybinding_async", broken)
    compile_headers_ahead(size_asserts=False).join()  # pytest fails where a thread raises
