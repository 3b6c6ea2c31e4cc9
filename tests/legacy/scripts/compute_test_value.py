"""Test values: shapes are looked at while the graph is built."""
import numpy as np
import theano
import theano.tensor as T

theano.config.compute_test_value = 'off'
x = T.matrix('x')
x.tag.test_value = np.ones((4, 3), dtype=theano.config.floatX)
theano.config.compute_test_value = 'warn'
theano.config.print_test_value = False

W = theano.shared(np.arange(6.).reshape(3, 2).astype(theano.config.floatX), name='W')
hidden = T.tanh(T.dot(x, W))
print x.tag.test_value.shape, hasattr(T.matrix(), 'tag')
x.name = 'input of layer %i' % 1
print x.name, hidden.ndim

f = theano.function([x], hidden.sum(axis=0), on_unused_input='warn')
print ['%.10f' % v for v in f(x.tag.test_value)]
theano.config.compute_test_value = 'off'

print np.asarray([1, 2], dtype=theano.config.floatX).dtype == theano.config.floatX
print theano._asarray([1, 2], dtype='float32').dtype
print theano.config.floatX in ('float32', 'float64'), theano.config.device in ('cpu',)
