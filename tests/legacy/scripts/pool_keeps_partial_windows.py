"""max_pool_2d kept the windows that stick out over the border."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.signal import downsample

x = T.dtensor4('x')
values = numpy.random.RandomState(1).permutation(35).reshape(1, 1, 5, 7).astype('float64')

def show(name, y):
    value = theano.function([x], y)(values)
    print name, value.shape, ' '.join(['%g' % v for v in value.ravel()])

show('ds', downsample.max_pool_2d(x, ds=(2, 2)))
show('by position', downsample.max_pool_2d(x, (2, 3)))
show('ignore_border', downsample.max_pool_2d(input=x, ds=(2, 2), ignore_border=True))
show('not', downsample.max_pool_2d(x, (3, 3), ignore_border=False))
show('st', downsample.max_pool_2d(x, (3, 3), st=(2, 2)))
show('st, ignore_border', downsample.max_pool_2d(x, (3, 3), st=(1, 3), ignore_border=True))
show('padding', downsample.max_pool_2d(x, (2, 2), ignore_border=True, padding=(1, 1)))
show('sum', downsample.max_pool_2d(x, (2, 2), mode='sum'))
show('average_exc_pad', downsample.max_pool_2d(x, (2, 2), mode='average_exc_pad'))
show('average_inc_pad', downsample.max_pool_2d(x, (2, 2), ignore_border=True, padding=(1, 1), mode='average_inc_pad'))

m = T.dmatrix('m')
print theano.function([m], downsample.max_pool_2d(m, (2, 2)))(values[0, 0]).tolist()
cost = T.sum(downsample.max_pool_2d(x, (2, 2)) ** 2)
gradient = theano.function([x], T.grad(cost, x))(values)
print [int(v) for v in gradient.ravel()]

print downsample.DownsampleFactorMax.out_shape((9, 8), (2, 3)), downsample.DownsampleFactorMax.out_shape((9, 8), (2, 3), True)
