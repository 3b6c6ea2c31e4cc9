"""Parameters kept in a file and read again."""
import cPickle
import cPickle as pickle
import os
import numpy
import theano
import theano.tensor as T

rng = numpy.random.RandomState(3)
W = theano.shared(rng.uniform(-1, 1, (2, 3)), name='W', borrow=True)
b = theano.shared(numpy.zeros(3), name='b', borrow=True)

save_file = file('params.pkl', 'wb')
for p in [W, b]:
    cPickle.dump(p.get_value(borrow=True), save_file, -1)
save_file.close()
kept = W.get_value()
W.set_value(W.get_value() * 0)
load_file = open('params.pkl')
for p in [W, b]:
    p.set_value(cPickle.load(load_file), borrow=True)
load_file.close()
print (W.get_value() == kept).all(), ' '.join(['%.8f' % v for v in kept.ravel()])

f = open('best.save', 'w')
pickle.dump({'W': W.get_value(), 'epoch': 7, 'name': 'softmax', 'cost': [0.5, 0.25]}, f)
f.close()
best = pickle.load(open('best.save', 'r'))
print sorted(best.keys()), best['epoch'], best['name'], best['cost'], best['W'].shape

text = pickle.dumps([1, 2, (3, 'four')])
print pickle.loads(text)
copy = cPickle.loads(cPickle.dumps(W, protocol=cPickle.HIGHEST_PROTOCOL))
print copy.name, (copy.get_value() == kept).all(), copy.get_value(borrow=True) is W.get_value(borrow=True)
os.remove('params.pkl')
print os.path.exists('best.save'), os.path.exists('params.pkl')
