"""What NumPy, SciPy, PIL, six and Python's own library have renamed or removed since then."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import libcst as cst
from libcst import matchers as m
from libcst.metadata import QualifiedNameProvider

from symae.datasets.tutorial import mnist_name
from symae.port.rewriting import Small, Step, argument, as_name, attribute, dotted, gone, imported, replaced_arguments, text_of
from symae.port.source_edit import Draft

_NUMPY_BUILTINS = {"float": "float", "int": "int", "bool": "bool", "object": "object", "complex": "complex", "str": "str"}
_NUMPY_BUILTINS |= {"long": "int", "unicode": "str"}
_NUMPY_NAMES = {
    **{"Inf": "inf", "Infinity": "inf", "infty": "inf", "PINF": "inf", "NaN": "nan", "NAN": "nan"},
    **{"product": "prod", "cumproduct": "cumprod", "alltrue": "all", "sometrue": "any", "round_": "round", "rank": "ndim"},
    **{"float_": "float64", "complex_": "complex128", "unicode_": "str_", "string_": "bytes_", "row_stack": "vstack"},
    **{"in1d": "isin", "trapz": "trapezoid"},
}
_SCIPY_SPECIAL = {"logsumexp", "comb", "factorial", "factorial2", "factorialk"}
_SCIPY_MISC = {
    "imread": "numpy.asarray(PIL.Image.open(path)) reads pictures",
    "imsave": "PIL.Image.fromarray(bytes).save(path) writes pictures; imsave also scaled other numbers to 0 … 255",
    "imresize": "PIL.Image.Image.resize resizes pictures; imresize also scaled other numbers to 0 … 255",
    "imrotate": "PIL.Image.Image.rotate rotates pictures",
    "toimage": "PIL.Image.fromarray makes pictures of bytes; toimage also scaled other numbers to 0 … 255",
    "fromimage": "numpy.asarray takes pictures",
    "bytescale": "there is none any more",
    "lena": "there is none any more; scipy.datasets.ascent() is another picture",
    "face": "scipy.datasets.face() is the same picture",
    "ascent": "scipy.datasets.ascent() is the same picture",
}
_RENAMED = {
    "time.clock": "perf_counter",
    "string.letters": "ascii_letters",
    "string.lowercase": "ascii_lowercase",
    "string.uppercase": "ascii_uppercase",
    "inspect.getargspec": "getfullargspec",
}
_NOTES = {
    "numpy.random.random_integers": "numpy.random.random_integers is gone: randint(low, high + 1) draws the same numbers",
    "numpy.asscalar": "numpy.asscalar is gone: x.item() does the same",
    "numpy.asfarray": "numpy.asfarray is gone: numpy.asarray(x, dtype=float) does the same",
    "numpy.loads": "numpy.loads is gone: pickle.loads(s, encoding='latin1') does the same",
}
_SAGE = {  # where a program does not say itself what they are
    "DATA": "DATA was the folder of a Sage worksheet's files: say which one it is",
    "html": "html is Sage's: symae run shows it in a report, Python alone has nothing of that name",
}
_PYTHON2_NOTES = {
    "random.seed": "Python 3's random draws other numbers from the same seed, in shuffle, sample, choice and randint",
    "builtins.round": "Python 2 rounded halves away from 0 and gave a float; Python 3 rounds them to even and gives an int",
    "builtins.eval": "Python 2's input() was this eval of what is typed: int(input()) or float(input()) is better",
    "io.StringIO": "StringIO holds text in Python 3: pictures, pickles and other bytes want io.BytesIO",
}
# modules of the Deep Learning Tutorials that symae run answers where they are not beside the script: what is the same here
_TUTORIALS = {
    "logistic_sgd.load_data": "symae.load_data",
    "logistic_sgd.LogisticRegression": "symae.models.LogisticRegression",
    "utils.tile_raster_images": "symae.tile_raster_images",
}
_PICKLES = {f"{p}.{f}" for p in ("pickle", "cPickle", "six.moves.cPickle", "_pickle") for f in ("load", "loads", "Unpickler")}
_IMAGE_MODULES = {"Image", "ImageChops", "ImageColor", "ImageDraw", "ImageEnhance", "ImageFilter", "ImageFont", "ImageOps"}
_CPICKLE = {"cPickle", "six.moves.cPickle"}


class Libraries(Step):
    """Rename names of other libraries to today's in `draft`, in Python 3's syntax, with a note where there is no such name.

    `neighbours` are modules in the program's own package, which only Python 2 found by their bare names.
    """

    def __init__(self, draft: Draft, python2: bool, neighbours: Collection[str] = ()):
        super().__init__(draft)
        self._neighbours = neighbours if python2 else ()
        self._python2 = python2
        self._only_special = set(re.findall(r"\bscipy\.misc\.(\w+)", draft.text)) <= _SCIPY_SPECIAL

    def leave_Attribute(self, original: cst.Attribute, updated: cst.Attribute) -> cst.BaseExpression:
        if not self.is_reference(original):
            return updated
        name = self.full_name(original)
        module, _, last = name.rpartition(".")
        if module == "numpy" and last in _NUMPY_BUILTINS:
            return cst.Name(_NUMPY_BUILTINS[last], lpar=updated.lpar, rpar=updated.rpar)
        if name == "numpy.NINF":
            return cst.UnaryOperation(cst.Minus(), updated.with_changes(attr=cst.Name("inf")))
        if module == "numpy" and last in _NUMPY_NAMES:
            return updated.with_changes(attr=cst.Name(_NUMPY_NAMES[last]))
        if name in _RENAMED:
            return updated.with_changes(attr=cst.Name(_RENAMED[name]))
        if module == "scipy.misc" and last in _SCIPY_SPECIAL:
            if not self._only_special:
                self.new_imports["import scipy.special"] = None
            return attribute(f"scipy.special.{last}")
        self._mention(original, name)
        return updated

    def leave_Name(self, original: cst.Name, updated: cst.Name) -> cst.BaseExpression:
        if self.is_reference(original):
            name = self.full_name(original)
            if name == "six.moves.xrange":
                return updated.with_changes(value="range")
            self._mention(original, name)
            if original.value in _SAGE and not self.get_metadata(QualifiedNameProvider, original, ()):
                self.note(original, _SAGE[original.value])
        return updated

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        value = node.evaluated_value
        name = mnist_name(value) if isinstance(value, str) else None
        if name is not None and not self._is_for_symae():
            self.note(
                node,
                f"{name}: symae run has it wherever a program looks for it, Python only where it is; "
                "symae.load_data() gives MNIST as shared variables, symae.datasets.read() as arrays",
            )

    def _is_for_symae(self) -> bool:
        """Return True within a call of a function of symae's, which finds MNIST by itself."""
        return any(isinstance(outer, cst.Call) and self.full_name(outer.func).startswith("symae.") for outer in self._around)

    def _mention(self, node: cst.CSTNode, name: str) -> None:
        module, _, last = name.rpartition(".")
        if name in _TUTORIALS:
            self.note(node, f"{name}: where no {module}.py is beside the program, {_TUTORIALS[name]} does the same")
        elif module == "scipy.misc" and last in _SCIPY_MISC:
            self.note(node, f"scipy.misc.{last} is gone: {_SCIPY_MISC[last]}")
        elif name in _NOTES:
            self.note(node, _NOTES[name])
        elif self._python2 and name in _PYTHON2_NOTES:
            self.note(node, _PYTHON2_NOTES[name])

    def leave_Call(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        name = self.full_name(original.func)
        if m.matches(original.func, m.Subscript()):
            subscript = cst.ensure_type(original.func, cst.Subscript)
            if self.full_name(subscript.value) == "numpy.cast":
                return _cast(updated)
        if name in _PICKLES:
            return _with_encoding(updated)
        if name == "numpy.fromstring" and len(original.args) < 4 and not _has(original, "sep"):
            self.note(original, "numpy.fromstring reads numbers written as text only: numpy.frombuffer(…).copy() reads bytes")
        if name in ("builtins.open", "io.open") and self._holds_pickles(original):
            return _binary(updated)
        if self._python2 and name == "builtins.print":
            return _one_pair_of_brackets(updated)
        return updated

    def _holds_pickles(self, node: cst.Call) -> bool:
        """Return True if the file that ``open`` opens goes to pickle, at once or by its name."""
        parent = self.parent(node)
        if isinstance(parent, cst.Arg):
            outer = self.parent(parent)
            called = self.full_name(outer.func) if isinstance(outer, cst.Call) else ""
            return called.rpartition(".")[2] in ("load", "dump", "Unpickler")
        target: cst.CSTNode | None = None
        if isinstance(parent, cst.Assign):
            target = parent.targets[0].target
        elif isinstance(parent, cst.WithItem) and parent.asname is not None:
            target = parent.asname.name
        if not isinstance(target, cst.Name):
            return False
        function = next(n for n in reversed(self._around) if isinstance(n, cst.FunctionDef | cst.Module))
        files = _PickleFiles(function)
        function.visit(files)
        return target.value in files.names

    def _check_neighbour(self, node: cst.CSTNode, module: str) -> None:
        if module.partition(".")[0] in self._neighbours:
            self.note(node, f"{module} is in the same package, where Python 3 finds it as .{module} only: from . import …")

    def leave_Import(self, original: cst.Import, updated: cst.Import) -> Small:
        names, pictures = [], []
        for alias in updated.names:
            name, known = text_of(alias.name), alias.asname
            self._check_neighbour(original, name)
            if name in _CPICKLE:
                alias = _alias("pickle", text_of(known.name) if known else "cPickle", alias)
            elif name in _IMAGE_MODULES:
                pictures.append(_alias(name, text_of(known.name) if known else name, alias))
                continue
            elif known is not None and text_of(known.name) == name:  # import pickle as pickle, as fissix leaves it
                alias = alias.with_changes(asname=None)
            if name == "scipy.misc" and alias.asname is None and self._only_special:
                alias = alias.with_changes(name=attribute("scipy.special"))
            elif name == "scipy.misc":
                self.note(original, "scipy.misc is gone")
            names.append(alias)
        if not pictures:
            return updated.with_changes(names=names)
        if not names:
            return _from("PIL", pictures)
        names[-1] = names[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        others = updated.with_changes(names=names, semicolon=cst.MaybeSentinel.DEFAULT)
        return cst.FlattenSentinel([others, _from("PIL", pictures)])

    def leave_ImportFrom(self, original: cst.ImportFrom, updated: cst.ImportFrom) -> Small:
        module = imported(updated)
        self._check_neighbour(original, module)
        if isinstance(updated.names, cst.ImportStar):
            return updated
        for alias in updated.names:
            full = f"{module}.{text_of(alias.name)}"
            self._mention(original, full)
            if module == "numpy" and text_of(alias.name) in _NUMPY_BUILTINS:
                self.note(original, f"{full} is gone: Python's own {_NUMPY_BUILTINS[text_of(alias.name)]} is the same")
        names = [_renamed(module, alias) for alias in updated.names]
        if module == "six.moves":
            return _from_six(names, updated)
        if module in _IMAGE_MODULES:
            return updated.with_changes(module=attribute(f"PIL.{module}"))
        if module == "scipy.misc" and all(text_of(a.name) in _SCIPY_SPECIAL for a in names):
            return updated.with_changes(module=attribute("scipy.special"))
        return updated.with_changes(names=names)


class _PickleFiles(cst.CSTVisitor):
    """Find the names of the files that a function, or a module outside of its functions, hands to pickle."""

    def __init__(self, within: cst.CSTNode):
        super().__init__()
        self._within = within
        self.names: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return node is self._within

    def visit_Call(self, node: cst.Call) -> bool:
        module, _, last = dotted(node.func).rpartition(".")
        if module.rpartition(".")[2] in ("pickle", "cPickle", "pkl") and last in ("load", "dump", "Unpickler", "Pickler"):
            self.names |= {a.value.value for a in node.args if isinstance(a.value, cst.Name)}
        return True


def _renamed(module: str, alias: cst.ImportAlias) -> cst.ImportAlias:
    name = text_of(alias.name)
    new = _RENAMED.get(f"{module}.{name}") or (_NUMPY_NAMES.get(name) if module == "numpy" else None)
    return alias if new is None else _alias(new, text_of(alias.asname.name) if alias.asname else name, alias)


def _alias(name: str, known: str, like: cst.ImportAlias) -> cst.ImportAlias:
    """Make ``name as known``, or ``name`` where that is the same."""
    return like.with_changes(name=attribute(name), asname=as_name(known) if known != name else None)


def _from(module: str, names: Sequence[cst.ImportAlias]) -> cst.ImportFrom:
    bare = [n.with_changes(comma=cst.MaybeSentinel.DEFAULT) for n in names]
    return cst.ImportFrom(module=attribute(module), names=bare)  # type: ignore[arg-type]


def _from_six(names: Sequence[cst.ImportAlias], node: cst.ImportFrom) -> Small:
    """Return what ``from six.moves import …`` stands for in Python 3."""
    statements: list[cst.BaseSmallStatement] = []
    rest = []
    for alias in names:
        name, known = text_of(alias.name), text_of(alias.asname.name) if alias.asname else ""
        bare = alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
        if name == "cPickle":
            statements.append(cst.Import([_alias("pickle", known or name, bare)]))
        elif name == "urllib" and not known:
            statements.append(cst.Import([bare.with_changes(name=attribute("urllib.request"))]))
        elif not (name in ("range", "zip", "map", "filter", "input", "xrange") and not known):
            rest.append(bare)
    if rest:
        statements.append(node.with_changes(names=rest))
    if not statements:
        return gone()
    return cst.FlattenSentinel([s.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for s in statements])


def _cast(node: cst.Call) -> cst.BaseExpression:
    """Rewrite ``numpy.cast[dtype](x)`` as ``numpy.asarray(x, dtype=dtype)``."""
    subscript = cst.ensure_type(node.func, cst.Subscript)
    index = cst.ensure_type(subscript.slice[0].slice, cst.Index).value
    function = cst.ensure_type(subscript.value, cst.Attribute).with_changes(attr=cst.Name("asarray"))
    return node.with_changes(func=function, args=replaced_arguments(node.args, [*node.args, argument(index, "dtype")]))


def _has(node: cst.Call, keyword: str) -> bool:
    return any(a.keyword is not None and a.keyword.value == keyword for a in node.args)


def _with_encoding(node: cst.Call) -> cst.Call:
    if any(a.star for a in node.args) or _has(node, "encoding"):
        return node
    return node.with_changes(args=replaced_arguments(node.args, [*node.args, argument('"latin1"', "encoding")]))


def _binary(node: cst.Call) -> cst.Call:
    """Rewrite ``open`` to binary mode."""
    mode = next((a for i, a in enumerate(node.args) if i == 1 or (a.keyword and a.keyword.value == "mode")), None)
    if mode is None:
        if len(node.args) != 1 or node.args[0].star:
            return node
        return node.with_changes(args=replaced_arguments(node.args, [*node.args, argument('"rb"')]))
    if not isinstance(mode.value, cst.SimpleString) or "b" in mode.value.raw_value or mode.value.prefix:
        return node
    letters = mode.value.raw_value.replace("t", "").replace("U", "") or "r"
    quote = mode.value.quote
    new = mode.with_changes(value=cst.SimpleString(f"{quote}{letters[0]}b{letters[1:]}{quote}"))
    return node.with_changes(args=[new if a is mode else a for a in node.args])


def _one_pair_of_brackets(node: cst.Call) -> cst.Call:
    """Remove the second pair from ``print(("a" + b))``, as fissix writes ``print ("a" + b)``."""
    if len(node.args) != 1 or node.args[0].star or node.args[0].keyword is not None:
        return node
    value = node.args[0].value
    if not value.lpar or isinstance(value, cst.Tuple | cst.GeneratorExp | cst.Yield | cst.NamedExpr):
        return node
    simple = all(
        isinstance(p, cst.SimpleWhitespace) for p in (value.lpar[0].whitespace_after, value.rpar[-1].whitespace_before)
    )
    if not simple or text_of(value).count("\n"):
        return node
    return node.with_changes(
        args=[node.args[0].with_changes(value=value.with_changes(lpar=value.lpar[1:], rpar=value.rpar[:-1]))]
    )
