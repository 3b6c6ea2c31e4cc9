# the sigmoids of T.nnet: exact, by pieces, and by straight lines
import numpy
import theano
import theano.tensor as T
from theano.tensor.nnet import sigmoid, softplus, hard_sigmoid, ultra_fast_sigmoid, binary_crossentropy

x = T.dvector('x')
given = numpy.array([-30., -4., -2.25, -1., -0.1, 0., 0.3, 1.7, 2.25, 3., 5., 30.])

def show(name, y, at=given):
    print name
    print '  ' + ' '.join(['%.8f' % v for v in theano.function([x], y)(at)])
    return y

show('sigmoid', sigmoid(x))
show('softplus', softplus(x))
show('hard_sigmoid', hard_sigmoid(x))
show('ultra_fast_sigmoid', ultra_fast_sigmoid(x))
show('gradient of hard_sigmoid', T.grad(hard_sigmoid(x).sum(), x))
show('gradient of softplus', T.grad(T.sum(softplus(x)), x))
show('softsign', T.nnet.softsign(x))

t = theano.shared(numpy.linspace(0, 1, 12))
show('binary_crossentropy', binary_crossentropy(sigmoid(x), t), given / 10)
show('with logarithms', -t * T.log(sigmoid(x)) - (1 - t) * T.log(1 - sigmoid(x)), given / 10)
show('sigmoid_binary_crossentropy', T.nnet.sigmoid_binary_crossentropy(x, t), given / 10)

far = theano.function([x], T.log(sigmoid(x)), mode=theano.Mode('py', 'fast_run'))
print 'the optimiser keeps log(sigmoid(-800)) finite:', far([-800.]).tolist()
print sigmoid(T.lvector()).dtype == theano.config.floatX or sigmoid(T.lvector()).dtype, sigmoid(T.fvector()).dtype
