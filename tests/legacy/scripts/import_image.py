"""Pictures by PIL, when it was still a module called Image; and by scipy.misc."""
import numpy
import Image
import scipy.misc
import theano
import theano.tensor as T

W = theano.shared(numpy.arange(24.).reshape(6, 4), name='W')

def scale_to_unit_interval(ndar, eps=1e-8):
    ndar = ndar.copy()
    ndar -= ndar.min()
    ndar *= 1.0 / (ndar.max() + eps)
    return ndar

tile = numpy.asarray(255 * scale_to_unit_interval(W.get_value(borrow=True)), dtype='uint8')
picture = Image.fromarray(tile)
picture.save('filters_at_epoch_%i.png' % 3)
print picture.size, picture.mode, tile[0].tolist()
read = numpy.asarray(Image.open(open('filters_at_epoch_3.png', 'rb')), dtype='float64') / 256.
print ' '.join(['%.6f' % v for v in read[2]])
bigger = picture.resize((8, 12), Image.NEAREST)
print numpy.asarray(bigger)[3].tolist()
colours = Image.new('RGB', (2, 2), (255, 0, 10))
print numpy.asarray(colours).shape, colours.getpixel((1, 1))

scipy.misc.imsave('weights.png', W.get_value())
again = scipy.misc.imread('weights.png')
print again.dtype, again[1].tolist(), scipy.misc.toimage(W.get_value()).size
print '%.8f' % scipy.misc.logsumexp([1., 2., 3.]), scipy.misc.comb(5, 2), scipy.misc.factorial(4, exact=1)

img = T.tensor3('img')
turned = numpy.asarray(picture, dtype=theano.config.floatX)[numpy.newaxis].transpose(0, 2, 1) / 256.
print '%.8f' % theano.function([img], img.sum())(turned)
