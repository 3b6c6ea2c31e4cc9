"""What a pickle may do to what it names: keep it and build objects of it, and nothing else.

All pickles here are harmless: had they been obeyed, a text would be printed, an attribute be set, or some megabytes be claimed.
"""

from __future__ import annotations

import collections
import contextlib
import copyreg
import io
import os
import pickle
import tracemalloc
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symae.errors import InputError
from symae.legacy.pickles import loads
from symae.legacy.shims.pickling import restricted

MAIN = b"c__main__\n"


class Layer:
    """A class of the script's."""

    def __init__(self, width: int = 3):
        self.width = width


class Slotted:
    """Its state is in slots, except for what a property keeps."""

    __slots__ = ("_seen", "height")

    @property
    def seen(self) -> Any:
        return self._seen

    @seen.setter
    def seen(self, value: Any) -> None:
        called.append(value)


class Rows(list[Any]):
    """A container of the script's."""


class Called:
    """Its objects can be called, and have items to append."""

    def __call__(self, *values: Any) -> None:
        called.extend(values)

    def append(self, value: Any) -> None:
        called.append(value)


def activation(*values: Any) -> None:
    """Record a call of a function of the script's."""
    called.append(values)


called: list[Any] = []


@pytest.fixture
def modules() -> dict[str, ModuleType]:
    """Make the script's own module; afterwards its classes are as they were, and nothing has been called."""
    main = ModuleType("__main__")
    for thing in (Layer, Slotted, Rows, Called, activation):
        thing.__module__ = "__main__"
        setattr(main, thing.__name__, thing)
    called.clear()
    return {"__main__": main}


SLOT_STATE = b"(N(S'marked'\nI1\ndtb."  # (None, {'marked': 1})


@pytest.mark.parametrize("named", ["__main__\nLayer", "__main__\nactivation", "collections\nCounter", "numpy\nndarray",
                                   "symae.theano\nIn", "pytensor.tensor.type\nTensorType", "_codecs\nencode",
                                   "copy_reg\n_reconstructor", "theano.tensor.elemwise\nElemwise"])  # fmt: skip
@pytest.mark.parametrize("state", [SLOT_STATE, b"(S'marked'\nI1\ndb.", b"S'marked'\nI1\ns.", b"I1\na.", b"(I1\nI2\ne."])
def test_what_a_name_stands_for_is_not_changed(modules, named, state):
    with pytest.raises(InputError, match="a pickle that changes"):
        loads(b"c" + named.encode() + b"\n" + state, modules)
    assert not hasattr(Layer, "marked")
    assert not hasattr(activation, "marked")
    assert not hasattr(collections.Counter, "marked")


def _code(*parts: bytes) -> bytes:
    return b"".join(parts) + b"."


NEW_LAYER = MAIN + b"Layer\n)\x81"
KEEP = b"q\x00"
FUNCTION = MAIN + b"activation\n"


@pytest.mark.parametrize(
    "pickled",
    [
        # an object's own attribute in the place of the method that an instruction calls
        _code(NEW_LAYER, b"}U\x0c__setstate__", FUNCTION, b"sb", b"(I1\ntb"),
        _code(NEW_LAYER, b"}U\x06append", FUNCTION, b"sb", b"I1\na"),
        _code(NEW_LAYER, b"}U\x06extend", FUNCTION, b"sb", b"(I1\ne"),
        _code(NEW_LAYER, b"}U\x03add", FUNCTION, b"sb", b"(I1\n\x90"),
        _code(NEW_LAYER, b"}U\x07__new__", FUNCTION, b"sb", b")\x81"),
        _code(b"ccopy_reg\n__newobj__\n", NEW_LAYER, b"}U\x07__new__", FUNCTION, b"sb", b"\x85R"),
        _code(b"ccopy_reg\n_reconstructor\n", NEW_LAYER, b"}U\x07__new__", FUNCTION, b"sb", KEEP, b"h\x00N\x87R"),
        # functions, and objects that can be called
        _code(FUNCTION, b"I1\n\x85R"),
        _code(b"(", FUNCTION, b"I1\no"),
        b"(I1\ni__main__\nactivation\n.",
        _code(MAIN, b"Called\n)\x81", b"I1\n\x85R"),
        _code(b"(", MAIN, b"Called\n)\x81", b"I1\no"),
        # a property is a function of the script's; __class__ is another class's methods
        _code(MAIN, b"Slotted\n)\x81", b"N}U\x04seenI1\ns\x86b"),
        _code(NEW_LAYER, b"N}U\x09__class__", MAIN, b"Called\ns\x86b"),
        # a class made of the script's functions
        _code(b"cpytensor.graph.utils\nMetaType\n", b"(U\x01X)}U\x0c__setstate__", FUNCTION, b"stR"),
        _code(b"cpytensor.graph.utils\nMetaType\n", b"(U\x01X)}U\x0c__setstate__", FUNCTION, b"st\x81"),
        _code(b"ccopy_reg\n__newobj__\n(cpytensor.graph.utils\nMetaType\nU\x01X)}tR"),
    ],
)
def test_the_scripts_functions_are_not_called(modules, pickled):
    with pytest.raises((InputError, TypeError), match=r"a pickle that (calls|makes|sets|asks)|cannot convert"):
        loads(pickled, modules)
    assert called == []


