"""Which dimensions stretch is a matter of the type."""
import numpy as np
import theano
from theano import theano as same
from theano import tensor
from theano import tensor as T

m = T.dmatrix('m')
flags = T.TensorType('float64', (False, True))('flags')
print(flags.broadcastable, flags.ndim, (m + flags).broadcastable, T.TensorType('float64', [True] * 2)().broadcastable)
print(T.patternbroadcast(m, (False, True)).broadcastable, T.addbroadcast(m, 0, 1).broadcastable)
print(T.unbroadcast(flags, 1).broadcastable, T.row().T.broadcastable, T.shape_padleft(m).broadcastable)
print(T.shape_padright(m).broadcastable, T.shape_padaxis(m, 1).broadcastable, m.dimshuffle(0, 'x', 1).broadcastable)
print(m.sum(axis=0, keepdims=True).broadcastable, T.zeros((1, 3)).broadcastable, m[:1].broadcastable, T.ones((2, 2)).ndim)
print(T.alloc(0., 1, 5).broadcastable, m.reshape((1, -1)).ndim, T.makeKeepDims(m, m.sum(axis=1), 1).broadcastable)

f = theano.function([m, flags], m * flags)
print(f(np.ones((2, 3)), [[2.], [3.]]).tolist())
try:
    f(np.ones((2, 3)), np.ones((2, 3)))
except TypeError:
    print('refused')
state = theano.shared(np.ones((1, 3)))
try:
    theano.function([m], updates=[(state, T.patternbroadcast(state + m, (False, False)))])([[1., 2., 3.]])
    print(state.get_value().tolist())
except TypeError:
    print('types differ')
try:
    theano.function([m], m + T.zeros((2, 1)).sum(axis=1))(np.ones((2, 3)))
except ValueError:
    print('3 and 2 do not fit')
x = theano.shared(np.zeros((2, 1)))
try:
    theano.function([], x + T.ones((2, 3)) * theano.shared(np.ones((2, 3))))()
except ValueError:
    print('a shared column of 1 does not stretch unless it is told')
print('int8' in T.discrete_dtypes, 'float32' in T.continuous_dtypes, 'complex64' in T.complex_dtypes, T.float_dtypes[-1])
print(same.config.floatX == theano.config.floatX, tensor is T)
