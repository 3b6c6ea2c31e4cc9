"""An unpickler that allows less than pickle's instructions do.

A list of names is not enough: an instruction may also change what a name stands for, and claim memory that the file does not
fill. Here a state, an item or an appended value goes only to an object that the pickle itself has built, never to a class, a
function or a module; only what a name stands for is called, and none of the script's own functions; and what is allocated stays
within a multiple of what has been read.
"""

from __future__ import annotations

import math
import pickle
import struct
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, ClassVar

import numpy as np

from symae.errors import InputError

__all__ = ["ADMITTED", "RestrictedUnpickler"]

ADMITTED = "arrays, containers, shared variables, and objects of the script's own classes"
# What calls and states may claim, in elements or bytes: this, and so much for each byte that was read.
CLAIMED = 100_000
CLAIMED_PER_BYTE = 16
# Files allocate what they are asked to read, whether they hold as much or not.
READ_AT_ONCE = 1 << 20
NAMED = (type, FunctionType, BuiltinFunctionType, MethodType, ModuleType, np.ufunc)
# Which argument of these functions is a shape; what they make is empty until its state arrives.
SHAPES = {"_reconstruct": 1, "_mareconstruct": 2}

# pickle.Unpickler is faster (0.2 s instead of 1 s for two million numbers in lists), but cannot be asked what it does.
PythonUnpickler: Any = pickle._Unpickler


