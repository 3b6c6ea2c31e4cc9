"""Modes by name, by object, and what people looked up in compiled functions."""
import numpy
import theano
import theano.tensor as T

x = T.dmatrix('x')
w = theano.shared(numpy.eye(2) * 3, name='w')
y = T.dot(x, w).sum(axis=1)
point = [[1., 2.], [3., 4.]]
for mode in ('FAST_COMPILE', 'FAST_RUN', 'DebugMode', None, theano.Mode(linker='py', optimizer='fast_compile'),
             theano.compile.mode.get_default_mode(), theano.compile.mode.Mode(linker='vm')):
    f = theano.function([x], y, mode=mode)
    print f(point).tolist()
for linker in ('py', 'vm', 'c|py'):
    print theano.function([x], y, mode=theano.Mode(linker=linker, optimizer='fast_run'))(point).tolist(),
print
f = theano.function([x], y, name='named', profile=False)
print f.name, f.trust_input, len(f.input_storage) >= 1, f.maker.fgraph.outputs[0].ndim
f.trust_input = False
copy = f.copy(share_memory=False)
print numpy.ravel(copy(point)).tolist()
swapped = f.copy(swap={w: theano.shared(numpy.ones((2, 2)))})
print numpy.ravel(swapped(point)).tolist()
fast = theano.function([theano.In(x, borrow=True)], theano.Out(y, borrow=True))
print fast(numpy.asarray(point)).tolist()
theano.config.profile = False
theano.config.compute_test_value = 'off'
print theano.__version__.split('.')[0] in ('0', '1')
