"""A script that was ahead of its time: / of whole numbers is true division in it."""
from __future__ import print_function, division
import sys
import numpy as np
import theano
import theano.tensor as T
try:
    import cPickle as pickle
except ImportError:
    import pickle
try:
    xrange
except NameError:
    xrange = range

print(7 / 2, 7 // 2, sep=' | ', end='\n', file=sys.stdout)
print((np.arange(4) / 2).tolist())
i = T.iscalar('i')
print((i / 2).dtype == theano.config.floatX or (i / 2).dtype, theano.function([i], i / 2)(7).tolist(), (i // 2).dtype)
x = T.dvector('x')
print(['%.4f' % v for v in theano.function([x], x / x.shape[0])([1., 2., 4.])])
print(sum(xrange(4)), pickle.loads(pickle.dumps([1])), u'text', b'bytes' == 'bytes'.encode())
