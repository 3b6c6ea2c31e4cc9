"""Everything else that Theano's RandomStreams draw, and how they are seeded again."""
import numpy as np
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams

srng = RandomStreams(seed=234)


def show(name, draw):
    value = np.asarray(theano.function([], draw)())
    print('%s %s %s' % (name, value.shape, ' '.join('%.10g' % v for v in value.ravel())))


show('uniform', srng.uniform((2, 2)))
show('uniform between', srng.uniform((2, 2), low=-1, high=1))
show('size=', srng.uniform(size=(3,), low=2., high=3.))
show('normal', srng.normal((2, 2)))
show('avg and std', srng.normal(size=(3,), avg=10., std=0.01))
show('random_integers', srng.random_integers((5,), low=1, high=6))
show('permutation', srng.permutation(n=6))
show('permutations', srng.permutation(size=(2,), n=4))
show('multinomial', srng.multinomial(size=(2,), n=5, pvals=[.2, .3, .5]))
show('choice', srng.choice(size=(4,), a=10))
show('poisson', srng.poisson(size=(4,), lam=3.))
show('shuffle', srng.shuffle_row_elements(T.as_tensor_variable(np.arange(8).reshape(2, 4))))

u = srng.uniform((2,))
f = theano.function([], u)
g = theano.function([], srng.normal((1,)))
f()
u.rng.set_value(np.random.RandomState(89234), borrow=True)
print(' '.join('%.10f' % v for v in f()))
srng.seed(902340)
print(' '.join('%.10f' % v for v in list(f()) + list(g())))

# the state can be kept, and put back
state = u.rng.get_value(borrow=True).get_state()
first = f()
generator = u.rng.get_value(borrow=True)
generator.set_state(state)
u.rng.set_value(generator, borrow=True)
print((first == f()).all())
print(len(srng.state_updates) > 10, srng.state_updates[0][0].get_value().uniform() < 1)
