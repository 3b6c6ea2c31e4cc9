"""A script in parts: its sibling is of the same time."""
import sys, os
import numpy
import theano
import theano.tensor as T
from layers_of_2012 import Layer, halves
import layers_of_2012

def main(n_in=4, n_hidden=7):
    rng = numpy.random.RandomState(42)
    x = T.matrix('x')
    left, right = halves(n_hidden)
    first = Layer(rng, x, n_in, left)
    second = layers_of_2012.Layer(rng, first.output, left, right)
    f = theano.function([x], second.output)
    print halves(n_hidden), f(numpy.ones((2, n_in))).shape
    print ' '.join(['%.10f' % v for v in f(numpy.ones((1, n_in)))[0]])
    print __name__, layers_of_2012.__name__, os.path.basename(__file__), os.path.basename(sys.argv[0]), len(sys.argv)

if __name__ == '__main__':
    main()
