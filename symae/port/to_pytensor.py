"""Theano's names in a program rewritten to those of today's PyTensor and symae: ``symae port --modern``."""

from __future__ import annotations

from typing import Any

import libcst as cst

from symae.port.rewriting import Step, argument, attribute, dotted, imported, text_of, used_names
from symae.port.source_edit import Draft
from symae.port.theano_names import is_theano
from symae.port.to_pytensor_calls import NEED_REWRITING, rewritten
from symae.port.to_pytensor_names import (
    COMPARISONS,
    HELPERS,
    ITERATORS,
    MEANINGS,
    canonical,
    config_is_gone,
    is_module,
    modern_name,
)

_SAFE = {f"theano.tensor.{n}" for n in ("mean", "sum", "switch", "where", "cast", "all", "any", "and_", "or_", "xor")}
_SAFE |= {"theano.ifelse.ifelse", "theano.scan_module.until"}
_MASKS = {f"theano.tensor.{n}" for n in ("and_", "or_", "xor")}
_SAFE_METHODS = {"mean", "sum", "astype", "all", "any", "nonzero"}
_PICKLES = {f"pickle.{n}" for n in ("load", "loads", "dump", "dumps")}
_MOVES = {"gpu_from_host", "host_from_gpu", "as_cuda_ndarray_variable"}
_SOFTMAX = {
    "theano.tensor.nnet.softmax": "softmax",
    "theano.tensor.nnet.softmax_graph": "softmax",
    "theano.tensor.nnet.logsoftmax": "log_softmax",
}
_BOOL = (
    "if these are expressions: comparisons are bool now, which has no - and whose + is or; .astype('int8') makes them numbers"
)
_VECTORS = "Theano's softmax of a vector was a matrix of one row; this one is a vector. Of matrices it is the same"


