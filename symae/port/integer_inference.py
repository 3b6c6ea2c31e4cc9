"""Which expressions are whole numbers for certain, and which are not: what decides between Python 2's two divisions."""

from __future__ import annotations

import ast
import enum
import re
from collections.abc import Iterable

from symae.port.scopes import Element, Function, Item, Origin, Program, Scope, WholeNumber


class Kind(enum.Enum):
    """Tell what is known of an expression, or of what an array, list or tuple holds."""

    WHOLE = "whole for certain"
    NAMED = "whole if its name tells the truth"
    REAL = "floating point: numbers, arrays or expressions"
    UNKNOWN = "unknown"

    @property
    def whole(self) -> bool:
        return self in (Kind.WHOLE, Kind.NAMED)


_COUNT = re.compile(
    r"(?:^|_)(?:n|nb|num|number|count)_|^n(?:um|b|in|out|hid|vis)$|(?<!step)(?<!step_)(?:size|sz|shape|shp)$|^ndim$|(?:^|_)dim$"
    r"|^(?:n_?)?(?:epochs|minibatches|batches|channels|rows|cols|classes)$|(?:^|_)(?:length|len)$|^batch_?(?:size|sz|s)$"
)

_FLOATS = re.compile(
    r"(?:math|numpy|theano\.tensor|theano)\.(?:sqrt|exp|expm1|log|log2|log10|log1p|sin|cos|tan|tanh|arctan|sinh|cosh|mean|std|var"
    r"|average|median|linspace|logspace|float16|float32|float64|floor|ceil|pi|e|inf|nan|cov|corrcoef|erf|nnet\.\w+|grad|pow)"
    r"|numpy\.(?:random\.(?:\w+\.)*(?:rand|randn|uniform|normal|random|random_sample|standard_normal|beta|gamma|exponential)"
    r"|linalg\.\w+|hanning|hamming|loadtxt)"
    r"|theano\.tensor\.(?:[fd]?(?:scalar|vector|matrix|tensor3|tensor4|tensor5|row|col)s?|gradient\.\w+|Rop|Lop)"
    r"|float|time\.(?:time|clock|perf_counter)|timeit\.default_timer|random\.(?:random|uniform|gauss|normalvariate)"
)
_WHOLES = re.compile(r"len|int|ord|long|id|hash|random\.(?:randint|randrange)|theano\.tensor\.[bwil](?:scalar|vector|matrix)s?")
_MADE_OF = re.compile(  # as whole or floating as their arguments
    r"(?:numpy|theano\.tensor|theano|builtins)\.(?:asarray|array|sum|prod|product|max|min|abs|absolute|abs_|maximum|minimum|dot"
    r"|clip|reshape|concatenate|hstack|vstack|stack|switch|where|shared|as_tensor_variable|tensordot|outer|dimshuffle|sort|unique"
    r"|copy|ravel|flatten|transpose|squeeze|square|sqr|constant|cumsum|repeat|tile|diag|round|sign|sgn)"
    r"|sum|max|min|abs|sorted|list|tuple|reversed|range|xrange|theano\.shared|theano\._asarray"
)
_TYPED = re.compile(
    r"(?:numpy|theano\.tensor|theano)\.(?:zeros|ones|empty|eye|identity|zeros_like|ones_like|full|alloc|arange|cast)"
)
_METHODS_KEEP = {
    *("sum", "prod", "max", "min", "dot", "reshape", "flatten", "dimshuffle", "transpose", "copy", "get_value", "repeat"),
    *("squeeze", "clip", "ravel", "cumsum", "item", "swapaxes", "take", "diagonal"),
}
_METHODS_FLOAT = {"mean", "std", "var", "norm", "uniform", "normal", "rand", "randn", "total_seconds"}


