"""Sizes of windows that are inputs, or shared variables that change from one call to the next."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.nnet.neighbours import images2neibs, neibs2images
from theano.tensor.signal.pool import pool_2d, pool_3d

deep = theano.shared(numpy.array([1, 3, 2]), 'deep')
images = numpy.random.RandomState(1).randint(0, 50, (1, 2, 6, 6)) / 10.
x, m = T.tensor4('x'), T.matrix('m')
ws, stride, pad = (theano.shared(numpy.array(v), name) for v, name in (([2, 2], 'ws'), ([1, 2], 'stride'), ([0, 0], 'pad')))


def show(results):
    for r in results:
        print r.shape, numpy.round(r.ravel(), 6).tolist()

# one function for all modes, and the gradients
modes = ('max', 'sum', 'average_inc_pad', 'average_exc_pad')
inside = [pool_2d(x, ws, ignore_border=True, stride=stride, pad=pad, mode=mode) for mode in modes]
partly = [pool_2d(x, ws, ignore_border=False, stride=stride, mode=mode) for mode in modes]
apart = [pool_2d(x, ws, ignore_border=False), pool_2d(x, ds=ws, ignore_border=True), pool_3d(x, deep, True)]
f = theano.function([x], inside + partly + apart + [T.grad(T.sum(T.sqr(inside[0]) + partly[2].sum()), x)])
show(f(images))
ws.set_value([3, 4])
pad.set_value([1, 2])
show(f(images))
stride.set_value([4, 5])
show(f(images)[:8])
v = T.lvector('v')
print theano.function([x, v], pool_2d(x, v, ignore_border=True))(images, [3, 2]).shape

shape, step = theano.shared(numpy.array([2, 2])), theano.shared(numpy.array([2, 2]))
neibs = images2neibs(x, shape, step)
g = theano.function([x], [neibs, images2neibs(x, shape)])
show(g(images))
shape.set_value([2, 3])
step.set_value([2, 3])
show(g(images))
of_mode = [images2neibs(x, shape, step, mode=mode) for mode in ('ignore_borders', 'wrap_centered')]
shape.set_value([3, 3])
show(theano.function([x], of_mode)(images))
step.set_value([1, 3])
show(theano.function([x], images2neibs(x, shape, step, mode='wrap_centered'))(images)[:3])
shape.set_value([2, 2])
try:
    theano.function([x], images2neibs(x, shape, theano.shared(numpy.array([3, 3]))))(images)
except (TypeError, ValueError):
    print 'these do not fit'
back = neibs2images(images2neibs(x, shape), shape, x.shape)
print numpy.array_equal(theano.function([x], back)(images), images)
shape.set_value([4, 4])
h = neibs2images(images2neibs(x, shape, mode='ignore_borders'), shape, x.shape, mode='ignore_borders')
show(theano.function([x], h)(images))
