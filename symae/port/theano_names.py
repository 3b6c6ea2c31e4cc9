"""Theano's imports answered by `symae.theano`: the default way of porting, which keeps Theano's semantics."""

from __future__ import annotations

import functools
import importlib

import libcst as cst

from symae.port.rewriting import Small, Step, as_name, attribute, imported, text_of
from symae.port.source_edit import Draft

_NEIGHBOURS = {"lasagne", "pylearn2", "blocks", "pymc3", "nolearn", "sklearn_theano", "theano_lstm"}


class TheanoNames(Step):
    """Rewrite ``import theano`` as ``import symae.theano as theano``, in all its spellings; nothing else is changed."""

    def __init__(self, draft: Draft):
        super().__init__(draft)
        self._bound = False  # theano, by a plain import at the top

    def visit_Module(self, node: cst.Module) -> None:
        super().visit_Module(node)
        for statement in node.body:
            if isinstance(statement, cst.SimpleStatementLine):
                for part in statement.body:
                    if isinstance(part, cst.Import):
                        self._bound |= any(text_of(a.name) == "theano" and a.asname is None for a in part.names)

    def leave_Import(self, original: cst.Import, updated: cst.Import) -> Small:
        names: list[cst.ImportAlias] = []
        for alias in updated.names:
            name = text_of(alias.name)
            note_neighbours(self, original, name)
            if not is_theano(name):
                names.append(alias)
                continue
            moved = alias.with_changes(name=attribute(f"symae.{name}"))
            if alias.asname is None:
                theano = moved.with_changes(name=attribute("symae.theano"), asname=as_name("theano"))
                if name == "theano":
                    moved = theano
                elif not self._bound:
                    names.append(theano.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))))
            self._check(original, name)
            names.append(moved)
        return updated.with_changes(names=names)

    def leave_ImportFrom(self, original: cst.ImportFrom, updated: cst.ImportFrom) -> Small:
        module = imported(updated)
        note_neighbours(self, original, module)
        if not is_theano(module):
            return updated
        moved = updated.with_changes(module=attribute(f"symae.{module}"))
        if isinstance(updated.names, cst.ImportStar):
            return moved
        for alias in updated.names:
            self._check(original, f"{module}.{text_of(alias.name)}")
        if module != "theano":
            return moved
        # from theano import theano worked by an accident of Theano's
        itself = [a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in updated.names if text_of(a.name) == "theano"]
        others = [a for a in updated.names if text_of(a.name) != "theano"]
        if not itself:
            return moved
        statement = updated.with_changes(module=attribute("symae"), names=itself)
        if not others:
            return statement
        others[-1] = others[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return cst.FlattenSentinel([statement, moved.with_changes(names=others)])

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if self.is_reference(node):
            name = self.full_name(node)
            if is_theano(name):
                self._check(node, name)
        return True

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.Call:
        if self.full_name(original.func) in ("builtins.__import__", "importlib.import_module") and original.args:
            value = original.args[0].value
            if isinstance(value, cst.SimpleString) and is_theano(str(value.evaluated_value)):
                self.note(original, "Theano is imported by its name in a string: write symae.theano there")
        return updated

    def _check(self, node: cst.CSTNode, name: str) -> None:
        complaint = _complaint(name)
        if complaint:
            self.note(node, complaint)


def is_theano(name: str) -> bool:
    """Return True if a full name is Theano's."""
    return name == "theano" or name.startswith("theano.")


def note_neighbours(step: Step, node: cst.CSTNode, module: str) -> None:
    """Note that a library which is imported would import Theano by itself, or wants a GPU."""
    first = module.partition(".")[0]
    if first in _NEIGHBOURS:
        step.note(node, f"{first} is built on Theano itself and has to be ported, or replaced, too")
    if first in ("pycuda", "pygpu"):
        step.note(node, f"{first} is for GPUs: symae computes on the CPU")


@functools.cache
def _complaint(name: str) -> str | None:
    """Return what `symae.theano` says of a name that it does not answer; None if it does."""
    first, *rest = name.split(".")[1:] or [""]
    if not first:
        return None
    try:
        import symae.theano as found
    except Exception:  # nothing can be said then; the program will hear why
        return None
    path = "symae.theano"
    for part in (first, *rest):
        path = f"{path}.{part}"
        try:
            found = getattr(found, part)
        except AttributeError as error:
            try:
                found = importlib.import_module(path)
            except ImportError:
                if not hasattr(found, "__path__") and not hasattr(found, "__spec__"):
                    return None  # an attribute of an object, not of a module
                message = str(error).replace("\n", " ")
                return message if "symae.theano" in message else f"{name} is not in symae.theano"
        except Exception:
            return None
    return None