class Modern(Step):
    """Rewrite uses of Theano; its imports are `ModernImports`'s.

    Comparisons that go where bool and int8 differ are cast to int8, and functions that neither PyTensor nor symae has with
    Theano's semantics are defined in the program.
    """

    def __init__(self, draft: Draft):
        super().__init__(draft)
        self._aliases: dict[str, str] = {}  # the program's names for pytensor, pytensor.tensor and numpy
        self._taken: set[str] = set()
        self._scans: set[str] = set()
        self._of_theano = False

    def visit_Module(self, node: cst.Module) -> None:
        super().visit_Module(node)
        finder = _Imports()
        node.visit(finder)
        self._aliases, self._taken = finder.aliases, used_names(node)
        self._aliases |= {alias: "pytensor.tensor" for alias, name in self._assigned.items() if name == "theano.tensor"}
        self._scans, self._of_theano = finder.scans, finder.of_theano

    # names

    def leave_Attribute(self, original: cst.Attribute, updated: cst.Attribute) -> cst.BaseExpression:
        if (
            original.attr.value == "test_value"
            and isinstance(original.value, cst.Attribute)
            and original.value.attr.value == "tag"
        ):
            self.note(original, "test values are not computed any more: nothing reads this")
        return self._reference(original, updated)

    def leave_Name(self, original: cst.Name, updated: cst.Name) -> cst.BaseExpression:
        return self._reference(original, updated)

    def _reference(self, original: cst.Name | cst.Attribute, updated: Any) -> Any:
        if not self.is_reference(original):
            return updated
        full = self.full_name(original)
        name = canonical(full)
        if not is_theano(name):
            return updated
        parent = self.parent(original)
        if name in _SOFTMAX and isinstance(parent, cst.Call) and parent.func is original and _one_argument(parent):
            return updated  # leave_Call writes what it needs
        if original.value == "theano" and name == "theano":
            return updated.with_changes(value=self._module("pytensor", "theano"))
        # the longest beginning that has a name today; what follows are attributes of an object
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            known, rest = ".".join(parts[:end]), parts[end:]
            if known in HELPERS or modern_name(known) is not None:
                if rest and is_module(modern_name(known) or ""):
                    break
                self._mention(original, known)
                if isinstance(original, cst.Name) and known not in HELPERS:
                    return updated  # ModernImports imports another thing by this name
                if self._stays(full, dotted(original), known, rest):
                    return updated
                spelled = self._spelled(known, dotted(original))
                return attribute(".".join([spelled, *rest])).with_changes(lpar=updated.lpar, rpar=updated.rpar)
        self.note(original, f"{name} has no counterpart in PyTensor or symae{_advice(name)}")
        return updated

    def _stays(self, full: str, written: str, known: str, rest: list[str]) -> bool:
        """Return True if `written` is right as soon as its first part is imported from elsewhere: config.floatX, T.dot."""
        first, _, suffix = written.partition(".")
        root = modern_name(full.removesuffix(f".{suffix}")) if first != "theano" and known not in HELPERS else None
        return root is not None and f"{root}.{suffix}" == ".".join([modern_name(known) or "", *rest])

    def _mention(self, node: cst.Name | cst.Attribute, name: str) -> None:
        for known in {name, ".".join(name.split(".")[:2])} & MEANINGS.keys():  # theano.__version__.split
            self.note(node, MEANINGS[known])
        if name.startswith("theano.config.") and config_is_gone(name):
            self.note(node, f"{name.removeprefix('theano.')} is gone: take the line away")

    def _spelled(self, name: str, written: str) -> str:
        """Return how the program says today's name for Theano's `name`, which it wrote as `written`."""
        if name in HELPERS:
            source = HELPERS[name].lstrip("\n")
            if "{pt}" in source:
                source = source.replace("{pt}", self._module("pytensor.tensor", written))
            self.helpers[source] = None
            return source[4 : source.index("(")]
        target = modern_name(name)
        assert target is not None
        if ":" in target:
            module, _, last = target.partition(":")
            known = last if last not in self._taken else f"pytensor_{last}"
            self.new_imports[f"from {module} import {last}" + (f" as {known}" if known != last else "")] = None
            return known
        for module in ("pytensor.tensor", "pytensor", "numpy"):
            if target == module or target.startswith(f"{module}."):
                return self._module(module, written) + target.removeprefix(module)
        module = target.rpartition(".")[0]
        self.new_imports[f"import {module}"] = None
        return target

    def _module(self, name: str, written: str) -> str:
        first = written.partition(".")[0]
        if first == "theano" and name.startswith("pytensor"):
            self.new_imports["import pytensor"] = None
            return name
        known = [alias for alias, module in self._aliases.items() if module == name]
        if known:
            return first if first in known else known[0]
        if name == "pytensor.tensor":
            above = [alias for alias, module in self._aliases.items() if module == "pytensor"]
            if above:
                return f"{above[0]}.tensor"
            if "pt" not in self._taken:
                self.new_imports["import pytensor.tensor as pt"] = None
                return "pt"
        self.new_imports[f"import {name.partition('.')[0]}"] = None
        return name

    # calls

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        name = canonical(self.full_name(original.func))
        if isinstance(original.func, cst.Attribute) and original.func.attr.value == "flatten":
            return rewritten(updated, "theano.tensor.flatten") or updated
        if name in _PICKLES and self._of_theano:
            self._pickled(original, name)
        if not is_theano(name):
            return updated
        if name in ITERATORS:
            bare = updated.with_changes(lpar=(), rpar=())
            return cst.Call(cst.Name("list"), [cst.Arg(bare)], lpar=updated.lpar, rpar=updated.rpar)
        last = name.rpartition(".")[2]
        if last in _MOVES and len(updated.args) == 1 and name.startswith(("theano.sandbox.", "theano.gpuarray.")):
            return updated.args[0].value
        if name in _SOFTMAX and _one_argument(original):
            return self._softmax(original, updated, _SOFTMAX[name])
        if name in COMPARISONS and not self._safe(original):
            pt = self._module("pytensor.tensor", dotted(original.func))
            cast = cst.parse_expression(f'{pt}.cast(x, "int8")')
            assert isinstance(cast, cst.Call)
            return cast.with_changes(args=[cast.args[0].with_changes(value=updated), *cast.args[1:]])
        if name == "theano.shared" and original.args and isinstance(original.args[0].value, cst.List):
            self.note(original, "a shared list is not a vector: numpy.asarray([…]) makes one of it")
        if name == "theano.In" and any(a.keyword is not None and a.keyword.value == "value" for a in original.args):
            self.note(original, MEANINGS["theano.Param"])
        result = rewritten(updated, name)
        if result is None and name in NEED_REWRITING:
            self.note(
                original,
                f"these arguments of {last} could not be distinguished: compare them with those of {text_of(updated.func)}",
            )
        return result or updated

    def _pickled(self, node: cst.Call, name: str) -> None:
        if name in ("pickle.load", "pickle.loads"):
            self.note(node, "a pickle that holds Theano's variables or functions is read by symae run, not by PyTensor")
        elif len(node.args) > (2 if name == "pickle.dump" else 1) and not _is_late_protocol(node.args[-1].value):
            self.note(node, "expressions and functions of PyTensor are pickled by protocol 2 and later ones only")

    def _softmax(self, original: cst.Call, updated: cst.Call, function: str) -> cst.Call:
        pt = self._module("pytensor.tensor", dotted(original.func))
        value = updated.args[0].with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)
        parent = self.parent(original)
        if isinstance(parent, cst.Subscript) and parent.value is original:  # softmax(vector)[0]
            row = cst.parse_expression(f"{pt}.atleast_2d(x)")
            assert isinstance(row, cst.Call)
            value = value.with_changes(value=row.with_changes(args=[cst.Arg(value.value)]))
        else:
            self.note(original, _VECTORS)
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        after = value.whitespace_after_arg
        args = [value.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace("")), argument("-1", "axis")]
        args[-1] = args[-1].with_changes(whitespace_after_arg=after)
        return updated.with_changes(func=attribute(f"{pt}.special.{function}"), args=args)

    def _safe(self, node: cst.BaseExpression) -> bool:
        """Return True if a comparison goes where it does not matter that it is bool now and not int8."""
        parent = self.parent(node)
        if isinstance(parent, cst.Arg):
            outer = self.parent(parent)
            return isinstance(outer, cst.Call) and canonical(self.full_name(outer.func)) in _SAFE
        if isinstance(parent, cst.Attribute):
            return parent.attr.value in _SAFE_METHODS
        if isinstance(parent, cst.UnaryOperation):
            return isinstance(parent.operator, cst.BitInvert | cst.Not)  # ~ of an int8 is not an opposite
        if isinstance(parent, cst.BinaryOperation):
            other = parent.right if parent.left is node else parent.left
            if isinstance(parent.operator, cst.Multiply | cst.Divide):
                return not self._is_comparison(other) or self._safe(parent)
            return isinstance(other, cst.Integer | cst.Float)
        return False

    def _is_comparison(self, node: cst.BaseExpression) -> bool:
        call = isinstance(node, cst.Call) and canonical(self.full_name(node.func)) in COMPARISONS
        return call or isinstance(node, cst.Comparison)

    # operators and texts

    def leave_BinaryOperation(self, original: cst.BinaryOperation, updated: cst.BinaryOperation) -> cst.BaseExpression:
        sides = (original.left, original.right)
        if isinstance(original.operator, cst.Multiply) and all(map(self._is_mask, sides)):
            self.note(original, _BOOL)
        if not isinstance(original.operator, cst.Add | cst.Subtract):
            return updated
        if any(map(self._is_mask, sides)) and not any(isinstance(s, cst.Integer | cst.Float) for s in sides):
            self.note(original, _BOOL)
        if isinstance(original.operator, cst.Add):
            if self._joins_updates(original):
                self.note(original, "the updates of a scan are a plain dict now, which | joins with another")
                return updated.with_changes(operator=cst.BitOr())
            return updated.with_changes(left=self._pairs(original.left, updated.left, original.right),
                                        right=self._pairs(original.right, updated.right, original.left))  # fmt: skip
        return updated

    def _joins_updates(self, node: cst.BinaryOperation) -> bool:
        """Return True if a scan's updates are added to a dict that is written out, or the other way round."""
        scans = [isinstance(side, cst.Name) and side.value in self._scans for side in (node.left, node.right)]
        dicts = [isinstance(side, cst.Dict | cst.DictComp) for side in (node.left, node.right)]
        return scans in ([True, False], [False, True]) and [not d for d in dicts] == scans

    def _is_mask(self, node: cst.BaseExpression) -> bool:
        """Return True if `node` is bool now, and not a comparison by a function's name: those are cast."""
        call = isinstance(node, cst.Call) and canonical(self.full_name(node.func)) in _MASKS
        return call or isinstance(node, cst.Comparison)

    def leave_UnaryOperation(self, original: cst.UnaryOperation, updated: cst.UnaryOperation) -> cst.UnaryOperation:
        if isinstance(original.operator, cst.Minus) and isinstance(original.expression, cst.Comparison):
            self.note(original, _BOOL)
        return updated

    def _pairs(
        self, original: cst.BaseExpression, updated: cst.BaseExpression, other: cst.BaseExpression
    ) -> cst.BaseExpression:
        """Return a scan's updates, which are a mapping now, as a list where something is added to them."""
        if not isinstance(original, cst.Name) or original.value not in self._scans:
            return updated
        if isinstance(other, cst.List | cst.ListComp) or (isinstance(other, cst.Name) and other.value in self._scans):
            return cst.parse_expression(f"list({original.value}.items())")
        self.note(original, "the updates of a scan are a dict now, to which nothing can be added: a | b joins two of them")
        return updated

    def leave_SimpleString(self, original: cst.SimpleString, updated: cst.SimpleString) -> cst.SimpleString:
        if original.raw_value == "THEANO_FLAGS":
            self.note(original, "PyTensor reads PYTENSOR_FLAGS, and has no flags for GPUs")
        return updated


