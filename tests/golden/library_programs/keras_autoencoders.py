"""The autoencoders of the Keras blog, "Building Autoencoders in Keras", on small pictures; for Keras 1 and Keras 2.

Keras's settings, in .keras/keras.json, are to be `SETTINGS` of make_library_programs.py.
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import backend as K
from keras import regularizers
from keras.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    Lambda,
    MaxPooling2D,
    RepeatVector,
    Reshape,
    UpSampling2D,
)
from keras.models import Model, Sequential, load_model

ONE = keras.__version__.startswith("1.")
EPOCHS = {"nb_epoch": 2} if ONE else {"epochs": 2}
SAME = {"border_mode": "same"} if ONE else {"padding": "same"}
L1 = {"activity_regularizer": regularizers.activity_l1(1e-4)} if ONE else {"activity_regularizer": regularizers.l1(1e-4)}


def pictures():
    """Return forty 28x28 pictures of bright bars, of which the last eight are for validation."""
    rng = np.random.RandomState(0)
    x = rng.uniform(0, 0.2, size=(40, 28, 28))
    for i, row in enumerate(rng.randint(2, 24, size=40)):
        x[i, row : row + 3] += 0.7
    return x[:32], x[32:]


def model_of(x, y):
    return Model(input=x, output=y) if ONE else Model(inputs=x, outputs=y)


def trained(model, x, y, vx, vy, optimizer="adadelta", loss="binary_crossentropy"):
    """Return losses of both sets, and what the model makes of the second, after a stay in a file."""
    model.compile(optimizer=optimizer, loss=loss)
    history = model.fit(x, y, batch_size=8, shuffle=True, verbose=0, validation_data=(vx, vy), **EPOCHS).history
    made = model.predict(vx)
    return [*history["loss"], *history["val_loss"], made.mean(), made.std(), *np.ravel(made)[:300:50]]


def kept(model):
    """Return the model as it is after a stay in a file."""
    path = str(Path(tempfile.mkdtemp(), "model.h5"))
    model.save(path)
    return load_model(path)


def dense(depths, **encoder):
    x, vx = (a.reshape(len(a), -1) for a in pictures())
    image = Input(shape=(784,))
    h = image
    for n in depths:
        h = Dense(n, activation="relu", **encoder)(h)
    for n in depths[-2::-1]:
        h = Dense(n, activation="relu")(h)
    model = model_of(image, Dense(784, activation="sigmoid")(h))
    figures = trained(model, x, x, vx, vx)
    again = kept(model)
    figures.append(float(abs(again.predict(vx) - model.predict(vx)).max()))
    return [*figures, again.train_on_batch(x[:8], x[:8])]


def conv(n):
    return Conv2D(n, 3, 3, activation="relu", **SAME) if ONE else Conv2D(n, (3, 3), activation="relu", **SAME)


def convolutional(noise=0.0):
    x, vx = (a[..., None] for a in pictures())
    rng = np.random.RandomState(1)
    nx, nvx = (np.clip(a + noise * rng.normal(size=a.shape), 0.0, 1.0) for a in (x, vx))
    image = Input(shape=(28, 28, 1))
    h = image
    for n in (16, 8, 8):
        h = MaxPooling2D((2, 2), **SAME)(conv(n)(h))
    h = UpSampling2D((2, 2))(conv(8)(h))
    h = UpSampling2D((2, 2))(conv(8)(h))
    h = Conv2D(16, 3, 3, activation="relu")(h) if ONE else Conv2D(16, (3, 3), activation="relu")(h)
    h = UpSampling2D((2, 2))(h)
    h = Conv2D(1, 3, 3, activation="sigmoid", **SAME)(h) if ONE else Conv2D(1, (3, 3), activation="sigmoid", **SAME)(h)
    return trained(model_of(image, h), nx, x, nvx, vx)


def variational():
    x, vx = (a.reshape(len(a), -1) for a in pictures())
    image = Input(batch_shape=(8, 784))
    h = Dense(16, activation="relu")(image)
    mean, log_sigma = Dense(2)(h), Dense(2)(h)

    def sampling(args):
        m, s = args
        more = {"std": 1.0} if ONE else {"stddev": 1.0}
        return m + K.exp(s) * K.random_normal(shape=(8, 2), mean=0.0, seed=5, **more)

    z = Lambda(sampling, output_shape=(2,))([mean, log_sigma])
    decoded = Dense(784, activation="sigmoid")(Dense(16, activation="relu")(z))

    def vae_loss(a, b):
        cross = K.sum(K.binary_crossentropy(b, a) if ONE else K.binary_crossentropy(a, b), axis=-1)
        return cross - 0.5 * K.sum(1 + log_sigma - K.square(mean) - K.exp(log_sigma), axis=-1)

    model = model_of(image, decoded)
    model.compile(optimizer="rmsprop", loss=vae_loss)
    history = model.fit(x, x, batch_size=8, verbose=0, validation_data=(vx, vx), **EPOCHS).history
    encoder = model_of(image, mean)
    return [*history["loss"], *history["val_loss"], *np.ravel(encoder.predict(vx, batch_size=8))]


def sequence():
    """Train a sequence-to-sequence autoencoder, of an LSTM and a GRU."""
    x, vx = (a[:, ::4, ::4] for a in pictures())
    rows = Input(shape=(7, 7))
    h = RepeatVector(7)(LSTM(5)(rows))
    model = model_of(rows, GRU(7, return_sequences=True)(h))
    return trained(model, x, x, vx, vx, "adam", "mse")


def regularised():
    """Train with batch normalisation and dropout."""
    x, vx = (a.reshape(len(a), -1)[:, ::7] for a in pictures())
    model = Sequential()
    model.add(Dense(20, input_dim=x.shape[1], activation="tanh"))
    model.add(BatchNormalization())
    model.add(Dropout(0.3))
    model.add(Dense(x.shape[1], activation="sigmoid"))
    return trained(model, x, x, vx, vx, "sgd")


def convolution_normalised():
    """Train convolution, batch normalisation of its maps, and a dense decoder."""
    x, vx = (a[:, ::2, ::2, None] for a in pictures())
    model = Sequential()
    strided = {"subsample": (2, 2)} if ONE else {"strides": (2, 2)}
    first = (
        Conv2D(4, 3, 3, input_shape=(14, 14, 1), **strided) if ONE else Conv2D(4, (3, 3), input_shape=(14, 14, 1), **strided)
    )
    for layer in (first, BatchNormalization(), Flatten(), Dense(196, activation="sigmoid"), Reshape((14, 14, 1))):
        model.add(layer)
    return trained(model, x, x, vx, vx, "rmsprop", "mse")


PROGRAMS = {
    "dense": lambda: dense([32]),
    "sparse": lambda: dense([32], **L1),
    "deep": lambda: dense([128, 64, 32]),
    "convolutional": convolutional,
    "denoising": lambda: convolutional(noise=0.5),
    "variational": variational,
    "sequence": sequence,
    "regularised": regularised,
    "convolution_normalised": convolution_normalised,
}

if __name__ == "__main__":
    figures = {}
    for name in sys.argv[1:] or PROGRAMS:
        np.random.seed(1)
        figures[name] = [float(v) for v in PROGRAMS[name]()]
    print(json.dumps(figures))
