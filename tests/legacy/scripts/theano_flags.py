"""Flags by the environment, before Theano is imported, and by config afterwards."""
import os
os.environ['THEANO_FLAGS'] = 'floatX=float32,device=cpu,mode=FAST_COMPILE,on_unused_input=ignore,openmp=False,cxx='
import numpy
import theano
import theano.tensor as T
from theano import config

print config.floatX, config.device, config.mode, config.on_unused_input
print T.matrix().dtype, T.dmatrix().dtype, theano.shared(numpy.asarray(1, dtype=config.floatX)).dtype
x, y = T.vector('x'), T.vector('y')
f = theano.function([x, y], x * 2)
print f([1, 2], [0]).dtype, f([1, 2], [0]).tolist()
print T.nnet.sigmoid(x).dtype, (x + 1.5).dtype, (x + numpy.float64(1.5)).dtype, T.zeros((2,)).dtype
print T.constant(1.5).dtype, T.as_tensor_variable(2.5).dtype, T.cast(T.iscalar(), config.floatX).dtype
print T.mean(T.ivector()).dtype, T.sqrt(T.ivector()).dtype, (T.ivector() * x).dtype, (T.bvector() * x).dtype

theano.config.floatX = 'float64'
print theano.config.floatX, T.vector().dtype
theano.config.warn.sum_sum_bug = False
theano.config.exception_verbosity = 'high'
theano.config.optimizer = 'fast_compile'
theano.config.openmp = False
print theano.config.openmp, theano.config.optimizer, theano.config.exception_verbosity
try:
    theano.config.floatX = 'float17'
except ValueError:
    print 'no such floatX'
config.int_division = 'int'
print config.int_division
