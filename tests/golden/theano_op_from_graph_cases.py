"""Operations made of graphs, with derivatives of their own, that real Theano and symae.theano are both asked for.

Each case takes the names below and returns expressions of x and y, whose values at (2, 3) count. Runs on Python 3.8 too.
"""

import numpy as np

CASES = {
    "no overrides": lambda n: n.gradient(n.Op([n.x, n.y], [n.x * n.y])),
    "all default": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.x * n.y], grad_overrides="default", lop_overrides="default", rop_overrides="default")
    ),
    "a function": lambda n: n.gradient(n.product(grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9])),
    "a function inline": lambda n: n.gradient(n.product(True, grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9])),
    "the fourth argument": lambda n: n.gradient(n.product(False, lambda i, o, g: [g[0] * o[0], g[0] * 9])),
    "a list": lambda n: n.gradient(n.product(grad_overrides=["default", lambda i, g: g[0] * i[0] * 9])),
    "lop, a function": lambda n: n.gradient(n.product(lop_overrides=lambda i, o, g: [g[0] * o[0], g[0] * 9])),
    "lop, a list": lambda n: n.gradient(n.product(lop_overrides=["default", lambda i, o, g: g[0] * o[0] * 9])),
    "an operation": lambda n: n.gradient(n.product(grad_overrides=n.Op([n.x, n.y, n.u], [n.u * n.y, n.u * n.x * 9]))),
    "an operation of two": lambda n: n.gradient(n.product(grad_overrides=n.Op([n.x, n.y], [n.x, n.y]))),
    "lop, an operation": lambda n: n.gradient(
        n.product(lop_overrides=n.Op([n.x, n.y, n.v, n.u], [n.u * n.v, n.u * n.x * n.y * 9]))
    ),
    "lop, an operation of three": lambda n: n.gradient(n.product(lop_overrides=n.Op([n.x, n.y, n.u], [n.u * n.x, n.y]))),
    "both": lambda n: n.gradient(n.product(grad_overrides=["default"] * 2, lop_overrides=["default"] * 2)),
    "None": lambda n: n.gradient(n.product(grad_overrides=None)),
    "None in a list": lambda n: n.gradient(n.product(grad_overrides=[None, lambda i, g: g[0] * 9])),
    "None, and no gradient": lambda n: [n.product(grad_overrides=[None, None])(n.x, n.y)],
    "a short list": lambda n: n.gradient(n.product(grad_overrides=["default"])),
    "a tuple of overrides": lambda n: n.gradient(n.product(grad_overrides=("default", "default"))),
    "a number": lambda n: n.gradient(n.product(grad_overrides=7)),
    "a short result": lambda n: n.gradient(n.product(grad_overrides=lambda i, g: [g[0]])),
    "a tuple": lambda n: n.gradient(n.product(grad_overrides=lambda i, g: (g[0], g[0]))),
    "disconnected": lambda n: n.gradient(n.product(grad_overrides=n.disconnected())),
    "disconnected, ignored": lambda n: n.gradient(n.product(grad_overrides=n.disconnected()), "ignore"),
    "one disconnected": lambda n: n.gradient(n.product(grad_overrides=[n.disconnected(), "default"])),
    "one disconnected, ignored": lambda n: n.gradient(n.product(grad_overrides=[n.disconnected(), "default"]), "ignore"),
    "null": lambda n: n.gradient(n.product(grad_overrides=n.null())),
    "one null": lambda n: n.gradient(n.product(grad_overrides=[n.null(), "default"])),
    "a variable": lambda n: n.gradient(n.product(grad_overrides=n.x)),
    "a variable in a list": lambda n: n.gradient(n.product(grad_overrides=[n.x, "default"])),
    "not made of an input": lambda n: n.gradient(n.Op([n.x, n.y], [n.y * 2], grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9])),
    "a gradient made of an output": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.y * 2], lop_overrides=lambda i, o, g: [g[0] * o[0] * i[0], g[0] * 9], on_unused_input="ignore")
    ),
    "a pattern of connections": lambda n: n.gradient(n.product(connection_pattern=[[False], [True]])),
    "a pattern of connections, ignored": lambda n: n.gradient(n.product(connection_pattern=[[False], [True]]), "ignore"),
    "a shared variable": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.x * n.y * n.s], grad_overrides=lambda i, g: [g[0] * 7 * i[2], g[0] * 9, g[0] * 11])
    ),
    "by a shared variable": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.x * n.y * n.s], grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9, g[0] * i[2]]), wrt=[n.x, n.s]
    ),
    "a shared variable forgotten": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.x * n.y * n.s], grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9])
    ),
    "closing over a shared variable": lambda n: n.gradient(n.product(grad_overrides=lambda i, g: [g[0] * n.s, g[0] * 9])),
    "two outputs": lambda n: n.gradient(
        n.Op([n.x, n.y], [n.x * n.y, n.x + n.y], grad_overrides=lambda i, g: [g[0] * 7 + g[1], g[1] * 9])
    ),
    "comparisons within": lambda n: n.gradient(
        n.product(grad_overrides=lambda i, g: [g[0] * n.T.gt(i[0], 1) * (i[1] > 1), g[0] * n.T.eq(i[0], 3)])
    ),
    "two operations of one graph": lambda n: n.gradient(
        n.product(grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9]),
        more=n.product(grad_overrides=lambda i, g: [g[0] * 70, g[0] * 90]),
    ),
    "replaced later": lambda n: n.gradient(n.replaced("set_grad_overrides", lambda i, g: [g[0] * 7, g[0] * 9])),
    "rop": lambda n: n.jacobian_times(n.product()),
    "rop, a function": lambda n: n.jacobian_times(n.product(rop_overrides=lambda i, t: [t[0] * 7 + t[1] * 9])),
    "rop, a list": lambda n: n.jacobian_times(n.product(rop_overrides=[lambda i, t: t[0] * 7 + t[1] * 9])),
    "rop, default in a list": lambda n: n.jacobian_times(n.product(rop_overrides=["default"])),
    "rop, an operation": lambda n: n.jacobian_times(
        n.product(rop_overrides=n.Op([n.x, n.y, n.u, n.v], [n.u * n.x * n.y + n.v * 9]))
    ),
    "rop, None in a list": lambda n: n.jacobian_times(n.product(rop_overrides=[None])),
    "rop beside another gradient": lambda n: n.jacobian_times(n.product(grad_overrides=lambda i, g: [g[0] * 7, g[0] * 9])),
    "rop replaced later": lambda n: n.jacobian_times(n.replaced("set_rop_overrides", lambda i, t: [t[0] * 7 + t[1] * 9])),
    "rop through more": lambda n: [
        n.theano.Rop(
            n.T.exp(n.product(rop_overrides=lambda i, t: [t[0] * 7 + t[1] * 9])(n.x, n.y) / 10) * n.x, [n.x, n.y], n.ones
        )
    ],
    "misspelt": lambda n: n.gradient(n.product(grad_override=lambda i, g: [g[0] * 7, g[0] * 9])),
    "updates": lambda n: n.gradient(n.product(updates=[])),
    "outputs in a tuple": lambda n: n.gradient(n.Op([n.x, n.y], (n.x * n.y,))),
    "one argument": lambda n: [n.product()(n.x)],
    "a mode": lambda n: n.gradient(n.product(mode="FAST_COMPILE")),
}


