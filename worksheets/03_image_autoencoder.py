# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Images through a code of maps
#
# The first autoencoders saw an image as 784 numbers in no order. This one sees that pixels have neighbours: its encoder slides
# small filters over the image and keeps, of each patch of the result, only the largest value. Its code is a small picture.
#
# It is CNTK's example 07, the image autoencoder with deconvolution and unpooling. Without options three models are trained,
# whose results CNTK's documentation gives, and one of two layers, for which it gives none; `--maps 3 --pool 4` or `--two-layer`
# train one.

# %%
import numpy as np
import pytensor
import pytensor.tensor as pt

from symae import ImageAutoencoder
from symae.images import filter_maps
from symae.runs.nodes import show_nodes
from symae.runs.options import at_least
from symae.runs.worksheet import Worksheet

# name: (maps, pooling window, CNTK's RMSE on training and test images)
CONFIGURATIONS = {
    "1_map_4x4": (1, 4, (0.225, 0.223)),
    "3_maps_4x4": (3, 4, (0.196, 0.196)),
    "1_map_2x2": (1, 2, (0.136, 0.131)),
    "two_layers": ((5, 1), (2, 2), None),
}

sheet = Worksheet(
    "03_image_autoencoder",
    "Images through a code of maps",
    epochs=3,
    images=60000,
    data="mnist",
    floatX="float32",
    options={
        "--maps": {
            "type": at_least(1, 1000),
            "metavar": "N",
            "help": "train one model with so many maps (1 if --pool is given)",
        },
        "--pool": {"type": at_least(1), "metavar": "N", "help": "and so large a pooling window (4 if --maps is given)"},
        "--two-layer": {"action": "store_true", "help": "train only the model of two layers, of 5 maps and 1 map"},
    },
)
maps, pool = sheet.settings.maps, sheet.settings.pool
if sheet.settings.two_layer and (maps or pool):
    sheet.refuse("--two-layer has maps and pooling windows of its own, expected it without --maps and --pool")
if sheet.settings.two_layer:
    chosen = {"two_layers": CONFIGURATIONS["two_layers"]}
elif maps or pool:
    maps, pool = maps or 1, pool or 4
    name = f"{maps}_map{'s' if maps > 1 else ''}_{pool}x{pool}"
    chosen = {name: CONFIGURATIONS.get(name, (maps, pool, None))}
else:
    chosen = CONFIGURATIONS

# %% [markdown]
# ## The data
#
# Pixels are divided by 256. CNTK trains on all 60000 images, so the validation images are trained on too; where there are
# fewer images, there are more epochs. Their order is new in each epoch, so it is a shared variable: a minibatch is the images
# at 64 of its places. What is left over after the last full minibatch, 32 of 60000 images, sits out, others in each epoch.

# %%
(train_x, _), (valid_x, _), (test_x, _) = sheet.load_data()
images = np.concatenate([x.get_value(borrow=True) for x in (train_x, valid_x)])
images = pytensor.shared(images, name="images", borrow=True)
del train_x, valid_x  # MNIST's are 190 MB
test_images = test_x.get_value(borrow=True)
n_images = len(images.get_value(borrow=True))

batch_size = 64
n_batches = sheet.minibatches(batch_size, n_images)

index = pt.lscalar("index")
order = pytensor.shared(np.arange(n_images), name="order")
places = order[index * batch_size : (index + 1) * batch_size]
minibatch = images[places].reshape((batch_size, *sheet.image_shape))

# %% [markdown]
# ## The model
#
# ```
# conv1    5 × 5 filters, zero padding, a bias, ReLU      28 × 28
# pool1    the largest value of each 4 × 4 window           7 × 7    the code
# unpool1  each value where its maximum was               28 × 28    zero elsewhere
# deconv1  5 × 5 filters, transposed                      28 × 28    the reconstruction
# ```
#
# Nothing is stored about where the maxima were: `unpool1` finds them again in `conv1`. So the decoder knows more than the 49
# numbers of the code: it also knows their places.
#
# The cost of an image is the root of the mean squared error of its pixels, and that of a minibatch their mean. The learning
# rate is per image, and the momentum is given as the number of images after which a gradient's weight has fallen to 1/e.

# %%
learning_rate, time_constant = 0.00015, 600


def train(name, maps, pool):
    """Train one of the models; returns it with its history."""
    rng = np.random.RandomState(sheet.seed)
    model = ImageAutoencoder(rng, maps=maps, pool=pool, image_shape=sheet.image_shape)
    cost, updates = model.get_cost_updates(learning_rate, time_constant)
    step = sheet.function(f"the training step of {name}", [index], cost, updates=updates, givens={model.x: minibatch})
    with sheet.preparing("its error"):
        model.score(test_images[:1], backend=sheet.backend)
    history = sheet.train(
        step,
        n_batches,
        model,
        name,
        before_epoch=lambda epoch: order.set_value(rng.permutation(n_images)),
        measure=lambda: {"test RMSE": model.score(test_images, backend=sheet.backend)},
    )
    sheet.save(model, name)
    return model, history


runs = {}
for name, (maps, pool, _) in chosen.items():
    if not sheet.interrupted:
        runs[name] = train(name, maps, pool)

# %% [markdown]
# ## How far off a pixel is
#
# The costs of an epoch are measured while the model still learns; the final figures are of the model as it is then.

# %%
table = [["model", "train RMSE", "test RMSE", "CNTK, train", "CNTK, test"]]
for name, (model, _) in runs.items():
    errors = [model.score(x, backend=sheet.backend) for x in (images.get_value(borrow=True), test_images)]
    sheet.say(f"{name}: final train RMSE {errors[0]:.6f}, test RMSE {errors[1]:.6f}")
    theirs = [f"{error:.3f}" for error in chosen[name][2] or ()] or ["not given"] * 2
    table.append([name, *(f"{error:.3f}" for error in errors), *theirs])

sheet.report.heading("Root mean square error of a pixel")
sheet.report.text("Pixels lie from 0 to 1. CNTK's figures are those of its documentation.")
sheet.report.table(table)
sheet.report.curve(
    {name: dict(enumerate(history.measures.get("test RMSE", []))) for name, (_, history) in runs.items()},
    x_label="epoch",
    y_label="RMSE of test images",
)

# %% [markdown]
# ## What the models see and draw
#
# The first five test images, their codes and what is drawn from them. The numbers are in text files, one image a line. In the
# pictures of the filters grey is zero.


# %%
for name, (model, _) in runs.items():
    nodes = ["input", model.code_name, model.output_name]
    shown = show_nodes(model, nodes, test_images[:5], sheet.out, name, picture="images")
    pixels = {layer.name for layer in model.describe().layers if layer.sees_pixels or layer.draws_pixels}
    filters = {p.name: filter_maps(p.get_value(), cell=64, colours=p.name in pixels) for p in model.params if p.ndim == 4}
    sheet.report.heading(name.replace("_", " "))
    sheet.report.figure(shown.picture, "the first five test images, their codes and reconstructions")
    sheet.report.table([["filters", ""], *([p, sheet.picture(f"{name}_{p}", tile, zoom=1)] for p, tile in filters.items())])

sheet.finish(
    {
        "learning rate": f"{learning_rate} an image",
        "momentum": f"time constant of {time_constant} images, unit gain",
        "minibatch": batch_size,
        "training images": n_images,
        "epochs": ", ".join(f"{len(history)} {name}" for name, (_, history) in runs.items()),
    }
)
