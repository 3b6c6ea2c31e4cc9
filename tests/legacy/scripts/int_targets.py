"""categorical_crossentropy takes classes as whole numbers, or distributions."""
import numpy
import theano
import theano.tensor as T

p = T.dmatrix('p')
classes = T.ivector('classes')
targets = T.dmatrix('targets')
values = numpy.array([[.7, .2, .1], [.1, .8, .1], [.25, .25, .5]])

by_class = theano.function([p, classes], T.nnet.categorical_crossentropy(p, classes))
print ['%.10f' % c for c in by_class(values, [0, 1, 0])]

by_target = theano.function([p, targets], T.nnet.categorical_crossentropy(p, targets))
print ['%.10f' % c for c in by_target(values, numpy.eye(3)[[0, 1, 0]])]
print ['%.10f' % c for c in by_target(values, [[.5, .5, 0.], [.1, .8, .1], [0., 0., 1.]])]

picked = -T.mean(T.log(p)[T.arange(classes.shape[0]), classes])
print '%.10f' % theano.function([p, classes], picked)(values, [0, 1, 0])

x = T.dmatrix('x')
cost = T.nnet.categorical_crossentropy(T.nnet.softmax(x), classes).mean()
step = theano.function([x, classes], [cost, T.grad(cost, x)])
value, gradient = step(numpy.arange(6.).reshape(2, 3), [2, 0])
print '%.10f' % value, ' '.join(['%.10f' % g for g in gradient.ravel()])

lines = theano.function([classes], T.extra_ops.to_one_hot(classes, 4))([3, 0])
print lines.astype('int8').tolist()
wide = theano.function([x, classes], T.nnet.crossentropy_softmax_1hot(x, classes)[0])
print ['%.10f' % c for c in wide(numpy.arange(6.).reshape(2, 3), [2, 0])]
y = T.cast(theano.shared(numpy.array([0., 1., 2.])), 'int32')
print y.dtype, theano.function([p], T.eq(T.argmax(p, axis=1), y).sum())(values)
