# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---


# %% [markdown]
# # Filters of natural images
#
# The cells of the first visual area of a brain respond to edges: each to those at one place, of one direction and one width. A
# model that describes small patches of photographs by few numbers at a time finds the same (Olshausen and Field, 1996).
#
# This worksheet trains a sparse autoencoder on patches of 8 × 8 pixels, and counts how many of its filters are edges. The
# photographs are those that scikit-learn and scikit-image come with; `--data FOLDER` takes one's own.

# %%
import importlib.util
import math
from pathlib import Path

import numpy as np
import pytensor

from symae.datasets import from_arrays, read
from symae.errors import BackendError, InputError
from symae.images import ZCA, enlarge, gabor_fit, normalise_contrast, random_patches, scale_to_unit_interval, tile_raster_images
from symae.models import SparseAutoencoder
from symae.runs.options import at_least
from symae.runs.worksheet import Worksheet

SHIPPED = {
    "sklearn": ("datasets/images", ("china.jpg", "flower.jpg")),
    "skimage": ("data", ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "rocket.jpg")),
}


def photographs():
    """Find the photographs that other packages come with."""
    found = []
    for package, (folder, names) in SHIPPED.items():
        spec = importlib.util.find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            found += [path for path in (Path(place, folder, name) for name in names) if path.is_file()]
    if not found:
        raise BackendError("worksheet 08", "no photographs", "--data FOLDER, or scikit-learn's: pip install scikit-learn")
    return found


# %% [markdown]
# ## Patches
#
# Each place of each photograph is as likely as any other. One patch in ten is kept for tests.


# %%
def patches(settings):
    """Draw patches of photographs, or of the images of a data set."""
    source, name = settings.data, settings.data
    if settings.image_shape is not None and (source is None or Path(source).is_dir()):
        found = "x".join(map(str, settings.image_shape))
        raise InputError("--image-shape", found, "none: photographs stay as they are, and --size is that of the patches")
    if source is None:
        source = photographs()
        name = f"{len(source)} photographs"
    elif not Path(source).is_dir():
        data = read(source, image_shape=settings.image_shape)
        images, name = data.train.x.reshape(-1, *data.image_shape), data.name
        source = images[:, 0] if len(images[0]) == 1 else images
    seed, colours = settings.seed, None if settings.colours else False
    x, shape = random_patches(source, settings.size, settings.patches, seed=seed, colours=colours)
    cut = len(x) - len(x) // 10
    name = f"{len(x)} patches of {shape[1]} x {shape[2]} pixels, of {name}"
    return from_arrays(x[:cut], test=(x[cut:], None), image_shape=shape, name=name)


sheet = Worksheet(
    "08_natural_patches",
    "Filters of natural images",
    epochs=30,
    floatX="float32",
    resumable=True,
    dataset=patches,
    options={
        "--size": {"type": at_least(4, 64), "default": 8, "metavar": "N", "help": "pixels a side of a patch"},
        "--patches": {"type": at_least(200), "default": 50000, "metavar": "N", "help": "how many patches"},
        "--units": {"type": at_least(1, 10000), "default": 100, "metavar": "N", "help": "hidden units"},
        "--active": {"type": at_least(1, 10000), "default": 8, "metavar": "N", "help": "how many of them are active at a time"},
        "--colours": {"action": "store_true", "help": "leave the photographs in colours"},
    },
)
units, active = sheet.settings.units, sheet.settings.active
if active >= units:
    sheet.refuse(f"argument --active: found {active}, expected fewer than the {units} units")

# %% [markdown]
# ## Whitening
#
# Neighbouring pixels are alike, and a model that looked at them as they are would learn just that. So each patch loses its
# mean, and is divided by the root of its variance plus 10/255², which is that of noise; then all directions of the patches are
# given the same variance (ZCA), but for an ε of 0.1, so that noise is not blown up. What is left of a photograph are its edges.

# %%
batch_size = 100
train, test = (normalise_contrast(x) for x in (sheet.training_images(batch_size), sheet.dataset.test.x))
zca = ZCA(epsilon=0.1).fit(train)
train, test = zca.transform(train), zca.transform(test)

# %% [markdown]
# ## The model
#
# The code is $y = s(x W + b)$ as before, but of each patch only the largest few of its numbers are kept, the others are zero:
# a *k-sparse* autoencoder (Makhzani and Frey, 2014). The patches are no probabilities any more, so the decoder is linear,
# $z = y W^T + b'$, and the cost is half the squared error of a patch. The steps are Adam's.

# %%
rng = np.random.RandomState(sheet.seed)
n_pixels = train.shape[1]
W = pytensor.shared(rng.normal(0, 0.1, (n_pixels, units)).astype(sheet.floatX), name="W")
model = SparseAutoencoder(
    rng, n_visible=n_pixels, n_hidden=units, W=W, output="linear", sparsity="k", sparsity_target=active / units
)
learning_rate = 0.003
cost, updates = model.get_cost_updates(corruption_level=0.0, learning_rate=learning_rate)

history = sheet.fit(cost, updates, {model.x: train}, model, batch_size=batch_size, validation={model.x: test})
sheet.save(model)
sheet.report_costs(history, "half the squared error of a patch")

# %% [markdown]
# ## The filters
#
# Each unit's weights are a picture again. A Gabor function, a wave under a bell, is what such filters are compared with since
# Jones and Palmer (1987): a filter counts as an edge here if the best one explains at least 80 % of its variation. Of a
# hundred filters of noise none does, and the best fit has 35 %.

# %%
shape = sheet.image_shape
filters = model.W.get_value().T
explained = gabor_fit(filters.reshape(-1, *shape))
edges = int((explained >= 0.8).sum())
sheet.say(
    f"{edges} of {units} filters are edges: a Gabor function explains 80 % of them or more (median {np.median(explained):.0%})"
)

zoom = max(1, 32 // shape[1])


def tile(rows, count=units):
    """Lay the first of these rows out as pictures, each with its own contrast."""
    columns = math.ceil(math.sqrt(count))
    return enlarge(tile_raster_images(rows[:count], shape, (math.ceil(count / columns), columns), (1, 1)), zoom)


sheet.report.heading("Filters")
sheet.report.text(f"{edges} of {units} are edges: a Gabor function explains at least 80 % of their variation.")
sheet.report.figure(sheet.picture("filters", tile(filters), f"the weights of the {units} units", zoom=1))

# %% [markdown]
# Beside the patches what the model sees of them, and what it draws from a handful of numbers.

# %%
shown = test[:100].astype(sheet.floatX)
drawn = model.reconstruct(shown)
sheet.report.heading("Patches")
sheet.report.table(
    [
        ["patches", "whitened", "drawn"],
        [
            sheet.picture(
                "patches", tile(np.apply_along_axis(scale_to_unit_interval, 1, sheet.dataset.test.x[:100]), 100), zoom=1
            ),
            sheet.picture("whitened", tile(shown, 100), zoom=1),
            sheet.picture("drawn", tile(drawn, 100), f"from {active} numbers each", zoom=1),
        ],
    ]
)

# %%
sheet.finish(
    {
        "hidden units": f"{units}, {active} of them active",
        "optimizer": f"Adam, rate {learning_rate:g}",
        "minibatch": batch_size,
        "edges": f"{edges} of {units}",
        "epochs": len(history),
    }
)
