"""An Op of one's own, in Python, with a gradient."""
import numpy
import theano
import theano.tensor as T
from theano import gof


class Axpb(theano.Op):
    """a * x + b"""
    __props__ = ('a', 'b')

    def __init__(self, a, b):
        self.a = a
        self.b = b
        super(Axpb, self).__init__()

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        x, = inputs
        z, = output_storage
        z[0] = self.a * x + self.b

    def infer_shape(self, node, i0_shapes):
        return i0_shapes

    def grad(self, inputs, output_grads):
        return [self.a * output_grads[0]]


class LargestTwo(gof.Op):
    def __eq__(self, other):
        return type(self) == type(other)

    def __hash__(self):
        return hash(type(self))

    def __str__(self):
        return self.__class__.__name__

    def make_node(self, x):
        assert x.type.ndim == 1
        return gof.Apply(self, inputs=[x], outputs=[T.dscalar(), T.lscalar()])

    def perform(self, node, (x,), (largest, where)):
        order = numpy.argsort(x)
        largest[0] = numpy.asarray(x[order[-1]])
        where[0] = numpy.asarray(order[-2])

x = T.dvector('x')
op = Axpb(4, 1)
y = op(x)
print theano.function([x], y)([1., 2., -1.]).tolist(), theano.function([x], y.shape)([0.] * 7).tolist()
print theano.function([x], T.grad(T.sum(op(x) ** 2), x))([1., 2., -1.]).tolist()
print op == Axpb(4, 1), op == Axpb(4, 2), isinstance(y.owner.op, Axpb)
largest, where = LargestTwo()(x)
f = theano.function([x], [largest, where])
print [v.tolist() for v in f([3., 9., 4.])], str(largest.owner.op)
