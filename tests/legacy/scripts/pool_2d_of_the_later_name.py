"""signal.pool.pool_2d, by the names of its arguments in 0.8 and in 0.9."""
import numpy as np
import theano
import theano.tensor as T
from theano.tensor.signal import pool
from theano.tensor.signal.pool import pool_2d

x = T.dtensor3('x')
values = np.random.RandomState(5).normal(size=(2, 5, 5)).round(2)


def show(name, y):
    value = theano.function([x], y)(values)
    print('%s %s %s' % (name, value.shape, ' '.join('%.6f' % v for v in value.ravel())))


show('ds', pool_2d(x, ds=(2, 2), ignore_border=True))
show('ws', pool_2d(x, ws=(2, 2), ignore_border=False))
show('stride', pool_2d(x, ws=(3, 3), stride=(2, 2), ignore_border=True))
show('st', pool_2d(x, (3, 3), st=(2, 2), ignore_border=True, mode='max'))
show('pad', pool_2d(x, ws=(3, 3), pad=(1, 1), ignore_border=True, mode='average_inc_pad'))
show('exc', pool_2d(x, ws=(3, 3), pad=(1, 1), ignore_border=True, mode='average_exc_pad'))
show('sum', pool_2d(x, ws=(2, 2), ignore_border=False, mode='sum'))
show('pool.', pool.pool_2d(input=x, ws=(5, 5), ignore_border=True))

g = T.grad(T.sum(pool_2d(x, ws=(3, 3), stride=(2, 2), ignore_border=True) ** 2), x)
show('gradient', g)
y = T.dtensor5('y')
print(theano.function([y], pool.pool_3d(y, ws=(2, 2, 2), ignore_border=True))(np.arange(27.).reshape(1, 1, 3, 3, 3)).tolist())