class Kinds:
    """Infer the kinds of the expressions of one program; ``/`` of whole numbers is whole in Python 2."""

    def __init__(self, program: Program, whole_division: bool):
        self._program = program
        self._whole_division = whole_division
        self._asked: set[tuple[object, ...]] = set()

    def of(self, node: ast.expr) -> Kind:
        """Return the kind of an expression of the program."""
        return self._of(node, self._program.scope(node)) or Kind.UNKNOWN

    # In what follows None is the answer "as the others say", for a question that leads back to itself: i = i + 1.

    def _of(self, node: ast.expr, scope: Scope) -> Kind | None:
        match node:
            case ast.Constant(value=bool() | int()):
                return Kind.WHOLE
            case ast.Constant(value=float() | complex()):
                return Kind.REAL
            case ast.Name():
                return self._name(node.id, scope)
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Subscript():
                return self._of(node.value, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.BinOp():
                return self._operation(node, scope)
            case ast.UnaryOp():
                return Kind.WHOLE if isinstance(node.op, ast.Not) else self._of(node.operand, scope)
            case ast.Compare():
                return Kind.WHOLE
            case ast.BoolOp():
                return _joined(self._of(v, scope) for v in node.values)
            case ast.IfExp():
                return _joined((self._of(node.body, scope), self._of(node.orelse, scope)))
            case ast.List() | ast.Tuple() | ast.Set():
                return _joined(self._of(e, scope) for e in node.elts) if node.elts else Kind.UNKNOWN
            case ast.ListComp() | ast.GeneratorExp():
                return self._of(node.elt, scope)
            case ast.Starred() | ast.NamedExpr():
                return self._of(node.value, scope)
        return Kind.UNKNOWN

    def _name(self, name: str, scope: Scope) -> Kind | None:
        home = scope.find(name)
        if home is None:
            return Kind.REAL if _FLOATS.fullmatch(self._program.modules.get(name, "")) else Kind.UNKNOWN
        return self._from(home.names[name], name, (id(home), name))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Kind | None:
        if _FLOATS.fullmatch(self._program.dotted(node)):
            return Kind.REAL
        if node.attr in self._program.attributes:
            return self._from(self._program.attributes[node.attr], node.attr, ("attribute", node.attr))
        if node.attr in ("shape", "ndim"):
            return Kind.WHOLE
        if node.attr in ("T", "real", "imag", "flat"):
            return self._of(node.value, scope)
        return Kind.NAMED if _COUNT.search(node.attr) else Kind.UNKNOWN

    def _from(self, origins: Iterable[Origin], name: str, question: tuple[object, ...]) -> Kind | None:
        """Return the kind of what is assigned to `name`."""
        if question in self._asked:
            return None
        self._asked.add(question)
        try:
            kind = _joined(self._origin(origin, name) for origin in origins)
        finally:
            self._asked.discard(question)
        return Kind.NAMED if kind in (None, Kind.UNKNOWN) and _COUNT.search(name) else kind

    def _origin(self, origin: Origin, name: str) -> Kind | None:
        match origin:
            case WholeNumber():
                return Kind.WHOLE
            case Function():
                return self._parameter(origin, name)
            case Element(value, scope):
                return self._of(value, scope)
            case Item(value, scope, index):
                if index is not None and isinstance(value, ast.Tuple | ast.List):
                    return self._of(value.elts[index], scope) if index < len(value.elts) else Kind.UNKNOWN
                shape = isinstance(value, ast.Attribute) and value.attr == "shape"
                return self._of(value, scope) if index is None or shape else Kind.UNKNOWN
        return Kind.UNKNOWN

    def _parameter(self, function: Function, name: str) -> Kind | None:
        """Return the kind of what callers give for a parameter, and of its default: one of these alone proves nothing."""
        arguments = function.node.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
        if name not in names or isinstance(function.node, ast.Lambda):
            return Kind.UNKNOWN
        index = names.index(name)
        default = dict(zip(reversed(names), reversed(arguments.defaults), strict=False)).get(name)
        kinds = [] if default is None else [self._of(default, function.scope)]
        callers = function.in_class if function.node.name == "__init__" else function.node.name
        given = 0
        for call in self._program.calls.get(callers or "", ()):
            found = [k.value for k in call.node.keywords if k.arg == name]
            position = index - (function.in_class is not None)
            if not found and position < len(call.node.args):
                found = [call.node.args[position]]
            given += bool(found)
            kinds += [self._of(value, call.scope) for value in found]
        kind = _joined(kinds) if kinds else Kind.UNKNOWN
        count = _COUNT.search(name) is not None
        return kind if kind is Kind.REAL or given or count else Kind.UNKNOWN

    def _call(self, node: ast.Call, scope: Scope) -> Kind | None:
        name = self._program.dotted(node.func)
        local = scope.find(name) if name and "." not in name else None
        if local is not None:
            found = [f for f in local.names[name] if isinstance(f, Function)]
            return self._returned(found[0]) if len(found) == 1 == len(local.names[name]) else Kind.UNKNOWN
        dtype = _dtype(node, name)
        if dtype is not None:
            return dtype
        if _WHOLES.fullmatch(name):
            return Kind.WHOLE
        if _FLOATS.fullmatch(name):
            return Kind.REAL
        if _MADE_OF.fullmatch(name):
            return _mixed([self._of(a, scope) for a in (*node.args, *(k.value for k in node.keywords if k.arg == "value"))])
        if _TYPED.fullmatch(name):
            return Kind.REAL if name.startswith("numpy.") and not name.endswith(("_like", "arange", "full")) else Kind.UNKNOWN
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _METHODS_FLOAT:
                return Kind.REAL
            if node.func.attr in _METHODS_KEEP:
                return self._of(node.func.value, scope)
        return Kind.UNKNOWN

    def _returned(self, function: Function) -> Kind | None:
        question = ("returned", id(function))
        if question in self._asked or not function.returns:
            return None if function.returns else Kind.UNKNOWN
        self._asked.add(question)
        try:
            return _joined(self._of(item.value, item.scope) for item in function.returns)
        finally:
            self._asked.discard(question)

    def _operation(self, node: ast.BinOp, scope: Scope) -> Kind | None:
        if isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant | ast.JoinedStr) and _is_text(node.left):
            return Kind.UNKNOWN
        kinds = [self._of(node.left, scope), self._of(node.right, scope)]
        if isinstance(node.op, ast.Div) and not self._whole_division:
            return Kind.REAL if any(k is None or k.whole or k is Kind.REAL for k in kinds) else Kind.UNKNOWN
        if isinstance(node.op, ast.Pow) and not (isinstance(node.right, ast.Constant) and kinds[1] is Kind.WHOLE):
            return Kind.REAL if Kind.REAL in kinds else Kind.UNKNOWN
        return _mixed(kinds)


def _joined(kinds: Iterable[Kind | None]) -> Kind | None:
    """Return the kind of what may be any of several things."""
    known = {k for k in kinds if k is not None}
    if len(known) == 2 and known == {Kind.WHOLE, Kind.NAMED}:
        return Kind.NAMED
    return known.pop() if len(known) == 1 else Kind.UNKNOWN if known else None


def _mixed(kinds: list[Kind | None]) -> Kind | None:
    """Return the kind of an operation on several things: floating point if one of them is."""
    return Kind.REAL if Kind.REAL in kinds else _joined(kinds)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _dtype(node: ast.Call, name: str) -> Kind | None:
    """Return what a dtype in the call says, if there is one."""
    given = [k.value for k in node.keywords if k.arg == "dtype"]
    if not given and isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
        given = node.args[:1]
    if not given and name.endswith((".cast", "._asarray")):
        given = node.args[1:2]
    if not given and isinstance(node.func, ast.Subscript):  # numpy.cast[…](x)
        given = [node.func.slice]
    text = ast.unparse(given[0]) if given else ""
    if "float" in text:
        return Kind.REAL
    return Kind.WHOLE if "int" in text else None
