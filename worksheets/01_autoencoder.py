# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # An autoencoder with tied weights
#
# An autoencoder is a network that learns to copy its input to its output through a narrow passage. What it squeezes an image
# into, the *code*, has to hold what matters about images of this kind.
#
# This worksheet trains one on handwritten digits: 784 pixels to 100 hidden units and back. It is the first half of the Theano
# worksheet of 2015 after the Deep Learning Tutorials, and on the same images (`--data mini_mnist`) it prints the same costs, to
# the last digit.

# %%
import math

import numpy as np
import pytensor.tensor as pt

from symae import Autoencoder, RandomStreams, tile_raster_images
from symae.runs.worksheet import Worksheet

sheet = Worksheet("01_autoencoder", "An autoencoder with tied weights", epochs=200)

# %% [markdown]
# ## The data
#
# Each row of a matrix is an image, of 28 × 28 pixels if it is one of MNIST's, in [0, 1). The matrix is a *shared variable*:
# compiled functions see it without being handed it each time, and a minibatch is a symbolic slice of it.

# %%
(train_x, _), _, (test_x, _) = sheet.load_data()

batch_size = 20
n_train_batches = sheet.minibatches(batch_size)
n_pixels = math.prod(sheet.image_shape)  # 784 of MNIST's

index = pt.lscalar("index")
x = pt.matrix("x")
minibatch = train_x[index * batch_size : (index + 1) * batch_size]

# %% [markdown]
# ## The model
#
# The encoder maps an image $x$ to its code, the decoder maps the code to a reconstruction:
#
# $$y = s(x W + b), \qquad z = s(y W^T + b')$$
#
# where $s$ is the sigmoid. The decoder uses the encoder's weights, transposed: they are *tied*. `da.W_prime` is the symbolic
# transpose of `da.W`, not a second matrix.

# %%
numpy_rng = np.random.RandomState(sheet.seed)
theano_rng = RandomStreams(numpy_rng.randint(2**30))

da = Autoencoder(numpy_rng, theano_rng, input=x, n_visible=n_pixels, n_hidden=100)

# %% [markdown]
# ## Training
#
# A pixel is taken as the probability of being white, and the cost is the cross-entropy of the reconstruction with the image,
#
# $$L = -\sum_k x_k \log z_k + (1 - x_k) \log(1 - z_k),$$
#
# in nats per image, averaged over the minibatch. `get_cost_updates` derives the gradient and returns it as *updates*: for each
# parameter its new value. The compiled function takes the number of a minibatch, makes one step, and returns the cost.

# %%
learning_rate = 0.1
cost, updates = da.get_cost_updates(corruption_level=0.0, learning_rate=learning_rate)

train_da = sheet.function("the training step", [index], cost, updates=updates, givens={x: minibatch})
history = sheet.train(train_da, n_train_batches, da)

sheet.save(da)

# %% [markdown]
# ## What it learned
#
# Each hidden unit has a weight for each pixel, so its weights are a picture: the *filter* that the unit looks through. Beside
# them the first hundred test images, and what comes out when the network has to draw them from their 100 numbers.

# %%
filters = tile_raster_images(da.W.get_value().T, img_shape=sheet.image_shape, tile_shape=(10, 10), tile_spacing=(1, 1))

reconstruct = sheet.function("the reconstruction", [x], da.feedforward())
originals = test_x.get_value()[:100]


def tile(images):
    """Lay the images as they are out in rows of ten: no image's contrast is stretched."""
    return tile_raster_images(images, sheet.image_shape, (10, 10), (1, 1), scale_rows_to_unit_interval=False)


sheet.report.heading("Filters and reconstructions")
sheet.report.table(
    [
        ["filters", "test images", "reconstructions"],
        [
            sheet.picture("filters", filters, "the weights of the 100 hidden units"),
            sheet.picture("originals", tile(originals), "the first hundred"),
            sheet.picture("reconstructions", tile(np.asarray(reconstruct(originals))), "from 100 numbers each"),
        ],
    ]
)
sheet.report.heading("Cost")
sheet.report.curve({"autoencoder": dict(enumerate(history.costs))}, x_label="epoch", y_label="cost, nats per image")
sheet.finish({"hidden units": 100, "learning rate": learning_rate, "minibatch": batch_size, "epochs": len(history)})
