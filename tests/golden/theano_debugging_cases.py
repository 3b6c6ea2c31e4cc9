"""What real Theano and symae.theano are both asked about tools of programs: draws, modes that check, types, flags, linkers.

Runs on Python 3.8 too.
"""

import os  # noqa: F401 - in EXPRESSIONS

import numpy as np
import scipy.sparse

EXPRESSIONS = """
drawn(sp2.poisson, "csr")
drawn(sp2.poisson, "csc")
drawn(lambda p: sp2.Binomial("csr", "float32")(n, 0.25, shape), "csr", 5, [3, 4])
drawn(lambda p: sp2.csc_dbinomial(n, 0.6, shape), "csr", 7, [2, 3])
drawn(lambda p: sp2.multinomial(n, p), "csr", 6)
drawn(lambda p: sp2.multinomial(trials, p), "csr", [1, 20])
error(lambda: drawn(lambda p: sp2.multinomial(trials, p), "csr", [1, 20, 3]))
error(lambda: drawn(lambda p: sp2.multinomial(n, p), "csc", 6))
error(lambda: sp2.csr_dbinomial(0.5, 0.6, shape))
error(lambda: T.grad(theano.sparse.dense_from_sparse(sp2.poisson(S["csr"])).sum(), S["csr"]))
error(lambda: checked(Adds("changes"), "DebugMode"))
error(lambda: checked(Adds("hands on"), "DEBUG_MODE"))
error(lambda: checked(Adds("hands on a part"), theano.compile.DebugMode()))
checked(Adds("adds"), "DebugMode")
checked(Adds("hands on", view_map={0: [1]}), "DebugMode")
error(lambda: checked(Adds("changes", destroy_map={0: [0]}), "DebugMode"))
error(lambda: function([v], v + 1, mode="DebugMode")([np.nan]))
error(lambda: function([v], T.log(v), mode="DebugMode")([-1.0]))
error(lambda: function([v], v / 0, mode="DebugMode")([1.0]))
function([v], v + 1, mode=theano.compile.DebugMode(check_isfinite=False))([np.inf]).tolist()
error(lambda: function([v], v + v, mode=theano.compile.DebugMode(optimizer=changing()))([1.0]))
checked(Adds("adds"), "FAST_RUN")
os.path.basename(function([v], v + 1).name)
function([v], v + 1, name="named").name
clients(function([v, w], [T.exp(v) + w, v], mode="FAST_COMPILE"))
T.dmatrix.value_zeros((2, 3)).tolist()
function([v], Zeros()(v), mode="FAST_COMPILE")([1.0, 2.0]).tolist()
function([], Zeros()(T.constant([3.0])), mode="FAST_RUN")().tolist()
doubles()
[double == double, double == theano.gof.Type(), isinstance(v.type, theano.gof.Type), isinstance(1, theano.Type)]
error(lambda: theano.gof.Type()("x").type.filter(1))
flag("a", "FloatParam(0.5)")
flag("b", "IntParam(5, lambda i: i > 2)", "7")
error(lambda: flag("c", "IntParam(5, lambda i: i > 2)", "1"))
flag("d", "BoolParam(True)", "0")
error(lambda: flag("e", "BoolParam(True)", "perhaps"))
flag("f", "EnumStr('low', 'high')", "high")
error(lambda: flag("g", "EnumStr('low', 'high')", "middle"))
error(lambda: flag("h", "ConfigParam('invalid', filter=float)"))
flag("i", "ConfigParam('invalid', filter=float)", "3")
flag("j", "StrParam(lambda: 'later')")
error(lambda: (flag("k", "FloatParam(0.5)"), setattr(theano.config.mine, "k", "text")))
visited(theano)
tested("warn", lambda x, m, s: T.dot(m, x * 2 + s))
tested("raise", lambda x, m, s: T.grad(T.sum((x * s) ** 2), x))
tested("raise", lambda x, m, s: T.max(T.nnet.softmax(m), axis=0) > 0.5)
tested("raise", lambda x, m, s: theano.scan(lambda row, total: total + row, sequences=m, outputs_info=x)[0][-1])
tested("raise", lambda x, m, s: theano.OpFromGraph([v], [v ** 3])(x))
tested("raise", lambda x, m, s: Adds("adds")(x, x))
tested("ignore", lambda x, m, s: x + v)
tested("off", lambda x, m, s: x * 2)
error(lambda: tested("raise", lambda x, m, s: x + v))
error(lambda: tested("raise", lambda x, m, s: T.dot(x, m)))
error(lambda: tested("warn", lambda x, m, s: x + s[:2]))
error(lambda: tested("ignore", lambda x, m, s: x[5]))
"""
EXPRESSIONS = EXPRESSIONS.strip().splitlines()