BIG = 50_000_000  # bytes or elements: had they been claimed, the test's process would have had room


@pytest.mark.parametrize(
    "pickled",
    [
        b"c__builtin__\nbytearray\n(I%d\ntR." % BIG,
        b"c__builtin__\nbytes\n(I%d\ntR." % BIG,
        b"c__builtin__\nlist\n(c__builtin__\nxrange\n(I%d\ntRtR." % BIG,
        b"c__builtin__\nset\n(c__builtin__\nxrange\n(I%d\ntRtR." % BIG,
        b"ccollections\ndeque\n(c__builtin__\nxrange\n(I%d\ntRtR." % BIG,
        b"ccopy_reg\n_reconstructor\n(c__main__\nRows\nc__builtin__\nlist\nc__builtin__\nxrange\n(I%d\ntRtR." % BIG,
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I%d\ntS'b'\ntR." % BIG,
        b"cnumpy\nndarray\n(I%d\ntR." % BIG,
        b"cnumpy\nndarray\n((I%d\nttR." % BIG,
        b"cnumpy\nndarray\n(I%d\nt\x81." % BIG,
        b"cnumpy\nmatrix\n((I1\nI%d\nttR." % BIG,
        b"cnumpy\nvoid\n(I%d\ntR." % BIG,
        b"cscipy.sparse\ncsr_matrix\n((I%d\nI1\nttR." % BIG,
        b"c__builtin__\ngetattr\n(" + b")" + b"2\x86" * 22 + b"S'a'\ntR.",
        b"c__builtin__\nstr\n(" + b")" + b"2\x86" * 22 + b"tR.",
        b"T" + BIG.to_bytes(4, "little") + b"a.",
        b"\x8e" + BIG.to_bytes(8, "little") + b"a.",
        b"\x96" + BIG.to_bytes(8, "little") + b"a.",
        b"\x95" + BIG.to_bytes(8, "little") + b"N.",
        b"\x8b" + BIG.to_bytes(4, "little") + b"a.",
        b"Nr" + BIG.to_bytes(4, "little") + b".",
        b"(" + b"c__builtin__\nlist\nc__builtin__\nxrange\nI90000\n\x85R\x85R" * 200 + b"t.",
    ],
)  # fmt: skip
def test_a_few_bytes_claim_no_memory(modules, pickled):
    tracemalloc.start()
    try:
        with contextlib.suppress(InputError, pickle.UnpicklingError):
            loads(pickled, modules)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < BIG / 2


def test_a_pickle_opens_no_file(modules, tmp_path):
    array = np.memmap(tmp_path / "x", mode="w+", shape=(2,))
    for pickled in (b"cnumpy\nmemmap\n.", b"cnumpy.core.memmap\nmemmap\n.", pickle.dumps(array, 2)):
        with pytest.raises(InputError, match="memmap"):
            loads(pickled, modules)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_scripts_store_comes_back(modules, protocol):
    layer, slotted, rows = Layer(), Slotted(), Rows([1, [2]])
    layer.f, slotted.height, rows.name = activation, 7, "rows"  # type: ignore[attr-defined]
    counted = collections.Counter("aab")
    values = [layer, rows, counted, {1, 2}, bytearray(b"ab"), b"", b"\xe9", "é", 2**70, np.arange(6.0).reshape(2, 3).T,
              np.float32(2), np.ma.masked_array([1, 2], [True, False]), np.array(["a"]), np.array([layer, None]),
              collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), np.dtype("f4"), np.ndarray,
              *([slotted] if protocol > 1 else [])]  # fmt: skip
    read = loads(_dumped(values, modules, protocol), modules)
    assert (read[0].width, read[0].f, read[1], read[1].name, read[2]) == (3, activation, [1, [2]], "rows", counted)
    assert read[3:9] == values[3:9]
    for one, other in zip(read[9:13], values[9:13], strict=True):
        np.testing.assert_array_equal(one, other)
    assert isinstance(read[13][0], Layer)
    assert read[14:18] == values[14:18]
    if protocol > 1:
        assert read[18].height == 7


