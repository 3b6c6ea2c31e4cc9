import sys, time
import numpy
import theano
import theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams
from logistic_sgd import load_data
from utils import tile_raster_images
import Image


class Autoencoder(object):
    def __init__(self, numpy_rng, theano_rng=None, input=None, n_visible=784, n_hidden=500, W=None, bhid=None, bvis=None):
        floatX = theano.config.floatX
        self.theano_rng = theano_rng or RandomStreams(numpy_rng.randint(2 ** 30))
        if not W:
            bound = 4 * numpy.sqrt(6. / (n_hidden + n_visible))
            values = numpy.asarray(numpy_rng.uniform(low=-bound, high=bound, size=(n_visible, n_hidden)), dtype=floatX)
            W = theano.shared(value=values, name='W', borrow=True)
        if not bvis:
            bvis = theano.shared(value=numpy.zeros(n_visible, dtype=floatX), name='b_prime', borrow=True)
        if not bhid:
            bhid = theano.shared(value=numpy.zeros(n_hidden, dtype=floatX), name='b', borrow=True)
        self.W, self.b, self.b_prime, self.W_prime = W, bhid, bvis, W.T
        self.x = T.dmatrix(name='input') if input is None else input
        self.params = [self.W, self.b, self.b_prime]

    def __getstate__(self):
        return [p.get_value() for p in self.params]

    def __setstate__(self, state):
        for p, value in zip(self.params, state):
            p.set_value(value)

    def get_corrupted_input(self, input, corruption_level):
        return input

    def get_hidden_values(self, input):
        return T.nnet.sigmoid(T.dot(input, self.W) + self.b)

    def get_reconstructed_input(self, hidden):
        return T.nnet.sigmoid(T.dot(hidden, self.W_prime) + self.b_prime)

    def get_cost_updates(self, corruption_level, learning_rate):
        y = self.get_hidden_values(self.get_corrupted_input(self.x, corruption_level))
        z = self.get_reconstructed_input(y)
        cost = T.mean(-T.sum(self.x * T.log(z) + (1 - self.x) * T.log(1 - z), axis=1))
        gradients = T.grad(cost, self.params)
        return cost, [(p, p - learning_rate * g) for p, g in zip(self.params, gradients)]

    def feedforward(self):
        return self.get_reconstructed_input(self.get_hidden_values(self.x))


class DenoisingAutoencoder(Autoencoder):
    def get_corrupted_input(self, input, corruption_level):
        return self.theano_rng.binomial(size=input.shape, n=1, p=1 - corruption_level) * input


batch_size = 20
datasets = load_data(DATA + 'mini_mnist.pkl.gz')
train_set_x, train_set_y = datasets[0]
n_train_batches = train_set_x.get_value(borrow=True).shape[0] / batch_size / int(sys.argv[2])
index = T.lscalar()
x = T.matrix('x')


def train(model, corruption_level, epochs=int(sys.argv[1])):
    cost, updates = model.get_cost_updates(corruption_level, 0.1)
    step = theano.function([index], cost, updates=updates,
                           givens={x: train_set_x[index * batch_size: (index + 1) * batch_size]})
    start = time.clock()
    for epoch in xrange(epochs):
        costs = [step(i) for i in xrange(n_train_batches)]
        if epoch % 10 == 0:
            print 'Training epoch %d, cost %f' % (epoch, numpy.mean(costs))
    print >> sys.stderr, 'The training ran for %.2fm' % ((time.clock() - start) / 60.)


rng = numpy.random.RandomState(123)
autoencoder = Autoencoder(rng, RandomStreams(rng.randint(2 ** 30)), x, 28 * 28, 100)
train(autoencoder, 0.)

rng = numpy.random.RandomState(123)
theano_rng = RandomStreams(rng.randint(2 ** 30))
print theano.function([], theano_rng.binomial(size=(10, 10), n=1, p=1 - 0.3))()
denoising = DenoisingAutoencoder(rng, theano_rng, x, 28 * 28, 100)
train(denoising, 0.3)

for name, model in (('ae', autoencoder), ('dae', denoising)):
    tiles = tile_raster_images(X=model.W.get_value(borrow=True).T, img_shape=(28, 28), tile_shape=(10, 10), tile_spacing=(1, 1))
    Image.fromarray(tiles).save(DATA + 'filters_%s.png' % name)
html.table([["<img src='cell://filters_ae.png'>", "<img src='cell://filters_dae.png'>"]],
           header=['Autoencoder', 'Denoising autoencoder'])
images = datasets[2][0].get_value(borrow=True)[:100]
for name, model in (('original', None), ('reconstructed', autoencoder), ('denoised', denoising)):
    shown = images if model is None else theano.function([x], model.feedforward())(images)
    Image.fromarray(tile_raster_images(shown, (28, 28), (10, 10), (1, 1))).save(DATA + name + '.png')
    html('<p>%s</p><img src="%s%s.png">' % (name, DATA, name))
