# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A denoising autoencoder beside a plain one
#
# With enough hidden units an autoencoder could learn to copy pixels and nothing else. A *denoising* autoencoder cannot: a share
# of its input's pixels, chosen at random for each image and each step, is set to zero, and it has to draw the image without the
# damage. It must learn what goes with what, and its filters look like strokes.
#
# This is the second half of the Theano worksheet of 2015. Both models are trained here, so that they can be compared; on
# the same images (`--data mini_mnist`) both print its costs, to the last digit.

# %%
import math

import numpy as np
import pytensor.tensor as pt

from symae import Autoencoder, DenoisingAutoencoder, RandomStreams, tile_raster_images
from symae.images import enlarge, side_by_side
from symae.runs.worksheet import Worksheet

sheet = Worksheet("02_denoising_autoencoder", "A denoising autoencoder beside a plain one", epochs=200)

(train_x, _), _, (test_x, _) = sheet.load_data()

batch_size = 20
learning_rate = 0.1
n_train_batches = sheet.minibatches(batch_size)
n_pixels = math.prod(sheet.image_shape)  # 784 of MNIST's

index = pt.lscalar("index")
x = pt.matrix("x")
minibatch = train_x[index * batch_size : (index + 1) * batch_size]

# %% [markdown]
# ## The corruption
#
# Each pixel is kept with probability 0.7. The mask comes from a stream of random numbers that is part of the graph: every call
# of a compiled function draws a new one. Here is the first of them, 10 × 10; white pixels are kept.

# %%
corruption_level = 0.3

numpy_rng = np.random.RandomState(sheet.seed)
theano_rng = RandomStreams(numpy_rng.randint(2**30))

draw_mask = sheet.function("the mask", [], theano_rng.binomial(size=(10, 10), n=1, p=1 - corruption_level))
mask = np.asarray(draw_mask())
sheet.say(str(mask))

# %% [markdown]
# ## The denoising model
#
# It differs from the plain one in one method: `get_corrupted_input` multiplies the input by such a mask. The cost compares the
# reconstruction with the *clean* image.

# %%
denoising = DenoisingAutoencoder(numpy_rng, theano_rng, input=x, n_visible=n_pixels, n_hidden=100)
cost, updates = denoising.get_cost_updates(corruption_level, learning_rate)

train_denoising = sheet.function("the denoising step", [index], cost, updates=updates, givens={x: minibatch})
denoising_history = sheet.train(train_denoising, n_train_batches, denoising, "denoising autoencoder")
sheet.save(denoising)

# %% [markdown]
# ## The plain model
#
# It gets generators of its own from the same seed, so both models start from the same weights.

# %%
numpy_rng = np.random.RandomState(sheet.seed)
theano_rng = RandomStreams(numpy_rng.randint(2**30))

plain = Autoencoder(numpy_rng, theano_rng, input=x, n_visible=n_pixels, n_hidden=100)
cost, updates = plain.get_cost_updates(corruption_level=0.0, learning_rate=learning_rate)

train_plain = sheet.function("the plain step", [index], cost, updates=updates, givens={x: minibatch})
plain_history = sheet.train(train_plain, n_train_batches, plain, "autoencoder")
sheet.save(plain, "autoencoder")

# %% [markdown]
# ## Side by side
#
# First the filters, then the first hundred test images and the two reconstructions of them.


# %%
def filters(model):
    """Lay the hidden units' weights out as a tile of pictures, each with its own contrast."""
    return tile_raster_images(model.W.get_value().T, img_shape=sheet.image_shape, tile_shape=(10, 10), tile_spacing=(1, 1))


def tile(images):
    """Lay the images as they are out in rows of ten."""
    return tile_raster_images(images, sheet.image_shape, (10, 10), (1, 1), scale_rows_to_unit_interval=False)


originals = test_x.get_value()[:100]
reconstructions = sheet.function("the reconstructions", [x], [plain.feedforward(), denoising.feedforward()])
drawn_plain, drawn_denoising = (np.asarray(drawn) for drawn in reconstructions(originals))

sheet.report.heading("The mask")
sheet.report.table([["corruption, 10 × 10"], [sheet.picture("mask", enlarge(mask, 12), "70 % of the pixels are kept")]])

sheet.picture("filters", side_by_side([("autoencoder", filters(plain)), ("denoising autoencoder", filters(denoising))]))
sheet.report.heading("Filters")
sheet.report.table(
    [
        ["autoencoder", "denoising autoencoder"],
        [
            sheet.picture("filters_autoencoder", filters(plain), "trained on clean images"),
            sheet.picture("filters_denoising", filters(denoising), "trained on images with 30 % of the pixels set to zero"),
        ],
    ]
)
sheet.report.heading("Reconstructions")
sheet.report.table(
    [
        ["original", "autoencoder", "denoising autoencoder"],
        [
            sheet.picture("originals", tile(originals), "the first hundred test images"),
            sheet.picture("reconstructions_autoencoder", tile(drawn_plain), "from 100 numbers each"),
            sheet.picture("reconstructions_denoising", tile(drawn_denoising), "from 100 numbers each"),
        ],
    ]
)

# %% [markdown]
# The denoising cost stays higher, because a part of every image has to be guessed.

# %%
sheet.report.heading("Cost")
sheet.report.curve(
    {
        "denoising autoencoder": dict(enumerate(denoising_history.costs)),
        "autoencoder": dict(enumerate(plain_history.costs)),
    },
    x_label="epoch",
    y_label="cost, nats per image",
)
sheet.finish(
    {
        "hidden units": 100,
        "learning rate": learning_rate,
        "minibatch": batch_size,
        "corruption": corruption_level,
        "epochs": f"{len(denoising_history)} denoising, {len(plain_history)} plain",
    }
)
