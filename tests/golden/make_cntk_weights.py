"""Write foreign_weights/cntk*: autoencoders of CNTK 2.7, whose arrays are saved by NumPy, and what they make of digits.

Needs a Python 3.6 with ``pip install cntk==2.7``, and Open MPI 1.10 or something that has its names, which are not called::

    python3.6 tests/golden/make_cntk_weights.py
"""

import cntk as C
import numpy as np
from weights_cases import draw, images, path, write_outputs


def layer(kind, *arguments, **settings):
    """Return a layer and the function that it is."""
    made = kind(*arguments, **settings)
    layers.append(made)
    return made


outputs, layers = {}, []
x = C.input_variable((1, 28, 28))
same, no_bias = {"pad": True}, {"pad": True, "bias": False}

# ImageAutoencoder(maps=(2, 3), pool=2), as CNTK's example 07
a = layer(C.layers.Convolution2D, (5, 5), 2, activation=C.relu, **same)(x)
pooled = C.layers.MaxPooling((2, 2), (2, 2))(a)
b = layer(C.layers.Convolution2D, (5, 5), 3, activation=C.relu, **same)(pooled)
y = C.layers.MaxUnpooling((2, 2), (2, 2))(C.layers.MaxPooling((2, 2), (2, 2))(b), b)
y = layer(C.layers.ConvolutionTranspose2D, (5, 5), 2, **no_bias)(y)
y = C.layers.MaxUnpooling((2, 2), (2, 2))(y, a)
unpooled = layer(C.layers.ConvolutionTranspose2D, (5, 5), 1, **no_bias)(y)
names = ["W_A", "b_A", "W_B", "b_B", "V_B", "V_A"]
networks = {"unpooled": (unpooled, layers, names)}

# strides down to four numbers, and up again
layers = []
y = layer(C.layers.Convolution2D, (5, 5), 2, activation=C.relu, strides=2, **same)(x)
y = layer(C.layers.Convolution2D, (3, 3), 3, activation=C.relu, strides=2, **same)(y)
y = layer(C.layers.Dense, 4)(C.reshape(y, 147))
y = C.reshape(layer(C.layers.Dense, 147, activation=C.relu)(y), (3, 7, 7))
up = {"strides": 2, "pad": True}
y = layer(C.layers.ConvolutionTranspose2D, (3, 3), 2, activation=C.relu, output_shape=(14, 14), **up)(y)
y = layer(C.layers.ConvolutionTranspose2D, (5, 5), 1, activation=C.sigmoid, output_shape=(28, 28), **up)(y)
names = [f"{name}_{kind}" for name in ("conv1", "conv2", "code", "dense", "deconv1", "output") for kind in "Wb"]
networks["strided"] = (y, layers, names)

for network, (drawn, made, names) in networks.items():
    parameters = [p for one in made for p in ([one.W, one.b] if hasattr(one, "b") and one.b is not None else [one.W])]
    for seed, p in enumerate(parameters):
        p.value = draw(p.shape, seed)
    outputs[network] = drawn.eval({x: images().reshape(-1, 1, 28, 28)})
    print(network, [p.shape for p in parameters])
    np.savez(path("cntk_" + network + ".npz"), **{name: p.value for name, p in zip(names, parameters)})
write_outputs("cntk", outputs)
