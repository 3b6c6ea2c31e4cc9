"""Write foreign_weights/{lasagne,theano,keras_on_theano}*: weights of programs under real Theano, and what they make of digits.

Needs a Python 3.8 with ``pip install Theano==1.0.5 "numpy<1.22" "scipy<1.8" keras==2.3.1 "h5py<4"`` and Lasagne of
https://github.com/Lasagne/Lasagne at 5d3c63c; the pickles also a Python 2.7 with ``pip install Theano==1.0.5 h5py``::

    THEANO_FLAGS=floatX=float32,cxx= KERAS_BACKEND=theano python tests/golden/make_theano_weights.py lasagne keras
    THEANO_FLAGS=floatX=float32,cxx= python2.7 tests/golden/make_theano_weights.py pickles
"""

import pickle
import sys

import numpy as np
import theano
import theano.tensor as T
from weights_cases import draw, images, path, write_outputs


def lasagne_files():
    """Write an .npz as Lasagne's own mnist.py does, for a network with filters of both kinds."""
    from lasagne import layers, nonlinearities

    rectify = nonlinearities.rectify
    x = T.tensor4("x")
    y = layers.InputLayer((None, 1, 28, 28), x)
    y = layers.Conv2DLayer(y, 2, 5, stride=2, pad=2, nonlinearity=rectify)
    y = layers.Conv2DLayer(y, 3, 3, stride=2, pad=1, nonlinearity=rectify)
    y = layers.DenseLayer(y, 4, nonlinearity=None)
    y = layers.ReshapeLayer(layers.DenseLayer(y, 147, nonlinearity=rectify), ([0], 3, 7, 7))
    y = layers.TransposedConv2DLayer(y, 2, 3, stride=2, crop=1, output_size=(14, 14), nonlinearity=rectify)
    y = layers.TransposedConv2DLayer(y, 1, 5, stride=2, crop=2, output_size=(28, 28), nonlinearity=nonlinearities.sigmoid)
    layers.set_all_param_values(y, [draw(w.shape, seed) for seed, w in enumerate(layers.get_all_param_values(y))])
    np.savez(path("lasagne_strided.npz"), *layers.get_all_param_values(y))
    drawn = theano.function([x], layers.get_output(y))
    write_outputs("lasagne", {"strided": drawn(images().reshape(-1, 1, 28, 28))})


def keras_files():
    """Write the .h5 of Keras 2.3.1 on Theano, whose filters are turned round; images have their channels first or last."""
    import keras
    from keras import backend, layers

    outputs = {}
    for order in ("channels_first", "channels_last"):
        backend.set_image_data_format(order)
        shape, maps = ((1, 28, 28), (3, 7, 7)) if order == "channels_first" else ((28, 28, 1), (7, 7, 3))
        model = keras.models.Sequential(
            [
                layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1", input_shape=shape),
                layers.MaxPooling2D(2),
                layers.Conv2D(3, 3, padding="same", activation="relu", name="conv2"),
                layers.MaxPooling2D(2),
                layers.Flatten(),
                layers.Dense(4, name="code"),
                layers.Dense(147, activation="relu", name="dense"),
                layers.Reshape(maps),
                layers.Conv2DTranspose(2, 3, padding="same", activation="relu", name="deconv1"),
                layers.UpSampling2D(4),
                layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="output"),
            ]
        )
        model.set_weights([draw(w.shape, seed) for seed, w in enumerate(model.get_weights())])
        model.save(path("keras_on_theano_" + order + ".h5"))
        drawn = model.predict(images().reshape((-1,) + shape))
        outputs[order] = drawn if order == "channels_first" else drawn.transpose(0, 3, 1, 2)
    write_outputs("keras_on_theano", outputs)


class LogisticRegression(object):
    """The tutorial's: its graph is pickled with it."""

    def __init__(self, input, n_in, n_out):
        self.W = theano.shared(draw((n_in, n_out), 0), name="W", borrow=True)
        self.b = theano.shared(draw((n_out,), 1), name="b", borrow=True)
        self.p_y_given_x = T.nnet.softmax(T.dot(input, self.W) + self.b)
        self.y_pred = T.argmax(self.p_y_given_x, axis=1)
        self.params = [self.W, self.b]
        self.input = input


class dA(object):
    """The tutorial's, which pickles three arrays."""

    def __init__(self, n_visible, n_hidden):
        self.W = theano.shared(draw((n_visible, n_hidden), 0), name="W")
        self.b = theano.shared(draw((n_hidden,), 1), name="b")
        self.b_prime = theano.shared(draw((n_visible,), 2), name="b_prime")

    def __getstate__(self):
        return (self.W.get_value(), self.b.get_value(), self.b_prime.get_value())

    def __setstate__(self, state):
        raise NotImplementedError

    def reconstruction(self, x):
        y = T.nnet.sigmoid(T.dot(x, self.W) + self.b)
        return T.nnet.sigmoid(T.dot(y, self.W.T) + self.b_prime)


def pickles():
    """Write pickles of the tutorials' objects and arrays, by the protocols of that time."""
    x = T.matrix("x")
    classifier, autoencoder = LogisticRegression(x, 784, 10), dA(784, 4)
    with open(path("theano_logistic.pkl"), "wb") as file:
        pickle.dump(classifier, file, -1)
    with open(path("theano_dA.pkl"), "wb") as file:
        pickle.dump(autoencoder, file)
    with open(path("theano_in_a_row.pkl"), "wb") as file:
        for value in autoencoder.__getstate__():
            pickle.dump(value, file, -1)
    with open(path("theano_shared.pkl"), "wb") as file:
        pickle.dump([autoencoder.W, autoencoder.b, autoencoder.b_prime], file, 2)
    outputs = {"logistic": classifier.p_y_given_x, "dA": autoencoder.reconstruction(x)}
    write_outputs("theano", dict((name, theano.function([x], y)(images())) for name, y in outputs.items()))


for wanted in sys.argv[1:]:
    {"lasagne": lasagne_files, "keras": keras_files, "pickles": pickles}[wanted]()
