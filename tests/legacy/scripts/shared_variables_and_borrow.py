"""Shared variables copy unless they are told to borrow."""
import numpy
import theano
import theano.tensor as T

values = numpy.ones(2, theano.config.floatX)
default = theano.shared(values)
copied = theano.shared(values, borrow=False)
lent = theano.shared(values, borrow=True)
values += 1
print(default.get_value().tolist(), copied.get_value().tolist(), lent.get_value().tolist())

inside = lent.get_value(borrow=True)
inside[0] = 7
outside = lent.get_value()
outside[1] = 9
print(lent.get_value().tolist())

lent.set_value(numpy.zeros(3, dtype=theano.config.floatX))
print(lent.get_value(borrow=True).shape, lent.eval().tolist())
try:
    lent.set_value(numpy.zeros((2, 2), dtype=theano.config.floatX))
except TypeError:
    print('a vector stays a vector')

counter = theano.shared(0)
print(counter.dtype, counter.ndim, theano.shared(0.5).dtype, theano.shared(numpy.int32(3)).dtype)
increment = theano.function([], updates=[(counter, counter + 1)])
for i in range(4):
    increment()
print(int(counter.get_value()), counter.name)
counter.set_value(-1)
print(int(counter.get_value()))

generic = theano.shared([1., 2.])
print(type(generic.get_value()).__name__, isinstance(generic, T.TensorVariable))
row = theano.shared(numpy.zeros((1, 3)), broadcastable=(True, False), name='row')
print(row.name, row.broadcastable, (row + T.dmatrix()).broadcastable)
print(isinstance(row, T.sharedvar.TensorSharedVariable), isinstance(row, theano.compile.SharedVariable))
copy = theano.shared(row.get_value() * 0. + 5, name=row.name + '_copy')
print(copy.name, copy.get_value().tolist(), type(copy.get_value()).__name__)
