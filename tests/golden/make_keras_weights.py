"""Write foreign_weights/keras*: autoencoders of Keras 3, and what they make of digits.

Needs Keras 3 and h5py beside PyTorch or JAX::

    KERAS_BACKEND=torch python tests/golden/make_keras_weights.py
"""

import keras
import numpy as np
from keras import layers
from weights_cases import draw, images, path, write_outputs


def strided(nested):
    """Return the layers of StridedAutoencoder(code=3, maps=(2, 3, 4)), as one model or as two in one."""
    down = [
        layers.Conv2D(2, 5, strides=2, padding="same", activation="relu", name="conv1"),
        layers.Conv2D(3, 5, strides=2, padding="same", activation="relu", name="conv2"),
        layers.Conv2D(4, 3, strides=2, padding="valid", activation="relu", name="conv3"),
        layers.Flatten(),
        layers.Dense(3, name="code"),
    ]
    up = [
        layers.Dense(36, activation="relu", name="dense"),
        layers.Reshape((3, 3, 4)),
        layers.Conv2DTranspose(3, 3, strides=2, padding="valid", activation="relu", name="deconv1"),
        layers.Conv2DTranspose(2, 5, strides=2, padding="same", activation="relu", name="deconv2"),
        layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="sigmoid", name="output"),
    ]
    image, code = keras.Input((28, 28, 1)), keras.Input((3,))
    if not nested:
        return keras.Sequential([image, *down, *up])
    encoder = keras.Sequential([image, *down], name="encoder")
    y = code
    for layer in up:
        y = layer(y)
    decoder = keras.Model(code, y, name="decoder")
    x = keras.Input((28, 28, 1))
    return keras.Model(x, decoder(encoder(x)))


def pooled():
    """Return ConvolutionalAutoencoder(maps=(3, 2)), whose layers have Keras's own names."""
    x = y = keras.Input((28, 28, 1))
    for maps in (3, 2):
        y = layers.MaxPooling2D(2, padding="same")(layers.Conv2D(maps, 3, padding="same", activation="relu")(y))
    for maps in (2, 3):
        y = layers.UpSampling2D(2)(layers.Conv2D(maps, 3, padding="same", activation="relu")(y))
    return keras.Model(x, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(y))


class Strided(keras.Model):
    """The same as a class, whose attributes have names."""

    def __init__(self):
        super().__init__()
        made = strided(nested=False).layers
        self.order = [layer.name for layer in made]
        for layer in made:
            setattr(self, layer.name, layer)

    def call(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return x


models = {"strided": strided(nested=False), "nested": strided(nested=True), "pooled": pooled()}
outputs = {}
for name, model in models.items():
    model.set_weights([draw(w.shape, seed) for seed, w in enumerate(model.weights)])
    model.compile(optimizer="adam", loss="mse")  # whose memory is in the files too
    outputs[name] = np.asarray(model.predict(images().reshape(-1, 28, 28, 1), verbose=0))
    model.save(path("keras_" + name + ".keras"))
    model.save_weights(path("keras_" + name + ".weights.h5"))
    model.save(path("keras_" + name + ".h5"))
subclassed = Strided()
subclassed(np.zeros((1, 28, 28, 1)))
subclassed.set_weights(models["strided"].get_weights())
subclassed.save_weights(path("keras_subclassed.weights.h5"))
lstm = keras.Sequential([keras.Input((28, 28)), layers.LSTM(2, name="reader"), layers.Dense(3, name="code")])
lstm.save(path("keras_lstm.keras"))
write_outputs("keras", outputs)
