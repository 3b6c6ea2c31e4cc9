"""Shapes: flatten(outdim), stack of arguments, and the makers of tensors."""
import numpy
import theano
import theano.tensor as T

x = T.dtensor4('x')
values = numpy.arange(24.).reshape(2, 3, 2, 2)

def show(name, y):
    value = numpy.asarray(theano.function([x], y, on_unused_input='ignore')(values))
    print name, value.shape, '%.4f' % (value.ravel() * numpy.arange(1, value.size + 1)).sum()

show('flatten', x.flatten())
show('flatten(2)', x.flatten(2))
show('outdim', T.flatten(x, outdim=3))
show('T.flatten', T.flatten(x, 2))
print x.flatten(ndim=2).ndim
a, b = x[0, 0, 0], x[1, 2, 1]
show('stack(a, b)', T.stack(a, b))
show('stack([a, b])', T.stack([a, b]))
show('stack axis 1', T.stack([a, b], axis=1))
show('stack of numbers', T.stack(x.sum(), x.mean(), 3.))
show('concatenate', T.concatenate([a, b, a], axis=0))
show('of 4-d', T.concatenate([x, x], axis=1))
show('join', T.join(0, a, b))
show('reshape', x.reshape((x.shape[0], -1)))
show('T.reshape', T.reshape(x, (4, 6), ndim=2))
show('newshape', T.reshape(x, newshape=(3, 8)))
show('repeat', a.repeat(3, axis=0))
show('T.repeat', T.repeat(x[0, 0], 2, axis=1))
show('tile', T.tile(x[0, 0], (2, 3)))
show('arange', T.arange(2, 11, 3))
show('arange of shape', T.arange(x.shape[1]))
show('cast', T.cast(x / 5, 'int32'))
show('zeros', T.zeros((2, 3)) + 1)
show('ones', T.ones((x.shape[0], 2)))
show('zeros_like', T.zeros_like(x) - 1)
show('ones_like', T.ones_like(a))
show('alloc', T.alloc(7., x.shape[1], 2))
show('alloc of a row', T.alloc(a, 3, 2))
show('eye', T.eye(3))
show('diag', T.diag(x[0, 0]))
show('tri', T.tril(x[0, 0]) + T.triu(x[0, 0]))
show('roll', T.roll(x, 1, axis=1))
show('as_tensor', T.as_tensor_variable([a.sum(), b.sum()]))
show('transpose', x.transpose(0, 2, 3, 1))
show('swapaxes', x.swapaxes(1, 3))
show('unbroadcast', T.unbroadcast(T.ones((1, 2)), 0))
show('x.T', x[0, 0].T)
show('shape of', x.shape)
