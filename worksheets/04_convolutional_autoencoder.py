# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A convolutional autoencoder
#
# An encoder of three convolutions, each followed by pooling, makes 8 maps of 4 × 4 of a digit; a decoder of convolutions and
# upsampling draws the digit from them. It is the convolutional autoencoder of "Building autoencoders in Keras" (2016).
#
# With `--code 10` the digit goes through a much narrower passage: convolutions with strides, and a fully connected code of ten
# numbers, after Guo, Liu, Zhu and Yin (2017). So few numbers can be drawn as a map of all digits.
#
# Keras trains for 50 epochs and reports a cost of 0.094. Ten are the default here and take minutes; `--resume --epochs 50` goes
# on from there.

# %%
import numpy as np

from symae import ConvolutionalAutoencoder, StridedAutoencoder, function
from symae.images import code_map, feature_maps, filter_maps, labelled_rows, side_by_side
from symae.optimizers import inverse_time_decay
from symae.runs.options import at_least
from symae.runs.worksheet import Worksheet

sheet = Worksheet(
    "04_convolutional_autoencoder",
    "A convolutional autoencoder",
    epochs=10,
    images=60000,
    data="mnist",
    floatX="float32",
    resumable=True,
    options={
        "--code": {
            "type": at_least(1, 1000),
            "metavar": "N",
            "help": "train the model with strides and a code of so many numbers",
        },
    },
)
strided = sheet.settings.code is not None

# %% [markdown]
# ## The data
#
# Pixels lie from 0 to 1, both included: they are divided by 255. Keras trains on all 60000 images, so the validation images are
# trained on too; where a data set has fewer images, there are more epochs. The test images are only looked at.

# %%
batch_size = 256 if strided else 128
images = sheet.unit_images(sheet.training_images(batch_size))
test_images = sheet.unit_images(sheet.dataset.test.x)
test_labels = sheet.dataset.test.y

# %% [markdown]
# ## The model
#
# ```
# conv1  16 filters 3 × 3   28 × 28        conv4    8 filters 3 × 3      4 × 4
# pool1                     14 × 14        up1                           8 × 8
# conv2   8 filters 3 × 3   14 × 14        conv5    8 filters 3 × 3      8 × 8
# pool2                       7 × 7        up2                         16 × 16
# conv3   8 filters 3 × 3     7 × 7        conv6   16 filters 3 × 3    14 × 14
# pool3, the code             4 × 4        up3                         28 × 28
#                                          output   1 filter 3 × 3     28 × 28
# ```
#
# Convolutions are padded with zeros so that images keep their size, all but `conv6`: 7 rows were pooled to 4, which become 16
# where 14 are wanted, and a convolution without padding takes off the two. A layer is rectified, max(0, ·); the output is a
# sigmoid, so that a pixel is a probability.
#
# With `--code N` there is no pooling: each convolution moves by two pixels and so halves the image.
#
# ```
# conv1  32 filters 5 × 5   14 × 14        dense    1152 numbers
# conv2  64 filters 5 × 5     7 × 7        deconv1  64 filters 3 × 3     7 × 7
# conv3 128 filters 3 × 3     3 × 3        deconv2  32 filters 5 × 5   14 × 14
# code, fully connected   N numbers        output    1 filter 5 × 5    28 × 28
# ```

# %%
rng = np.random.RandomState(sheet.seed)
if strided:
    model = StridedAutoencoder(rng, code=sheet.settings.code, image_shape=sheet.image_shape)
else:
    model = ConvolutionalAutoencoder(rng, maps=(16, 8, 8), image_shape=sheet.image_shape)

