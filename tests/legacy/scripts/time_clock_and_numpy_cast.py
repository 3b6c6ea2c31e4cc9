"""Names that time and NumPy have lost."""
import time
import numpy
import numpy as np
import theano
import theano.tensor as T

start = time.clock()
floatX = theano.config.floatX
print numpy.cast[floatX](1) / 2, numpy.cast['int32']([1.7, -1.7]).tolist(), np.cast['float32'](2).dtype
print np.zeros(2, dtype=np.float).dtype, np.zeros(2, np.int).dtype, np.zeros(2, np.bool).dtype, np.ones(1, dtype=np.object).dtype
print np.asarray([1, 2], dtype=np.float_).tolist(), np.float(3), np.int(2.7), isinstance(np.str('s'), str)
print np.product([2, 3, 4]), np.cumproduct([1, 2, 3]).tolist(), np.alltrue([1, 1]), np.sometrue([0, 0]), np.inf == np.Inf
print np.asscalar(np.array([5])), np.ndim([[1]]), np.in1d([1, 5], [5, 6]).tolist(), np.NaN != np.NaN
print np.row_stack(([1, 2], [3, 4])).tolist(), np.trapz([1., 2., 3.]), np.round_(2.567, 2), np.array([3, 1]).argsort().tolist()
print np.random.RandomState(1).random_integers(1, 6, 4).tolist()
print numpy.fromstring('\x01\x02\xff', dtype=numpy.uint8).tolist()

rng = numpy.random.RandomState(seed=23455)
rng2 = np.random.mtrand.RandomState(23455)
print rng.uniform() == rng2.uniform(), '%.10f' % rng.uniform(low=-1., high=1.)
W = theano.shared(numpy.asarray(rng.standard_normal((2, 2)), dtype=floatX), name='W')
cast = T.cast(W, 'int32')
print '%.10f' % theano.function([], W.sum())(), cast.dtype, theano.function([], T.sum(T.cast(W * 10, 'int64')))()
print theano._asarray(numpy.cast['float64'](2.5), dtype=floatX).dtype == floatX
elapsed = time.clock() - start
print elapsed >= 0, 'ran for %.1fm' % (elapsed / 60. / 60.)
