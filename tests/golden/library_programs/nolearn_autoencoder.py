"""nolearn's NeuralNet, with what its tutorials introduce: layers as a list or by names, TrainSplit, on_epoch_finished."""

import json

import lasagne
import numpy as np
import theano
from lasagne import layers
from lasagne.updates import nesterov_momentum
from nolearn.lasagne import BatchIterator, NeuralNet, TrainSplit

rng = np.random.RandomState(0)
pictures = rng.uniform(size=(24, 1, 8, 8)).astype(theano.config.floatX)
labels = (pictures[:, 0, :4].mean(axis=(1, 2)) > pictures[:, 0, 4:].mean(axis=(1, 2))).astype("int32")
figures = {}


def history(net):
    return [float(epoch[key]) for epoch in net.train_history_ for key in ("train_loss", "valid_loss")]


def slow_down(net, epochs):
    """Let the n-th epoch have the n-th part of the first one's learning rate."""
    net.update_learning_rate.set_value(np.asarray(0.05 / (1 + len(epochs)), theano.config.floatX))


lasagne.random.set_rng(np.random.RandomState(1))
net = NeuralNet(
    layers=[
        (layers.InputLayer, {"shape": (None, 1, 8, 8)}),
        (layers.Conv2DLayer, {"num_filters": 3, "filter_size": 3, "pad": "same"}),
        (layers.MaxPool2DLayer, {"pool_size": 2}),
        (layers.DenseLayer, {"num_units": 6}),
        (layers.DenseLayer, {"num_units": 64, "nonlinearity": lasagne.nonlinearities.sigmoid}),
    ],
    regression=True,
    update=nesterov_momentum,
    update_learning_rate=0.05,
    update_momentum=0.9,
    batch_iterator_train=BatchIterator(batch_size=6),
    train_split=TrainSplit(eval_size=0.25),
    max_epochs=3,
)
net.fit(pictures, pictures.reshape(24, 64))
figures["autoencoder"] = history(net)
figures["reconstructed"] = net.predict(pictures[:2]).ravel()[::8].tolist()

lasagne.random.set_rng(np.random.RandomState(2))
net = NeuralNet(
    layers=[
        ("input", layers.InputLayer),
        ("hidden", layers.DenseLayer),
        ("dropout", layers.DropoutLayer),
        ("output", layers.DenseLayer),
    ],
    input_shape=(None, 64),
    hidden_num_units=7,
    dropout_p=0.2,
    output_num_units=2,
    output_nonlinearity=lasagne.nonlinearities.softmax,
    update=nesterov_momentum,
    update_learning_rate=theano.shared(np.asarray(0.05, theano.config.floatX)),
    update_momentum=0.9,
    on_epoch_finished=[slow_down],
    batch_iterator_train=BatchIterator(batch_size=6),
    train_split=TrainSplit(eval_size=0.25, stratify=False),
    max_epochs=3,
)
net.fit(pictures.reshape(24, 64), labels)
figures["classifier"] = history(net)
figures["probabilities"] = net.predict_proba(pictures[:3].reshape(3, 64)).ravel().tolist()
print(json.dumps(figures))
