"""Theano's imports in a program whose uses of Theano have been rewritten to today's names."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import libcst as cst
from libcst import matchers as m

from symae.port.rewriting import Small, Step, as_name, attribute, gone, imported, text_of, used_names
from symae.port.source_edit import Draft
from symae.port.theano_names import is_theano, note_neighbours
from symae.port.to_pytensor_names import canonical, modern_name


class ModernImports(Step):
    """Import what the program still uses, by its name of today, and no longer what it does not use.

    `new_imports` and `helpers` are what `symae.port.to_pytensor.Modern` asked for; `before` are the names that the program used
    before it: an import of something that was never used stays.
    """

    def __init__(self, draft: Draft, new_imports: dict[str, None], helpers: dict[str, None], before: set[str]):
        super().__init__(draft)
        self.new_imports, self.helpers = dict(new_imports), helpers
        self._before = before
        self._used: set[str] = set()
        self._has_pytensor = False

    def visit_Module(self, node: cst.Module) -> None:
        super().visit_Module(node)
        self._used = used_names(node)
        self._has_pytensor = "import pytensor" in _plain_imports(node)
        for helper in self.helpers:
            self._used |= used_names(cst.parse_module(helper))

    def leave_Import(self, original: cst.Import, updated: cst.Import) -> Small:
        names: list[cst.ImportAlias] = []
        for alias in updated.names:
            name = text_of(alias.name)
            note_neighbours(self, original, name)
            if not is_theano(name):
                names.append(alias)
                continue
            known = text_of(alias.asname.name) if alias.asname is not None else "theano"
            target = modern_name(name)
            if target is None or not _is_module_to_import(target):
                if known in self._used:
                    names.append(alias)
                continue
            if alias.asname is None:
                if "theano" in self._used:
                    names.append(alias)
                wanted = "pytensor" in self._used and not (self._has_pytensor and "theano" in self._used)
                if wanted or "theano" not in self._before:
                    names.append(alias.with_changes(name=attribute(target)))
                    self.new_imports.pop("import pytensor", None)
            elif known in self._used or known not in self._before:
                names.append(alias.with_changes(name=attribute(target)))
        return _with_names(updated, names)

    def leave_ImportFrom(self, original: cst.ImportFrom, updated: cst.ImportFrom) -> Small:
        module = imported(updated)
        note_neighbours(self, original, module)
        if not is_theano(module):
            return updated
        if isinstance(updated.names, cst.ImportStar):
            self.note(original, "nobody can tell which names come from this import: name them, and port again")
            return updated
        homes: dict[str, list[cst.ImportAlias]] = {}
        for alias in updated.names:
            name = text_of(alias.name)
            known = text_of(alias.asname.name) if alias.asname is not None else name
            target = modern_name(canonical(f"{module}.{name}"))
            kept = known in self._used or known not in self._before
            if target is None:
                if known in self._used:
                    homes.setdefault(module, []).append(alias)
                    if known not in self._before:
                        self.note(original, f"{module}.{name} has no counterpart in PyTensor or symae")
            elif kept:
                home, _, last = target.replace(":", ".").rpartition(".")
                homes.setdefault(home, []).append(_alias(last, known, alias))
        if not homes:
            return gone()
        if len(homes) == 1 and len(next(iter(homes.values()))) == len(updated.names):
            return updated.with_changes(module=attribute(next(iter(homes))), names=next(iter(homes.values())))
        return cst.FlattenSentinel(
            [_with_names(updated.with_changes(module=attribute(home)), names) for home, names in homes.items()]
        )


def _plain_imports(module: cst.Module) -> set[str]:
    """Return ``import x`` for each module that is imported anywhere by its own name."""
    found = m.findall(module, m.ImportAlias(asname=None))
    return {f"import {text_of(alias.name)}" for alias in found if isinstance(alias, cst.ImportAlias)}


def _with_names(node: cst.Import | cst.ImportFrom, names: Sequence[cst.ImportAlias]) -> cst.BaseSmallStatement:
    if not names:
        return gone()
    last = names[-1]
    if not isinstance(node, cst.ImportFrom) or node.lpar is None:
        last = last.with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return node.with_changes(names=[*names[:-1], last])


def _is_module_to_import(name: str) -> bool:
    try:
        return ":" not in name and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _alias(name: str, known: str, like: cst.ImportAlias) -> cst.ImportAlias:
    if like.asname is not None and text_of(like.asname.name) == known and known != name:
        return like.with_changes(name=cst.Name(name))
    return like.with_changes(name=cst.Name(name), asname=as_name(known) if known != name else None)
