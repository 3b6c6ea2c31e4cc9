"""as_op: a function of arrays as an Op."""
import numpy as np
import theano
import theano.tensor as T
from theano.compile.ops import as_op


def infer_shape_numpy_dot(node, input_shapes):
    ashp, bshp = input_shapes
    return [ashp[:-1] + bshp[-1:]]


@as_op(itypes=[T.dmatrix, T.dmatrix], otypes=[T.dmatrix], infer_shape=infer_shape_numpy_dot)
def numpy_dot(a, b):
    return np.dot(a, b)


@theano.compile.ops.as_op(itypes=[T.lscalar, T.dvector], otypes=[T.dvector, T.lscalar])
def thrown(n, p):
    counts = np.bincount(np.random.RandomState(0).choice(len(p), n, p=p), minlength=len(p))
    return counts.astype('float64'), np.asarray(counts.argmax())


a, b, n, p = T.dmatrix('a'), T.dmatrix('b'), T.lscalar('n'), T.dvector('p')
f = theano.function([a, b], numpy_dot(a, b) + 1)
print(f([[1., 2.]], [[3.], [4.]]).tolist())
print(theano.function([a, b], numpy_dot(a, b).shape)(np.ones((2, 3)), np.ones((3, 5))).tolist())
counts, best = thrown(n, p)
values = theano.function([n, p], [counts, best])(1000, [.2, .3, .5])
print([v.tolist() for v in values])
