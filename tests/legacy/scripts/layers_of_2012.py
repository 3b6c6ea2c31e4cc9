"""What sibling_module.py imports."""
import numpy
import theano
import theano.tensor as T

print 'layers_of_2012 is imported'

def halves(n):
    return n / 2, n - n / 2

class Layer(object):
    def __init__(self, rng, input, n_in, n_out):
        self.W = theano.shared(numpy.asarray(rng.uniform(-1, 1, (n_in, n_out)), dtype=theano.config.floatX), name='W')
        self.output = T.tanh(T.dot(input, self.W))
