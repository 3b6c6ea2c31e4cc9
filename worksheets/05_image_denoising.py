# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Taking noise out of images
#
# A convolutional autoencoder that is shown noisy digits and compared with clean ones learns to clean them. The model is that of
# the fourth worksheet with two layers instead of three and more maps, so that more of an image gets through: "Building
# autoencoders in Keras" (2016) calls it the application to image denoising.
#
# Ten epochs are the default and take minutes; `--resume --epochs 50` goes on from there.

# %%
import numpy as np

from symae import ConvolutionalAutoencoder
from symae.images import filter_maps, labelled_rows, psnr, side_by_side
from symae.runs.options import real_at_least
from symae.runs.worksheet import Worksheet

sheet = Worksheet(
    "05_image_denoising",
    "Taking noise out of images",
    epochs=10,
    images=60000,
    data="mnist",
    floatX="float32",
    resumable=True,
    options={"--noise": {"type": real_at_least(0), "default": 0.5, "metavar": "F", "help": "standard deviation of the noise"}},
)

# %% [markdown]
# ## The data
#
# Pixels lie from 0 to 1. To each one a number is added, drawn from a normal distribution with standard deviation 0.5; what gets
# below 0 or above 1 is cut off. The noise is drawn once: each image has the same in all epochs. The test images get theirs
# first, so that they stay the same with fewer training images (`--images`).

# %%
batch_size = 128
images = sheet.unit_images(sheet.training_images(batch_size))
test_images = sheet.unit_images(sheet.dataset.test.x)

noise = sheet.settings.noise
rng = np.random.RandomState(sheet.seed)


def noisy(images):
    """Add noise to the images, cut to [0, 1]."""
    result = np.empty_like(images)
    for image, place in zip(images, result, strict=True):  # all at once, 60000 images of float64 would fill a gigabyte
        place[...] = np.clip(image + noise * rng.standard_normal(image.shape), 0, 1)
    return result


noisy_test_images = noisy(test_images)
noisy_images = noisy(images)

# %% [markdown]
# ## The model
#
# ```
# conv1  32 filters 3 × 3   28 × 28        conv3   32 filters 3 × 3     7 × 7
# pool1                     14 × 14        up1                         14 × 14
# conv2  32 filters 3 × 3   14 × 14        conv4   32 filters 3 × 3   14 × 14
# pool2, the code             7 × 7        up2                         28 × 28
#                                          output   1 filter 3 × 3     28 × 28
# ```
#
# Its input is noisy, its target clean: two arrays, whose images go together. The cost is the binary cross-entropy of what is
# drawn with the clean image.

# %%
model = ConvolutionalAutoencoder(rng, maps=(32, 32), image_shape=sheet.image_shape)
target = model.x.type("target")
learning_rate, rho = 1.0, 0.95
cost, updates = model.get_cost_updates(target, learning_rate, rho)

history = sheet.fit(
    cost,
    updates,
    {model.x: noisy_images, target: images},
    model,
    batch_size=batch_size,
    validation={model.x: noisy_test_images, target: test_images},
    seconds_an_image=0.0006,
)
sheet.save(model)
sheet.report_costs(history, "nats per pixel")

# %% [markdown]
# ## How much noise is gone
#
# The peak signal-to-noise ratio compares an image with the clean one: $10 \log_{10} (1 / m)$ decibels, where $m$ is the mean
# squared error of its pixels. Ten decibels more are a tenth of the error. Its mean over the test images:

# %%
with sheet.preparing("the denoising"):
    model.reconstruct(noisy_test_images[:1], backend=sheet.backend)
denoised = model.reconstruct(noisy_test_images, backend=sheet.backend)
before, after = (float(psnr(x, test_images).mean()) for x in (noisy_test_images, denoised))
sheet.say(f"PSNR of test images: noisy {before:.2f} dB, denoised {after:.2f} dB")

sheet.report.heading("Peak signal-to-noise ratio")
sheet.report.text("Of test images against the clean ones, mean over the images; more is better.")
sheet.report.table([["noisy", "denoised"], [f"{before:.2f} dB", f"{after:.2f} dB"]])

# %% [markdown]
# ## Ten digits
#
# The first ten test images: with noise, as the model draws them, and as they were.

# %%
strips = [("noisy", noisy_test_images[:10]), ("denoised", denoised[:10]), ("clean", test_images[:10])]
sheet.report.heading("Denoised images")
sheet.report.figure(
    sheet.picture("denoised", labelled_rows(strips, sheet.image_shape, zoom=3), "the first ten test images", zoom=1)
)

# %% [markdown]
# The filters of the first convolution; grey is zero. One that takes a mean of its pixels evens noise out, one that takes
# differences finds the edges of strokes.

# %%
sheet.report.heading("Filters")
weights = model.params[0].get_value()
rows = [("", filter_maps(weights[i : i + 16], cell=48, colours=True)) for i in (0, 16)]
sheet.report.figure(sheet.picture("filters", side_by_side(rows, columns=1), "the 32 filters of the first convolution", zoom=1))

# %%
sheet.finish(
    {
        "noise": noise,
        "model": "32, 32 maps",
        "optimizer": f"Adadelta, rate {learning_rate}, rho {rho}",
        "minibatch": batch_size,
        "training images": len(images),
        "epochs": len(history),
    }
)