def _dumped(value: Any, modules: dict[str, ModuleType], protocol: int) -> bytes:
    """Pickle a value as the script would write it: its module is found under ``__main__``."""
    import sys

    buffer, before = io.BytesIO(), sys.modules["__main__"]
    sys.modules["__main__"] = modules["__main__"]
    try:
        pickle.Pickler(buffer, protocol).dump(value)
    finally:
        sys.modules["__main__"] = before
    return buffer.getvalue()


def test_pickles_one_after_the_other_in_a_file(modules):
    from symae.legacy.pickles import load

    file = io.BytesIO(pickle.dumps(1, 2) + pickle.dumps(np.arange(3), 4) + pickle.dumps([2], 0))
    assert [load(file, modules), load(file, modules).tolist(), load(file, modules)] == [1, [0, 1, 2], [2]]
    with pytest.raises(EOFError):
        load(file, modules)


def test_a_registered_extension_is_a_name_like_others(modules):
    copyreg.add_extension("os", "getcwd", 240)
    try:
        with pytest.raises(InputError, match=r"asks for os\.getcwd"):
            loads(b"\x82\xf0.", modules)
    finally:
        copyreg.remove_extension("os", "getcwd", 240)


def test_expressions_that_an_earlier_symae_pickled_come_back(modules):
    """Its modules lay elsewhere; classes are the same."""
    import symae.theano as theano
    from symae import RandomStreams

    x = theano.shared(np.arange(3.0), name="x")
    pickled = pickle.dumps([x, x * RandomStreams(1).uniform(size=(3,))], protocol=2)
    for new, old in ((b"symae.theano._impl.variables", b"symae.theano.variables"), (b"symae.ops.random.", b"symae.ops.")):
        assert new in pickled
        pickled = pickled.replace(new, old)
    again, _ = loads(pickled, modules)
    np.testing.assert_array_equal(again.get_value(), np.arange(3.0))


@pytest.fixture
def unpicklers(modules) -> Any:
    """Return the class that scripts find as ``pickle.Unpickler``."""
    return restricted(SimpleNamespace(modules=modules)).Unpickler


def test_a_scripts_unpickler_gives_old_names_their_new_meaning(modules, unpicklers):
    class Renaming(unpicklers):
        def find_class(self, module, name):
            return super().find_class("__main__" if module == "old_layers" else module, name)

    written = _dumped(Layer(7), modules, 2).replace(b"__main__", b"old_layers")
    assert Renaming(io.BytesIO(written)).load().width == 7


@pytest.mark.parametrize(("named", "found"), [(b"posix\nsystem", os.system), (b"builtins\neval", eval)])
def test_a_scripts_unpickler_admits_no_more_than_others(unpicklers, named, found):
    class Everything(unpicklers):
        def find_class(self, module, name):
            return found

    with pytest.raises(InputError, match="asks for"):
        Everything(io.BytesIO(b"c" + named + b"\n(S'1'\ntR.")).load()


def test_parts_that_a_script_keeps_elsewhere_come_from_it_and_are_not_changed(modules, unpicklers):
    kept = np.arange(3)

    def read(data: bytes) -> Any:
        unpickler = unpicklers(io.BytesIO(data))
        unpickler.persistent_load = lambda identity: [kept][int(identity)]
        return unpickler.load()

    (part,) = read(b"(lP0\na.")
    assert part is kept
    with pytest.raises(InputError, match="a pickle that changes an object of type ndarray"):
        read(b"P0\n" + SLOT_STATE)
    with pytest.raises(InputError, match="expected one whole pickle"):
        loads(b"P0\n.", modules)


def test_shared_variables_of_a_gpu_are_float32_as_they_were(modules):
    array = pickle.dumps(np.array([0.1, 0.2], "float32"), 2)[2:-1]
    kind = b"ctheano.sandbox.cuda.type\nCudaNdarrayType\n)\x81}U\x0dbroadcastable\x89\x85sb"
    value = b"ctheano.sandbox.cuda.type\nCudaNdarray_unpickler\n" + array + b"\x85R"
    container = b"ctheano.gof.link\nContainer\n)\x81}U\x07storage]" + value + b"asb"
    state = b"}(U\x04nameU\x01WU\x04type" + kind + b"U\x09container" + container + b"ub"
    W = loads(b"\x80\x02ctheano.sandbox.cuda.var\nCudaNdarraySharedVariable\n)\x81" + state + b".", modules)
    assert (W.name, W.dtype, W.get_value().dtype) == ("W", "float32", "float32")
    np.testing.assert_array_equal(W.get_value(), np.array([0.1, 0.2], "float32"))