class _Imports(cst.CSTVisitor):
    """Find what a program calls the libraries, and its scans' updates."""

    def __init__(self) -> None:
        super().__init__()
        self.aliases: dict[str, str] = {}
        self.scans: set[str] = set()
        self.of_theano = False

    def visit_Import(self, node: cst.Import) -> bool:
        for alias in node.names:
            self._add(text_of(alias.name), alias)
        return True

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if not isinstance(node.names, cst.ImportStar):
            for alias in node.names:
                self._add(f"{imported(node)}.{text_of(alias.name)}", alias, text_of(alias.name))
        return True

    def _add(self, name: str, alias: cst.ImportAlias, known: str | None = None) -> None:
        self.of_theano |= is_theano(name)
        modern = {"theano": "pytensor", "theano.tensor": "pytensor.tensor"}.get(name, name)
        if alias.asname is not None:
            known = text_of(alias.asname.name)
        if (
            modern in ("pytensor", "pytensor.tensor", "numpy")
            and (known or "." not in name)
            and known != "theano"
            and name != "theano"
        ):
            self.aliases[known or modern] = modern
        elif name == "theano" and known is not None and known != "theano":
            self.aliases[known] = "pytensor"

    def visit_Assign(self, node: cst.Assign) -> bool:
        target, value = node.targets[0].target, node.value
        if isinstance(target, cst.Tuple) and len(target.elements) == 2 and isinstance(value, cst.Call):
            last = target.elements[1].value
            if dotted(value.func).rpartition(".")[2] in ("scan", "map", "reduce", "foldl") and isinstance(last, cst.Name):
                self.scans.add(last.value)
        return True


def _one_argument(node: cst.Call) -> bool:
    return len(node.args) == 1 and not node.args[0].star


def _is_late_protocol(value: cst.BaseExpression) -> bool:
    """Return True for a protocol of pickles from 2 on that is written out: -1 and ``HIGHEST_PROTOCOL`` are the latest."""
    return text_of(value) in {"2", "3", "4", "5", "-1"} or dotted(value).endswith("HIGHEST_PROTOCOL")


def _advice(name: str) -> str:
    if name.startswith(("theano.sandbox.cuda", "theano.sandbox.gpuarray", "theano.gpuarray")):
        return ": it was for GPUs; leave that branch of the program"
    if name.startswith(("theano.gof", "theano.tensor.opt", "theano.compile")):
        return "; pytensor.graph and pytensor.graph.rewriting have what came after it"
    return "; symae.theano may have it, for programs ported without --modern"
