"""What Python 2 alone had and fissix leaves: built-in names as values, functions of its own library."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

import libcst as cst
from libcst import matchers as m
from libcst.metadata import QualifiedNameProvider

from symae.port.rewriting import Step, argument, attribute, imported, replaced_arguments, text_of
from symae.python2.version_detection import byte_codec

_TYPES = {  # of the module types
    **{"Boolean": "bool", "Buffer": "memoryview", "Class": "type", "Complex": "complex", "Dict": "dict", "Dictionary": "dict"},
    **{"Ellipsis": "type(Ellipsis)", "File": "io.IOBase", "Float": "float", "Int": "int", "List": "list", "Long": "int"},
    **{"None": "type(None)", "NotImplemented": "type(NotImplemented)", "Object": "object", "Slice": "slice", "String": "str"},
    **{"Tuple": "tuple", "Type": "type", "Unicode": "str", "XRange": "range"},
}
_GONE_TYPES = {**{f"{name}Type": now for name, now in _TYPES.items()}, "StringTypes": "(str,)"}
# Functions of the module string that texts have as methods, and those that go by another name.
_STRING = {name: f"str.{name}" for name in (
    "capitalize", "count", "expandtabs", "find", "index", "ljust", "lower", "lstrip", "maketrans", "replace", "rfind", "rindex",
    "rjust", "rstrip", "split", "strip", "swapcase", "translate", "upper", "zfill",
)} | {"atof": "float", "atoi": "int", "atol": "int", "splitfields": "str.split"}  # fmt: skip
# Built-in names where they are not calls, or not of the kind that fissix knows.
_BUILTINS = {"xrange": "range", "raw_input": "input", "unicode": "str", "long": "int", "basestring": "str", "unichr": "chr"}
_BUILTINS |= {"buffer": "memoryview", "reduce": "functools.reduce", "reload": "importlib.reload"}
_ITERATORS = {"iteritems": "items", "iterkeys": "keys", "itervalues": "values", "has_key": "__contains__"}
_MODULES = {"md5": "hashlib", "sha": "hashlib", "sets": "builtins", "exceptions": "builtins"}
_OF_MODULES = {
    **{"md5.new": "hashlib.md5", "md5.md5": "hashlib.md5", "sha.new": "hashlib.sha1", "sha.sha": "hashlib.sha1"},
    **{"sets.Set": "set", "sets.ImmutableSet": "frozenset"},
}
_CMP = '''
def cmp(a, b):
    """Python 2's cmp."""
    return (a > b) - (a < b)
