"""MRG_RandomStreams, whose arithmetic is its own."""
import numpy
import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams as RandomStreams

srng = RandomStreams(seed=1234)

def show(name, draw, calls=2):
    f = theano.function([], draw)
    for call in xrange(calls):
        value = f()
        print name, value.shape, ' '.join(['%.10f' % v for v in numpy.asarray(value, dtype='float64').ravel()])

show('uniform', srng.uniform((2, 3)))
show('between', srng.uniform(size=(4,), low=-2., high=2.))
print ['%.6f' % v for v in theano.function([], srng.uniform((3,), dtype='float32'))()]
show('normal', srng.normal((5,)))
show('avg and std', srng.normal(size=(2, 2), avg=3., std=.5, dtype='float64'))
show('binomial', srng.binomial(size=(10,), p=.3))
show('binomial n', srng.binomial(size=(6,), n=1, p=.5, dtype=theano.config.floatX))
show('streams', srng.uniform((4, 2), nstreams=2))
p = theano.shared(numpy.array([[.2, .3, .5], [.9, .05, .05]]))
show('multinomial', srng.multinomial(pvals=p))
show('many', srng.multinomial(n=5, pvals=p, dtype='int64'))

x = T.dvector('x')
dropped = theano.function([x], x * srng.binomial(x.shape, p=.5, dtype=x.dtype) / .5)
print dropped(numpy.arange(8.)).tolist(), dropped(numpy.arange(8.)).tolist()

again = RandomStreams(1234)
print (theano.function([], again.uniform((2, 3)))() == theano.function([], RandomStreams(1234).uniform((2, 3)))()).all()
print RandomStreams(7).uniform((2,)).eval().tolist() == RandomStreams(seed=7).uniform((2,)).eval().tolist()
