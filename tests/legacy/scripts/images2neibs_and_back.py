"""Patches of images, one a row, and the images out of them."""
import numpy
import theano
import theano.tensor as T
from theano.tensor.nnet.neighbours import images2neibs, neibs2images

images = T.dtensor4('images')
values = numpy.arange(2 * 1 * 4 * 6, dtype='float64').reshape(2, 1, 4, 6)

neibs = images2neibs(images, neib_shape=(2, 3))
patches = theano.function([images], neibs)(values)
print patches.shape
print patches[:3].astype(int).tolist()

overlapping = theano.function([images], images2neibs(images, (2, 2), neib_step=(1, 2)))(values)
print overlapping.shape, overlapping[4].tolist()

try:
    theano.function([images], images2neibs(images, (3, 3)))(values)
except (TypeError, ValueError):
    print '4 rows are not a multiple of 3'
ignoring = images2neibs(images, (3, 3), mode='ignore_borders')
print theano.function([images], ignoring)(values).shape

back = neibs2images(neibs, (2, 3), images.shape)
print (theano.function([images], back)(values) == values).all()

# the largest of each patch, as people pooled before there was a pooling
largest = neibs2images(neibs.max(axis=1).dimshuffle(0, 'x'), (1, 1), (2, 1, 4 / 2, 6 / 3))
print theano.function([images], largest)(values)[1, 0].tolist()
print theano.function([images], T.grad((neibs.max(axis=1) ** 2).sum(), images))(values)[0, 0].tolist()
