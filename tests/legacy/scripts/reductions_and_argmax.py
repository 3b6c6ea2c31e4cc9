"""Sums, means and the rest, over all axes or some."""
import numpy
import theano
import theano.tensor as T

x = T.dtensor3('x')
values = numpy.random.RandomState(0).permutation(24).reshape(2, 3, 4).astype('float64')

def show(name, y):
    value = numpy.asarray(theano.function([x], y)(values))
    print name, value.shape, value.dtype.kind, ' '.join(['%.6f' % v for v in value.ravel()])

show('sum', T.sum(x))
show('sum axis 0', T.sum(x, axis=0))
show('sum of two axes', x.sum(axis=[0, 2]))
show('keepdims', T.sum(x, axis=1, keepdims=True))
show('mean', x.mean())
show('mean axis -1', T.mean(x, axis=-1))
show('var', T.var(x, axis=0))
show('std', x.std())
show('prod', T.prod(x + 1, axis=(0, 1)))
show('max', T.max(x, axis=2))
show('min', x.min(axis=1))
show('argmax', T.argmax(x, axis=1))
show('argmax of all', T.argmax(x))
show('argmin', x.argmin(axis=2))
largest, where = T.max_and_argmax(x, axis=2)
show('max_and_argmax', largest * 100 + where)
show('norm', x.norm(2))
show('cumsum', T.extra_ops.cumsum(x, axis=2)[0])
show('any', T.any(x > 22, axis=(1, 2)))
show('all', T.all(x >= 0))
show('sort', T.sort(x, axis=2)[1])
show('argsort', T.argsort(x, axis=2)[0])
i = T.cast(x, 'int32')
show('sum of int32', i.sum())
show('mean of int32', T.mean(i, axis=(1, 2)))
print i.sum().dtype, T.argmax(x).dtype, T.mean(i).dtype == 'float64', T.cast(x, 'int8').sum().dtype, T.fvector().sum().dtype
show('ptp', T.ptp(x, axis=0)[0])
show('dot of sums', T.dot(x.sum(axis=(0, 1)), x.sum(axis=(0, 1))))
show('logsumexp by hand', T.log(T.sum(T.exp(x - 23), axis=2)))