class Names:
    """What the cases are made of, from the module ``theano``."""

    def __init__(self, theano):
        self.theano, self.T, self.Op = theano, theano.tensor, theano.OpFromGraph
        self.x, self.y, self.u, self.v = self.T.dscalars("x", "y", "u", "v")
        self.s = theano.shared(np.float64(5.0), name="s")
        self.ones = [self.T.constant(np.float64(1.0)), self.T.constant(np.float64(10.0))]

    def product(self, *args, **kwargs):
        return self.Op([self.x, self.y], [self.x * self.y], *args, **kwargs)

    def replaced(self, method, overrides):
        op = self.product()
        self.theano.grad(op(self.x, self.y), self.x)  # which is kept by then
        getattr(op, method)(overrides)
        return op

    def disconnected(self):
        return self.theano.gradient.DisconnectedType()()

    def null(self):
        return self.theano.gradient.NullType()()

    def gradient(self, op, disconnected_inputs="raise", more=None, wrt=None):
        outputs = [o for one in (op, more) if one is not None for o in self.listed(one(self.x, self.y))]
        return self.theano.grad(sum(outputs), wrt or [self.x, self.y], disconnected_inputs=disconnected_inputs)

    def jacobian_times(self, op):
        return [self.theano.Rop(op(self.x, self.y), [self.x, self.y], self.ones)]

    @staticmethod
    def listed(outputs):
        return outputs if isinstance(outputs, list) else [outputs]


def expressions(theano, name):
    names = Names(theano)
    return [names.x, names.y], CASES[name](names)


def evaluate(theano, name):
    """Return the values of the case, or the name of the error that it ends with."""
    try:
        inputs, outputs = expressions(theano, name)
        return [float(v) for v in theano.function(inputs, outputs, on_unused_input="ignore")(2.0, 3.0)]
    except Exception as error:
        return type(error).__name__