class _Reader:
    """Read a file piece by piece and count the bytes."""

    def __init__(self, file: Any):
        self._file = file
        self.n_read = 0

    def read(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing > 0 and (piece := self._file.read(min(missing, READ_AT_ONCE))):
            pieces.append(piece)
            missing -= len(piece)
        self.n_read += size - missing
        if missing and size > 1:  # the end before an instruction is an EOFError, of pickle's
            raise pickle.UnpicklingError("pickle data was truncated")
        return b"".join(pieces)

    def readline(self) -> bytes:
        line: bytes = self._file.readline()
        self.n_read += len(line)
        return line


class RestrictedUnpickler(PythonUnpickler):
    """Read one pickle; subclasses say in `found` what a name stands for.

    Parameters
    ----------
    file : binary file
    where : str
        The file's name, for errors.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(PythonUnpickler.dispatch)

    def __init__(self, file: Any, where: str):
        self._reader = _Reader(file)
        super().__init__(self._reader, fix_imports=False, encoding="latin1")
        self._where = where
        self._named: dict[int, Any] = {}
        self._given: dict[int, Any] = {}
        self._claimed = 0

    def found(self, module: str, name: str) -> Any:
        """Return what ``module.name`` stands for, or None."""
        raise NotImplementedError

    def is_uncallable(self, function: Any) -> bool:
        """Return True if `function` may be kept, but not called while the pickle is read."""
        return False

    def find_class(self, module: str, name: str) -> Any:
        found = self.found(module, name)
        if found is None:
            raise self._refusal(f"asks for {module}.{name}"[:200])
        self._named[id(found)] = found
        return found

    def elsewhere(self, identity: Any) -> Any:
        """Return the part that the pickle keeps elsewhere under `identity`."""
        raise InputError(self._where, "a pickle with parts in other files", "one whole pickle")

    def persistent_load(self, identity: Any) -> Any:
        part = self.elsewhere(identity)
        self._given[id(part)] = part
        return part

    def _refusal(self, does: str) -> InputError:
        return InputError(self._where, f"a pickle that {does}", ADMITTED)

    # -- calls ------------------------------------------------------------------------------------------------------------

    def load_reduce(self) -> None:
        self._check_call(self.stack[-2], self.stack[-1])
        super().load_reduce()

    def load_newobj(self) -> None:
        self._check_new(self.stack[-2], self.stack[-1])
        super().load_newobj()

    def load_newobj_ex(self) -> None:
        self._check_new(self.stack[-3], [*self.stack[-2], *self.stack[-1].values()])
        super().load_newobj_ex()

    def _instantiate(self, klass: Any, args: Any) -> None:  # INST and OBJ
        self._check_call(klass, args)
        super()._instantiate(klass, args)

    def _check_new(self, cls: Any, arguments: Any) -> None:
        if not isinstance(cls, type):
            raise self._refusal(f"makes an object of {_described(cls)}")
        if issubclass(cls, type):
            raise self._refusal("makes a class")
        self._check_size(cls, arguments)

    def _check_call(self, function: Any, arguments: Any) -> None:
        # An object of the pickle's own may have been given the script's functions as its methods.
        if self._named.get(id(function)) is not function or self.is_uncallable(function):
            raise self._refusal(f"calls {_described(function)}")
        if isinstance(function, type) and issubclass(function, type):
            raise self._refusal("makes a class")
        if function is str and not all(isinstance(argument, str | bytes) for argument in arguments):
            raise self._refusal("makes a text of an object")
        name = getattr(function, "__name__", "")
        if name in ("_reconstructor", "__newobj__"):  # these call what they are given
            for cls in arguments[: 2 if name == "_reconstructor" else 1]:
                self._check_new(cls, ())
        if isinstance(function, type) and function.__module__.startswith("scipy.sparse") and arguments:
            raise self._refusal(f"calls {_described(function)}")
        self._check_size(function, arguments)

    def _check_size(self, function: Any, arguments: Any) -> None:
        self._claim(sum(map(_size, arguments)))
        shape: Any = ()
        if isinstance(function, type) and issubclass(function, bytes | bytearray | np.void | np.bytes_ | np.ndarray):
            shape = arguments[0] if arguments else 0
        elif getattr(function, "__name__", None) in SHAPES:
            shape = arguments[SHAPES[function.__name__]]
        else:
            return
        if _n_elements(shape):
            raise self._refusal(f"makes {_described(function)} of some size before its contents are read")

    def _claim(self, size: int) -> None:
        self._claimed += size
        if self._claimed > CLAIMED + CLAIMED_PER_BYTE * self._reader.n_read:
            found = f"a pickle that claims {self._claimed} elements in its first {self._reader.n_read} bytes"
            raise InputError(self._where, found, "contents that the file holds")

    # -- states and items -------------------------------------------------------------------------------------------------

    def load_build(self) -> None:
        state = self.stack.pop()
        instance = self.stack[-1]
        self._check_target(instance)
        self._claim(_size(state) + (sum(map(_size, state)) if isinstance(state, tuple) else 0))
        # Not one that an earlier state has put into the object.
        set_state = getattr(type(instance), "__setstate__", None)
        if set_state is not None:
            set_state(instance, state)
            return
        slots = None
        if isinstance(state, tuple) and len(state) == 2:
            state, slots = state
        if state:
            vars(instance).update(state)
        for name, value in (slots or {}).items():
            self._check_slot(instance, name)
            setattr(instance, name, value)

    def _check_slot(self, instance: Any, name: str) -> None:
        """Check that `name` is a slot or a plain attribute: not a property, nor one that Python itself looks at."""
        descriptor = next((vars(cls)[name] for cls in type(instance).__mro__ if name in vars(cls)), None)
        if not (isinstance(descriptor, MemberDescriptorType) or (descriptor is None and not name.startswith("__"))):
            raise self._refusal(f"sets {name} of {_described(type(instance))}")

    def _check_target(self, target: Any, *methods: str) -> None:
        if isinstance(target, NAMED) or id(target) in self._named or id(target) in self._given:
            raise self._refusal(f"changes {_described(target)}")
        for name in methods:
            if name in getattr(target, "__dict__", ()):
                raise self._refusal(f"calls what it has put into {_described(type(target))}")

    def load_append(self) -> None:
        self._check_target(self.stack[-2], "append")
        super().load_append()

    def load_appends(self) -> None:
        self._check_target(self.metastack[-1][-1], "extend", "append")
        super().load_appends()

    def load_additems(self) -> None:
        self._check_target(self.metastack[-1][-1], "update", "add")
        super().load_additems()

    def load_setitem(self) -> None:
        self._check_target(self.stack[-3])
        super().load_setitem()

    def load_setitems(self) -> None:
        self._check_target(self.metastack[-1][-1])
        super().load_setitems()

    def load_bytearray8(self) -> None:
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))

    for _opcode, _instruction in (
        (pickle.REDUCE, load_reduce),
        (pickle.NEWOBJ, load_newobj),
        (pickle.NEWOBJ_EX, load_newobj_ex),
        (pickle.BUILD, load_build),
        (pickle.APPEND, load_append),
        (pickle.APPENDS, load_appends),
        (pickle.ADDITEMS, load_additems),
        (pickle.SETITEM, load_setitem),
        (pickle.SETITEMS, load_setitems),
        (pickle.BYTEARRAY8, load_bytearray8),
    ):
        dispatch[_opcode[0]] = _instruction


def _size(value: Any) -> int:
    """Return the elements or bytes of what a call or a state is given."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return len(value) if isinstance(value, str | bytes | bytearray | list | tuple | dict | set | frozenset | range) else 0


def _n_elements(shape: Any) -> int:
    if isinstance(shape, int | np.integer):
        return int(shape)
    if isinstance(shape, tuple | list) and all(isinstance(n, int | np.integer) for n in shape):
        return math.prod(shape) if shape else 1
    return 0


def _described(value: Any) -> str:
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if isinstance(value, NAMED) and name:
        return f"{getattr(value, '__module__', None) or 'numpy'}.{name}"
    return f"an object of type {type(value).__name__}"
