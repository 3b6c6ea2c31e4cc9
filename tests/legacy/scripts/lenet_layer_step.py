"""Convolution, pooling and tanh, and a few steps of all of it."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.signal import downsample
from theano.tensor.nnet import conv


class LeNetConvPoolLayer(object):
    def __init__(self, rng, input, filter_shape, image_shape, poolsize=(2, 2)):
        assert image_shape[1] == filter_shape[1]
        self.input = input
        fan_in = numpy.prod(filter_shape[1:])
        fan_out = (filter_shape[0] * numpy.prod(filter_shape[2:]) / numpy.prod(poolsize))
        W_bound = numpy.sqrt(6. / (fan_in + fan_out))
        self.W = theano.shared(numpy.asarray(rng.uniform(low=-W_bound, high=W_bound, size=filter_shape),
                                             dtype=theano.config.floatX), borrow=True)
        self.b = theano.shared(value=numpy.zeros((filter_shape[0],), dtype=theano.config.floatX), borrow=True)
        conv_out = conv.conv2d(input=input, filters=self.W, filter_shape=filter_shape, image_shape=image_shape)
        pooled_out = downsample.max_pool_2d(input=conv_out, ds=poolsize, ignore_border=True)
        self.output = T.tanh(pooled_out + self.b.dimshuffle('x', 0, 'x', 'x'))
        self.params = [self.W, self.b]

rng = numpy.random.RandomState(23455)
batch_size = 4
x, y = T.matrix('x'), T.ivector('y')
layer0 = LeNetConvPoolLayer(rng, x.reshape((batch_size, 1, 9, 9)), (2, 1, 2, 2), (batch_size, 1, 9, 9))
layer1 = LeNetConvPoolLayer(rng, layer0.output, (3, 2, 3, 3), (batch_size, 2, 4, 4))
features = layer1.output.flatten(2)
W = theano.shared(numpy.zeros((3, 2), dtype=theano.config.floatX))
p = T.nnet.softmax(T.dot(features, W))
cost = -T.mean(T.log(p)[T.arange(y.shape[0]), y])
params = [W] + layer1.params + layer0.params
train = theano.function([x, y], [cost, T.mean(T.neq(T.argmax(p, axis=1), y))],
                        updates=[(a, a - 0.5 * g) for a, g in zip(params, T.grad(cost, params))])
data = rng.rand(batch_size, 81)
for step in xrange(4):
    print '%d %.10f %g' % ((step,) + tuple(train(data, numpy.asarray([0, 1, 1, 0], dtype='int32'))))
print ' '.join(['%.10f' % v for v in layer0.b.get_value()])
