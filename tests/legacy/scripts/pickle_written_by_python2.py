"""Files that Python 2 wrote: arrays, strings of bytes, shared variables of Theano's."""
import cPickle
import os
import numpy
import theano

folder = os.path.split(os.path.abspath(__file__))[0]

f = open(os.path.join(folder, 'weights_of_2012.pkl'), 'rb')
weights = cPickle.load(f)
history = cPickle.load(f)
f.close()
print sorted(weights.keys()), weights['W'].dtype, weights['W'].shape, weights['W'].flags.writeable
print ['%.6f' % v for v in weights['W'].ravel()], weights['b'].tolist()
print history['epochs'], history['name'], len(history['author']), history['seen'], type(history['big']).__name__ in ('int', 'long')
print ['%.3f' % c for c in history['costs']], history['none'], history['scalar'] + 1

W = theano.shared(weights['W'].astype(theano.config.floatX), name='W')
print '%.6f' % theano.function([], (W ** 2).sum())()

params = cPickle.load(open(os.path.join(folder, 'shared_of_2012.pkl'), 'rb'))
for p in params:
    print p.name, p.get_value().shape, p.type.dtype, p.ndim, '%.6f' % p.get_value().sum()
W, b = params
b.set_value(b.get_value() + 1)
print ['%.6f' % v for v in theano.function([], theano.tensor.dot(W, b))()]
