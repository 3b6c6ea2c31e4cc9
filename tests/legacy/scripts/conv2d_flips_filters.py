"""The convolution is one: its filters are flipped. Old and new function, all borders."""
import numpy as np
import theano
import theano.tensor as T
from theano.tensor.nnet import conv

x = T.tensor4('x', dtype='float64')
W = theano.shared(np.array([[[[1., 2.], [3., 4.]]], [[[0., 1.], [0., -1.]]]]), name='W')
image = np.arange(12.).reshape(1, 1, 3, 4)

def show(name, y):
    value = theano.function([x], y)(image)
    print name, value.shape, value.ravel().tolist()

show('nnet.conv.conv2d', conv.conv2d(input=x, filters=W))
show('with its shapes', conv.conv2d(input=x, filters=W, filter_shape=(2, 1, 2, 2), image_shape=(1, 1, 3, 4)))
show('full', conv.conv2d(x, W, border_mode='full'))
show('subsampled', conv.conv2d(x, W, subsample=(2, 2)))
show('nnet.conv2d', T.nnet.conv2d(x, W))
show('not flipped', T.nnet.conv2d(x, W, filter_flip=False))
show('half', T.nnet.conv2d(x, W, border_mode='half'))
show('border of 1', T.nnet.conv2d(x, W, border_mode=1, input_shape=(None, 1, 3, 4)))
show('border of (0, 1)', T.nnet.conv2d(x, W, border_mode=(0, 1), subsample=(1, 2)))
show('dilated', T.nnet.conv2d(x, W, filter_dilation=(2, 2)))

b = theano.shared(np.array([0.5, -0.5]), name='b')
y = T.tanh((conv.conv2d(x, W) + b.dimshuffle('x', 0, 'x', 'x')) / 20.)
gW, gb = theano.function([x], T.grad(T.mean(y), [W, b]))(image)
print ' '.join(['%.10f' % g for g in gW.ravel()]), ' '.join(['%.10f' % g for g in gb])

from theano.tensor.signal.conv import conv2d as conv2d_of_one
m, k = T.dmatrix(), T.dmatrix()
print theano.function([m, k], conv2d_of_one(m, k))(image[0, 0], [[1., 0.], [0., 2.]]).tolist()
