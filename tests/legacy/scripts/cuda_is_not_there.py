"""Scripts that ask for a GPU, and do without one."""
import numpy
import theano
import theano.tensor as T
import theano.sandbox.cuda
from theano.sandbox import cuda

print cuda.cuda_available, theano.sandbox.cuda.cuda_enabled
if cuda.cuda_available:
    from theano.sandbox.cuda.dnn import dnn_conv as conv2d
else:
    from theano.tensor.nnet.conv import conv2d

x = theano.shared(numpy.asarray(numpy.random.RandomState(22).rand(6), theano.config.floatX))
f = theano.function([], T.exp(x))
for i in xrange(3):
    r = f()
print 'Result is', ' '.join(['%.6f' % v for v in r])
if numpy.any([isinstance(node.op, T.Elemwise) and 'Gpu' not in type(node.op).__name__
              for node in f.maker.fgraph.toposort()]):
    print 'Used the cpu'
else:
    print 'Used the gpu'

y = conv2d(T.ones((1, 1, 3, 3)), T.ones((1, 1, 2, 2)))
print theano.function([], y)().tolist()
if theano.config.device.startswith('gpu') or theano.config.device.startswith('cuda'):
    print 'on the GPU'
print type(x) == theano.compile.SharedVariable, isinstance(x, T.sharedvar.TensorSharedVariable)
try:
    import theano.sandbox.cuda.dnn
    print theano.sandbox.cuda.dnn.dnn_available()
except ImportError:
    print False
