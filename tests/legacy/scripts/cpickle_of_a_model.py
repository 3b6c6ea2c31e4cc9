"""A whole model in a pickle: its shared variables, its expressions, its compiled function."""
import cPickle
import numpy
import theano
import theano.tensor as T


class Layer(object):
    def __init__(self, input, n_in, n_out):
        rng = numpy.random.RandomState(0)
        self.W = theano.shared(value=rng.normal(size=(n_in, n_out)), name='W', borrow=True)
        self.b = theano.shared(value=numpy.ones((n_out,)), name='b', borrow=True)
        self.input = input
        self.output = T.tanh(T.dot(input, self.W) + self.b)
        self.params = [self.W, self.b]
        self.cache = lambda: None

    def __getstate__(self):
        state = self.__dict__.copy()
        del state['cache']
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.cache = lambda: 'made again'

layer = Layer(T.matrix('input'), 2, 3)
point = [[0.25, -0.5]]
print ['%.10f' % v for v in theano.function([layer.input], layer.output)(point)[0]]
with open('layer.pkl', 'wb') as f:
    cPickle.dump(layer, f)

read = cPickle.load(open('layer.pkl', 'rb'))
print type(read).__name__, read.cache(), read.params[0] is read.W, read.W.name, read.input.name
read.b.set_value(numpy.zeros(3))
again = theano.function(inputs=[read.input], outputs=read.output)
print ['%.10f' % v for v in again(point)[0]]
print ['%.10f' % v for v in theano.function([layer.input], layer.output)(point)[0]]

compiled = theano.function([layer.input], layer.output.sum())
other = cPickle.loads(cPickle.dumps(compiled, -1))
print '%.10f %.10f' % (compiled(point), other(point))