# %% [markdown]
# ## Training
#
# The cost is the binary cross-entropy of the reconstruction with the image, in nats per pixel. A blank guess, grey
# everywhere, costs 0.69; no drawing costs nothing, because a grey pixel is uncertain even when it is met: on MNIST's test
# images the least possible is 0.058.
#
# Adadelta gives each weight a rate of its own, from the mean squares of its gradients and of its past steps. Keras leaves the
# overall rate at 1, where the steps never become small and the costs end in noise, near 0.098. Here the rate begins higher and
# falls with 1 / (1 + t / 3500), t being the steps so far, and the weights that are tested and kept are averages over about the
# last hundred steps.
#
# The images come in a new order in each epoch. Each finished epoch is kept in `last.safetensors`; after Ctrl-C or a power
# failure `--resume` goes on from there, to the last bit as if nothing had happened.

# %%
first_rate, rho = 4.0, 0.95
learning_rate, counting = inverse_time_decay(first_rate, half_after=3500)
cost, updates = model.get_cost_updates(learning_rate=learning_rate, rho=rho)

history = sheet.fit(
    cost,
    updates + counting,
    {model.x: images},
    model,
    batch_size=batch_size,
    validation={model.x: test_images},
    average=0.99,
    seconds_an_image=0.0004 if strided else 0.0002,
)
sheet.save(model)
sheet.report_costs(history, "nats per pixel")

# %% [markdown]
# ## What it draws
#
# The first ten test images over what becomes of them.

# %%
# for a few images NumPy is done before a compiler has begun
look = function([model.x], [model.code, model.output], mode="FAST_COMPILE")
originals = test_images[:10]
_, reconstructions = look(originals)

sheet.report.heading("Reconstructions")
drawn = labelled_rows([("original", originals), ("reconstruction", reconstructions)], sheet.image_shape, zoom=3)
sheet.report.figure(sheet.picture("reconstructions", drawn, "the first ten test images", zoom=1))

# %% [markdown]
# ## The code
#
# Eight maps of 4 × 4 still are a picture, in which one can see where something is: here for the first test image of each digit,
# black being zero. A few numbers are not, but as points they can be put on a map: here 2000 test images, along the two
# directions in which their codes vary most. The model has never seen a label; the colours are put on afterwards.

# %%
sheet.report.heading("The code")
if strided:
    shown = min(2000, len(test_images))
    codes = np.concatenate([look(test_images[i : i + 250])[0] for i in range(0, shown, 250)])[:shown]
    coloured = code_map(codes, None if test_labels is None else test_labels[:shown])
    sheet.report.figure(sheet.picture("codes", coloured, f"{shown} test images", zoom=1))
else:
    of_each = test_images[:10] if test_labels is None else test_images[np.unique(test_labels, return_index=True)[1][:10]]
    codes, _ = look(of_each)
    codes /= np.maximum(codes.max(axis=(0, 2, 3), keepdims=True), 1e-6)  # each row of maps has its own contrast
    name = f"code, 8 maps of {codes.shape[2]} x {codes.shape[3]}"
    maps = [("image", feature_maps(of_each, cell=56, colours=True)), (name, feature_maps(codes, cell=56))]
    sheet.report.figure(sheet.picture("codes", side_by_side(maps, columns=1), "the first test image of each class", zoom=1))

# %% [markdown]
# ## The filters
#
# Each column is a filter, each row one of the maps it looks at; grey is zero. The first convolution looks at pixels; what the
# later ones look for is what the earlier ones found. Of large layers the first 16 filters are shown, on the first 8 maps.

# %%
rows = [["layer", "filters"]]
for p in model.params:
    if p.ndim == 4:
        weights = p.get_value()
        tile = filter_maps(weights[:16, :8], cell=30, colours=p is model.params[0])
        n, c, h, w = weights.shape
        words = f"{n} filters {h} × {w} on {c} map{'s' if c > 1 else ''}"
        rows.append([p.name.removesuffix("_W"), sheet.picture(p.name, tile, words, zoom=1)])
sheet.report.heading("Filters")
sheet.report.table(rows)

# %%
sheet.finish(
    {
        "model": f"strides, a code of {sheet.settings.code} numbers" if strided else "16, 8, 8 maps",
        "optimizer": f"Adadelta, rate {first_rate:g} and falling, rho {rho}; averaged weights",
        "minibatch": batch_size,
        "training images": len(images),
        "epochs": len(history),
    }
)