def evaluate(theano, text):
    """Evaluate one of EXPRESSIONS, to what JSON can hold."""
    import importlib

    T, gof = theano.tensor, theano.gof
    package = theano.__name__
    sp2 = importlib.import_module(package + ".sparse.sandbox.sp2")
    configparser = importlib.import_module(package + ".configparser")
    v, w, n, trials, shape = T.dvector("v"), T.dvector("w"), T.lscalar("n"), T.lvector("trials"), T.lvector("shape")
    S = {kind: getattr(theano.sparse, kind + "_matrix")("p") for kind in ("csr", "csc")}
    function = theano.function

    def drawn(op, kind, *more):
        values = np.array([[0.0, 0.25, 0.75], [0.5, 0.5, 0.0]])
        used = [trials if np.ndim(number) else n for number in more[:1]] + [shape for _ in more[1:]]
        f = function([S[kind], *used], op(S[kind]), mode="FAST_COMPILE", on_unused_input="ignore")
        np.random.seed(7)
        result = f(getattr(scipy.sparse, kind + "_matrix")(values * 8 if op is sp2.poisson else values), *more)
        return [result.format, str(result.dtype), result.toarray().tolist()]

    class Adds(theano.Op):
        __props__ = ("way",)

        def __init__(self, way, **maps):
            self.way = way
            vars(self).update(maps)

        def make_node(self, a, b):
            return gof.Apply(self, [a, b], [b.type()])

        def perform(self, node, inputs, output_storage):
            a, b = inputs
            if self.way == "changes":
                a += b
            output_storage[0][0] = {"adds": a + b, "changes": a, "hands on": b, "hands on a part": b[1:]}[self.way]

    class Zeros(theano.Op):
        __props__ = ()

        def make_node(self, a):
            return gof.Apply(self, [a], [a.type()])

        def perform(self, node, inputs, output_storage):
            output_storage[0][0] = node.outputs[0].type.value_zeros(inputs[0].shape)

        def do_constant_folding(self, node):
            return False

    def checked(op, mode):
        return function([v, w], op(v, w), mode=mode)([1.0, 2.0], [3.0, 4.0]).tolist()

    def changing():
        @gof.local_optimizer([T.add])
        def other(node):
            return [node.inputs[0] * 3] if node.op == T.add else False

        db = gof.EquilibriumDB()
        db.register("other", other, "all")
        return db.query("+all")

    def clients(f):
        def of(variable):
            return sorted([who if who == "output" else "node", i] for who, i in variable.clients)

        graph = f.maker.fgraph
        assert all(node.fgraph is graph for node in graph.toposort())
        return [of(variable) for variable in graph.inputs + graph.outputs]

    double = gof.Type()
    double.filter = lambda x, strict=False, allow_downcast=None: float(x)
    double.values_eq_approx = lambda x, y, tolerance=1e-4: abs(x - y) < tolerance

    def doubles():
        multiply = gof.Op()
        multiply.make_node = lambda x, y: gof.Apply(multiply, [x, y], [double()])
        multiply.perform = lambda node, inputs, storage: storage[0].__setitem__(0, inputs[0] * inputs[1])
        x, y = double("x"), double("y")
        return function([x, y], multiply(multiply(x, y), y), mode="FAST_COMPILE")(2, 3)

    def flag(name, kind, given=None):
        name = "mine." + name
        if given is not None:
            configparser.THEANO_FLAGS_DICT[name] = given
        configparser.AddConfigVar(name, "A flag", eval("configparser." + kind, {"configparser": configparser}), in_c_key=False)
        assert name not in configparser.THEANO_FLAGS_DICT
        return getattr(theano.config.mine, name[-1])

    def visited(theano):
        seen = []

        def callback(i, node, fn):
            seen.append([i, node.fgraph.name, len(fn.inputs), [len(cell) for cell in fn.outputs]])
            fn()

        linker = gof.WrapLinkerMany([gof.vm.VM_Linker(use_cloop=False)], [callback, lambda *args: seen.append(len(args))])
        f = function([v], T.exp(v) * 2, mode=theano.Mode(linker, optimizer="fast_compile"), name="f")
        result = f([0.0])
        return [result.tolist(), [entry for entry in seen if entry != 3 and entry[0] < 1], seen.count(3) > 0]

    def tested(flag, expression):
        x, m, s = T.dvector("x"), T.dmatrix("m"), theano.shared(np.array([1.0, -1.0, 0.5]))
        x.tag.test_value, m.tag.test_value = np.arange(3.0), np.arange(6.0).reshape(2, 3) ** 2
        if "OpFromGraph" in text:
            v.tag.test_value = np.ones(1)
        if "scan" in text or "softmax" in text:
            m.tag.test_value = np.eye(3)
        with theano.configparser.change_flags(compute_test_value=flag):
            made = expression(x, m, s)
        return np.asarray(made.tag.test_value).tolist() if hasattr(made.tag, "test_value") else "no value"

    def error(call):
        try:
            return ["no error", call()]
        except Exception as found:
            return type(found).__name__

    return eval(text, dict(globals(), **locals()))
