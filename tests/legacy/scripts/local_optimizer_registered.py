"""Optimisations of one's own: registered, or through a mode."""
import numpy
import theano
import theano.tensor as T
from theano.gof import local_optimizer
from theano.tensor.opt import register_canonicalize


class Doubled(theano.Op):
    __props__ = ()

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return theano.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = 2 * inputs[0]

doubled = Doubled()
x = T.dvector('x')

def ops_of(f):
    return [node.op for node in f.maker.fgraph.toposort()]

before = theano.function([x], doubled(x) + 1, mode='FAST_RUN')
print before([1., 2.]).tolist(), doubled in ops_of(before), len(before.maker.fgraph.outputs), len(before.maker.fgraph.inputs)

@register_canonicalize
@local_optimizer([Doubled])
def local_doubled(node):
    if not isinstance(node.op, Doubled):
        return False
    return [node.inputs[0] + node.inputs[0]]

after = theano.function([x], doubled(x) + 1, mode='FAST_RUN')
print after([1., 2.]).tolist(), doubled in ops_of(after)
without = theano.function([x], doubled(x) + 1, mode=theano.compile.get_mode('FAST_RUN').excluding('local_doubled'))
print without([1., 2.]).tolist(), doubled in ops_of(without)

y = T.dvector('y')
once = theano.function([x, y], T.exp(x * y) + T.exp(x * y), mode='FAST_RUN')
print len([op for op in ops_of(once) if isinstance(op, T.Dot)]), '%.8f' % once([.5], [.25])[0]
