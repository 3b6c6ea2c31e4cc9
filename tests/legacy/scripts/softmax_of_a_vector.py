# T.nnet.softmax works on rows, and makes a row of a vector
import numpy as np
import theano
import theano.tensor as T

v = T.dvector('v')
m = T.dmatrix('m')
softmax = T.nnet.softmax

row = theano.function([v], softmax(v))([1., 2., 4.])
print row.shape, ['%.10f' % p for p in row[0]]
print softmax(v).ndim, softmax(v).broadcastable

rows = theano.function([m], softmax(m))([[1., 2., 4.], [1000., 0., -1000.], [0., 0., 0.]])
for r in rows:
    print ' '.join('%.10f' % p for p in r), repr(round(r.sum(), 12))

h = theano.shared(np.array([0.1, -0.2]), name='h')
W = theano.shared(np.arange(6).reshape(2, 3) / 3., name='W')
p = softmax(T.dot(h, W))
print p.ndim, theano.function([], p[0].argmax())(), '%.10f' % theano.function([], p[0, 2])()
print 'log', '%.10f' % theano.function([], T.log(p)[0, 0])()

y = T.iscalar('y')
cost = -T.log(p)[0][y]
print ' '.join('%.10f' % g for g in theano.function([y], T.grad(cost, W))(1).ravel())

# a stable log of it, even where the probability is 0
logs = theano.function([m], T.log(softmax(m)), mode=theano.Mode(linker='py', optimizer='fast_run'))([[800., 0.]])
print logs.tolist()
try:
    softmax(T.dtensor3())
    print 'taken'
except Exception:
    print 'three dimensions are refused'
