"""Products, axes and parts of tensors, read and written."""
import numpy as np
import theano
import theano.tensor as T

a = theano.shared(np.arange(6.).reshape(2, 3), name='a')
b = theano.shared(np.array([1., -1., 2.]), name='b')
c = theano.shared(np.arange(24.).reshape(2, 3, 4) / 10, name='c')
i = T.iscalar('i')


def show(name, y):
    value = np.asarray(y.eval() if i not in theano.gof.graph.inputs([y]) else y.eval({i: 1}))
    print('%s %s %s' % (name, value.shape, ' '.join('%.4f' % v for v in value.ravel())))


show('dot', T.dot(a, b))
show('a.dot', a.dot(a.T))
show('outer', T.outer(b, b))
show('tensordot', T.tensordot(a, c, axes=[[0, 1], [0, 1]]))
show('batched_dot', T.batched_dot(c, c.dimshuffle(0, 2, 1)))
show('dot of 3-d', T.dot(c, T.ones((4, 2))))
show('dimshuffle', (a.dimshuffle(0, 1, 'x') * c)[1])
show('row', b.dimshuffle('x', 0) + a)
show('x, x', a.sum().dimshuffle('x', 'x'))
show('col', a.dimshuffle(1, 0) - b.dimshuffle(0, 'x'))
show('a[i]', a[i])
show('a[:, i]', a[:, i])
show('a[i, i:]', a[i, i:])
show('a[::-1]', a[::-1, -2:])
show('rows by list', a[[1, 0, 1]])
show('pairs', a[T.arange(2), T.as_tensor_variable([2, 0])])
show('newaxis', a[:, None, :])
show('set_subtensor', T.set_subtensor(a[i], 9.))
show('inc_subtensor', T.inc_subtensor(a[:, :2], b[1:]))
show('by rows', T.inc_subtensor(a[[0, 0]], 1.))
show('gradient', T.grad(T.sum(a[[0, 0, 1]] ** 2), a))
show('grad of set', T.grad(T.sum(T.set_subtensor(b[1:], a[0, :2] ** 2)), a))
show('take', a.take([0, 2], axis=1))
show('choose', T.choose(T.as_tensor_variable([0, 1, 0]), [b, b * 10]))
print(a.ndim, a.broadcastable, a.dtype, c[0].ndim, T.addbroadcast(T.dmatrix(), 0).broadcastable)
try:
    len(a)
except TypeError:
    print('no len')
