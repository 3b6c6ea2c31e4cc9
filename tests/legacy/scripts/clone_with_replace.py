"""theano.clone, OpFromGraph, and looking into graphs."""
import numpy
import theano
import theano.tensor as T

x, y = T.dvectors('x', 'y')
w = theano.shared(numpy.array([1., 2., 3.]), name='w')
cost = T.sum((x - w) ** 2)
other = theano.clone(cost, replace={x: y * 2})
print theano.function([y], other)([1., 1., 1.]).tolist()
v = theano.shared(numpy.zeros(3), name='v')
print theano.function([x], theano.clone(cost, {w: v}))([1., 1., 1.]).tolist()
print [e.eval({x: [0., 0., 1.]}).tolist() for e in theano.clone([cost, cost * 2], replace=[(w, v + 1)])]
print theano.clone(output=cost, replace={w: v}, strict=True).eval({x: [2., 0., 0.]}).tolist()

a = (x * w).sum()
print a.owner.inputs[0].owner.op == T.mul, a.owner is not None, x.owner is None, w.owner is None
print [str(i) for i in theano.gof.graph.inputs([cost])][:1], len(theano.gof.graph.ancestors([cost])) > 4
print sorted(i.name for i in theano.gof.graph.inputs([cost]) if not isinstance(i, theano.Constant))
print [s.name for s in theano.gof.graph.inputs([cost]) if isinstance(s, theano.compile.SharedVariable)]
print isinstance(x, theano.Variable), isinstance(x, T.TensorVariable), isinstance(T.constant(1), T.TensorConstant)

p, q = T.scalars('p', 'q')
op = theano.OpFromGraph([p, q], [p * q + 1])
print theano.function([p, q], op(p, q) - op(q, q))(3, 4).tolist()
f = theano.function([x], cost)
print len(f.maker.fgraph.inputs) >= 1, f.get_shared()[0].name, f.maker.fgraph.toposort() != []
