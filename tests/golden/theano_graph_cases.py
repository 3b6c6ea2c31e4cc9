"""What real Theano and symae.theano are both asked about graphs: which types are equal, in which order variables are found.

Runs on Python 3.8 too.
"""

import numpy as np

EXPRESSIONS = """
(v + c3).type == v.type
T.zeros((3,)).type == T.dvector
v.reshape((2, 3)).type == T.dmatrix
m.reshape((2, 3)).type == m.type
T.eye(3).type == m.type
c3.type == v.type
T.concatenate([c3, c3]).type == v.type
T.constant(np.ones((1, 3))).type == T.drow
T.constant(np.ones((2, 3))).type == T.dmatrix
T.arange(3).type == T.lvector
T.stack([x, x]).type == v.type
T.as_tensor_variable(np.zeros(3)).type == v.type
T.ones((1, 3)).type == T.drow
T.ones((1, 3)).type == T.dmatrix
T.zeros((3, 1)).dimshuffle(1, 0).type == T.drow
T.unbroadcast(T.zeros((1, 3)), 0).type == T.dmatrix
T.patternbroadcast(T.zeros((1, 3)), (False, False)).type == T.dmatrix
S[:1].type == m.type
hash((v + c3).type) == hash(v.type)
len({v.type, (v + c3).type, s.type})
v.type is T.dvector
T.zeros((3,)).astype('float32').type == v.type
T.TensorType('float64', (False,)) == (v + c3).type
isinstance((v + c3).type, T.TensorType)
T.grad(T.sum((s + v) ** 2), s).type == s.type
s.type.filter_variable(s + c3).ndim
called(T.zeros((3,)).type(), [1., 2.])
called(m.reshape((2, 3)).type('y'), [[1.]])
called((v + c3).clone(), [1., 2.])
names(g.inputs([y]))
names(g.inputs([s, v]))
names(g.inputs(reversed([s, v])))
names(g.inputs(iter([v * s])))
names(g.inputs([y], [h]))
names(g.inputs([T.dot(h, m)], blockers=[h]))
names(g.ancestors([y, m]))
names(g.ancestors([y], [h]))
names(g.variables([v], [y]))
names(g.orphans([v], [y]))
theano.Variable('anything').type
T.TensorVariable(T.dvector).ndim
isinstance(s, theano.Variable), isinstance(1, theano.Variable), isinstance(c3, T.TensorVariable)
type(T.nnet.relu(np.array([-1., 2.]))).__name__
default_update(theano.shared(np.zeros(3)))
"""
EXPRESSIONS = EXPRESSIONS.strip().splitlines()


def evaluate(theano, text):
    """Evaluate one of EXPRESSIONS, to what JSON can hold."""
    T = theano.tensor
    v, m, x = T.dvector("v"), T.dmatrix("m"), T.dscalar("x")
    s, S = theano.shared(np.zeros(3), "s"), theano.shared(np.zeros((2, 3)), "S")
    c3 = T.constant(np.arange(3.0))
    h = T.tanh(v * s)
    h.name = "h"
    y = T.dot(h, m) - h

    def names(variables):
        return [variable.name for variable in variables if variable.name]

    def called(variable, value):
        return theano.function([variable], variable * 2)(value).tolist()

    def default_update(shared):
        shared.default_update = shared + c3
        theano.function([], shared.sum())()
        return shared.get_value().tolist()

    space = {"T": T, "g": theano.gof.graph, "np": np, "theano": theano, "v": v, "m": m, "x": x, "s": s, "S": S, "c3": c3}
    space.update(h=h, y=y, names=names, called=called, default_update=default_update)
    value = eval(text, space)
    return list(value) if isinstance(value, tuple) else value
