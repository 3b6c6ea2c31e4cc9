"""Two layers with weight decay, indented by tabs here and spaces there."""
import numpy as np
import theano
import theano.tensor as T

class HiddenLayer:
	def __init__(self, rng, input, n_in, n_out, activation=T.tanh):
		values = np.asarray(rng.uniform(low=-np.sqrt(6. / (n_in + n_out)), high=np.sqrt(6. / (n_in + n_out)),
			size=(n_in, n_out)), dtype=theano.config.floatX)
		if activation == theano.tensor.nnet.sigmoid:
			values *= 4
		self.W = theano.shared(value=values, name='W', borrow=True)
		self.b = theano.shared(value=np.zeros((n_out,), dtype=theano.config.floatX), name='b', borrow=True)
		lin_output = T.dot(input, self.W) + self.b
		self.output = (lin_output if activation is None else activation(lin_output))
		self.params = [self.W, self.b]

def build(activation):
	rng = np.random.RandomState(1234)
	x, t = T.matrix('x'), T.vector('t')
	hidden = HiddenLayer(rng, x, 2, 6, activation)
	out = HiddenLayer(rng, hidden.output, 6, 1, None)
	params = hidden.params + out.params
	L1 = abs(hidden.W).sum() + abs(out.W).sum()
	L2_sqr = (hidden.W ** 2).sum() + (out.W ** 2).sum()
	cost = T.mean((out.output.flatten() - t) ** 2) + 0.001 * L1 + 0.0001 * L2_sqr
	updates = [(p, p - 0.1 * T.grad(cost, p)) for p in params]
	return theano.function(inputs=[x, t], outputs=[cost, L1, L2_sqr], updates=updates)

xor = [[0, 0], [0, 1], [1, 0], [1, 1]]
for name, activation in (('tanh', T.tanh), ('sigmoid', T.nnet.sigmoid), ('none', None)):
	f = build(activation)
        for i in range(50):
		if i % 25 == 0:
			print name, i, len('a	b'), '%.10f %.10f %.10f' % tuple(f(xor, [0., 1., 1., 0.]))
                else:
			f(xor, [0., 1., 1., 0.])
	print name, '%.10f' % f(xor, [0., 1., 1., 0.])[0]