'''
_ATTRIBUTES = {"os.getcwdu": "getcwd", "sys.maxint": "maxsize"}
_NOTES = {
    "sys.setdefaultencoding": "sys.setdefaultencoding is gone, and not needed: take the line, and the reload of sys, away",
    "md5": "hashes are made of bytes: hashlib.md5(text.encode())",
    "sha": "hashes are made of bytes: hashlib.sha1(text.encode())",
    "imp": "the module imp is gone: importlib takes its place",
}
_METHODS = {  # special methods that Python 3 does not call
    "__cmp__": "__cmp__ is not called any more: write __eq__ and __lt__, under @functools.total_ordering, and __hash__",
    "__coerce__": "__coerce__ is not called any more: write __add__, __radd__ and so on",
    "__unicode__": "__unicode__ is not called any more, also not by what was unicode(x): name it __str__",
    "__hex__": "__hex__ is not called any more: hex(x) asks __index__",
    "__oct__": "__oct__ is not called any more: oct(x) asks __index__",
    "__long__": "__long__ is not called any more: int(x) asks __int__",
    "__getslice__": "__getslice__ is not called any more: __getitem__ gets a slice",
    "__setslice__": "__setslice__ is not called any more: __setitem__ gets a slice",
    "__delslice__": "__delslice__ is not called any more: __delitem__ gets a slice",
}


class Python2Names(Step):
    """Rewrite names of a program that was Python 2, in Python 3's syntax by now."""

    def leave_Attribute(self, original: cst.Attribute, updated: cst.Attribute) -> cst.BaseExpression:
        if not self.is_reference(original):
            return updated
        name = self.full_name(original)
        module, _, last = name.rpartition(".")
        if name in _NOTES:
            self.note(original, _NOTES[name])
        if updated.attr.value == "message" and self._is_caught(original.value):
            self.note(original, "exceptions have no message any more: str(error), or error.args[0]")
        if name in _OF_MODULES:
            return attribute(_OF_MODULES[name])
        if name in _ATTRIBUTES:
            return updated.with_changes(attr=cst.Name(_ATTRIBUTES[name]))
        if module == "exceptions":
            return cst.Name(last, lpar=updated.lpar, rpar=updated.rpar)
        if module == "types" and last in _GONE_TYPES:
            return self._type(last)
        if module == "string" and last in _STRING:
            return attribute(_STRING[last])
        if updated.attr.value in _ITERATORS:  # those that are called at once are fissix's
            return updated.with_changes(attr=cst.Name(_ITERATORS[updated.attr.value]))
        return updated

    def _is_caught(self, node: cst.CSTNode) -> bool:
        """Return True for the name of an exception where it is handled."""
        above: Any = node
        while isinstance(node, cst.Name) and not isinstance(above, cst.Module):
            above = self.parent(above)
            if isinstance(above, cst.ExceptHandler) and above.name and text_of(above.name.name) == node.value:
                return True
        return False

    def leave_Subscript(self, original: cst.Subscript, updated: cst.Subscript) -> cst.BaseExpression:
        if self._is_caught(original.value):
            self.note(original, "exceptions are no sequences any more: error.args[0]")
        return updated

    def leave_Name(self, original: cst.Name, updated: cst.Name) -> cst.BaseExpression:
        # what is gone has no meaning in Python 3, unless the program gives it one
        if not self.is_reference(original) or self.get_metadata(QualifiedNameProvider, original, ()):
            return updated
        if original.value == "file":
            parent = self.parent(original)
            called = isinstance(parent, cst.Call) and parent.func is original
            return updated.with_changes(value="open") if called else self._type("FileType")
        if original.value == "cmp":
            self.helpers[_CMP.lstrip("\n")] = None
        if original.value not in _BUILTINS:
            return updated
        now = _BUILTINS[original.value]
        if "." in now:
            self.new_imports[f"import {now.partition('.')[0]}"] = None
        return attribute(now).with_changes(lpar=updated.lpar, rpar=updated.rpar)

    def _type(self, name: str) -> cst.BaseExpression:
        now = _GONE_TYPES[name]
        if now.startswith("io."):
            self.new_imports["import io"] = None
        return attribute(now)

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        name = self.full_name(original.func)
        if name in ("string.join", "string.joinfields"):
            return _joined(updated)
        if self._is_codec(original, byte_codec):
            self.note(original, "texts have no such encoding: codecs.encode and codecs.decode have it, of bytes")
        elif self._is_codec(original, _is_encoding) and _decodes_text(original):
            self.note(original, "texts have no decode: take it away where this is one, as from a file opened without b")
        if m.matches(original.func, m.Attribute(attr=m.Name("sort")) | m.Name("sorted")):
            unnamed = len(original.args) == 1 and original.args[0].keyword is None and name != "builtins.sorted"
            if unnamed or any(a.keyword is not None and a.keyword.value == "cmp" for a in original.args):
                self.note(original, "a function that compares: Python 3 sorts by key=functools.cmp_to_key(function)")
        return updated

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if node.name.value in _METHODS and isinstance(self.parent(self.parent(node)), cst.ClassDef):
            self.note(node, _METHODS[node.name.value])
        return True

    def _is_codec(self, node: cst.Call, named: Callable[[str], object]) -> bool:
        """Return True for ``x.encode(…)`` and ``x.decode(…)`` with the name of an encoding, or for ``x.decode()``."""
        if not m.matches(node.func, m.Attribute(attr=m.Name("encode") | m.Name("decode"))):
            return False
        if not node.args:
            return bool(named("ascii"))
        name = node.args[0].value
        return (
            isinstance(name, cst.SimpleString) and isinstance(name.evaluated_value, str) and bool(named(name.evaluated_value))
        )

    def leave_Import(self, original: cst.Import, updated: cst.Import) -> cst.Import:
        names = []
        for alias in updated.names:
            name = text_of(alias.name)
            if name in _NOTES:
                self.note(original, _NOTES[name])
            if name in _MODULES and alias.asname is None:
                alias = alias.with_changes(name=attribute(_MODULES[name]))
            names.append(alias)
        return updated.with_changes(names=names)

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        module = imported(node)
        for alias in node.names if not isinstance(node.names, cst.ImportStar) else ():
            name = text_of(alias.name)
            if module == "types" and name in _GONE_TYPES:
                self.note(node, f"types.{name} is gone: {_GONE_TYPES[name]} is the same")
            if module == "string" and name in {*_STRING, "join", "joinfields"}:
                self.note(node, f"string.{name} is gone: texts have it as a method, numbers are made by int and float")
        return True


def _joined(node: cst.Call) -> cst.Call:
    """Rewrite ``string.join(words, separator)`` as ``str.join(separator, words)``."""
    if any(a.star or a.keyword is not None for a in node.args) or not 1 <= len(node.args) <= 2:
        return node
    separator = node.args[1].value if len(node.args) == 2 else cst.SimpleString('" "')
    new = [argument(separator), argument(node.args[0].value)]
    return node.with_changes(func=attribute("str.join"), args=replaced_arguments(node.args, new))


def _decodes_text(node: cst.Call) -> bool:
    """Return True for ``x.decode(…)`` unless `x` is bytes for certain."""
    function = cst.ensure_type(node.func, cst.Attribute)
    if function.attr.value != "decode":
        return False
    made = m.Call(func=m.Attribute(attr=m.Name("encode")))
    return not m.matches(function.value, made | m.SimpleString(value=m.MatchIfTrue(lambda text: text[:1] in "bB")))


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name) is not None
    except LookupError:
        return False
