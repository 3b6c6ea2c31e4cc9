# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Images at any resolution
#
# The decoders so far drew a fixed number of pixels. This one is asked for one place at a time: a small network f(u, v, z) says
# how bright the image with the code z is at the place (u, v), and u and v may be any numbers. So it draws 28 × 28 pixels or
# 4096 × 4096 of the same digit (`--resolution 4096`).
#
# Around it is a variational autoencoder (Kingma and Welling, 2014), after the resolution-independent image model of a Chainer
# tutorial. With `--affine` the encoder also says where the digit stands, how large and how slanted it is, so that it can be
# drawn without all that.
#
# The original trains for 50 epochs on 60000 images, which is hours of two cores. By default this trains on the first 5000 for
# ten epochs; `--images 60000 --epochs 50` does the whole, and `--resume` goes on with what was begun.

# %%
import numpy as np
from PIL import Image

from symae import CoordinateVAE, RandomStreams, tile_raster_images
from symae._runtime.decimals import fixed
from symae._runtime.progress import counting
from symae.images import save_png, side_by_side
from symae.runs.options import at_least
from symae.runs.worksheet import Worksheet, about_ten

sheet = Worksheet(
    "06_any_resolution",
    "Images at any resolution",
    epochs=10,
    data="mnist",
    floatX="float32",
    resumable=True,
    subset=5000,
    options={
        "--affine": {
            "action": "store_true",
            "help": "let the encoder say where the digit stands, and draw it without that too",
        },
        "--resolution": {
            "type": at_least(1, 16384),
            "metavar": "N",
            "help": "also draw the first test image with N x N pixels",
        },
    },
)
affine = sheet.settings.affine

# %%
batch_size = 64
images = sheet.unit_images(sheet.training_images(batch_size))
test_images = sheet.unit_images(sheet.dataset.test.x)
sixteen = test_images[:16]
h, w = sheet.image_shape[1:]
grey = sheet.image_shape[0] == 1
size_drawn = (6 * h, 6 * w)

# %% [markdown]
# ## The model
#
# ```
# encoder   784 → 256 → 256 → 8 means and 8 variances of the code z
# decoder   (u, v, z) → 256 → 256 → 256 → the logit of one pixel
# ```
#
# The decoder is applied to all 784 places of each image, which is most of the work: 130,000 multiplications a pixel. Its first
# layer need not see the ten numbers (u, v, z) of every pixel, though. Its product with them is a term of (u, v), the same in
# all images, plus a term of z, the same at all places.
#
# With `--affine` the decoder is smaller, 32 → 64 → 32, and sees places (u′, v′) that have been shifted, turned and scaled for
# each image by four more numbers of the encoder.

# %%
rng = np.random.RandomState(sheet.seed)
model = CoordinateVAE(rng, RandomStreams(rng.randint(2**30)), affine=affine, image_shape=sheet.image_shape)

# %% [markdown]
# ## Training
#
# In each step a pixel is made black or white at random, white with its grey value as the probability; the encoder sees that,
# and z is drawn from the distribution it gives. The decoder is to draw the grey image. Two costs are added: `nll`, how unlikely
# the image is under what was drawn, in nats per pixel, and `kl`, how much the code says about the image, in nats. Their sum is
# a bound on how well the model knows the images.
#
# After the first epoch and after the last, sixteen test images are drawn six times as large in both directions.


# %%
def poses(images):
    """Scale, angle and place of each image, where the model knows of them."""
    return model.node_values("pose", images, backend=sheet.backend) if affine else None


def drawings(pose):
    """Draw the sixteen test images by the model, six times as large."""
    codes = model.transform(sixteen, backend=sheet.backend)
    return model.render(codes, size_drawn, pose, backend=sheet.backend)


def tile(pictures):
    """Sixteen images, four in a row, as they are."""
    shape = (sheet.image_shape[0], *pictures.shape[-2:])
    rows = pictures.reshape(len(pictures), -1).astype("float64")
    return tile_raster_images(rows, shape, (4, 4), (4, 4), scale_rows_to_unit_interval=False)


originals = tile(np.repeat(np.repeat(sixteen, 6, axis=2), 6, axis=3))


def draw_first(epoch, cost, seconds, measures):
    if epoch == 0:
        save_png(sheet.out / "after_the_first_epoch.png", tile(drawings(poses(sixteen))))


cost, updates = model.get_cost_updates(learning_rate=0.001)
with sheet.preparing("the drawing"):
    drawings(poses(sixteen))
history = sheet.fit(
    cost,
    updates,
    {model.x: images.reshape(len(images), -1)},
    model,
    batch_size=batch_size,
    measures={"nll": model.nll, "kl": model.kl},
    seconds_an_image=0.0006 if affine else 0.0035,
    on_epoch=draw_first,
)
sheet.save(model)

# %% [markdown]
# ## How well it knows the images
#
# The program that this worksheet is after has 0.374, 0.257 and 0.241 nats per pixel in its first three epochs on the first 5000
# images.

# %%
error = model.score(test_images, backend=sheet.backend)
sheet.say(f"Test images, drawn from the mean of their codes: {fixed(error)} nats per pixel")
sheet.report.heading("Cost")
nll, kl = (history.measures.get(name, []) for name in ("nll", "kl"))
if nll:
    rows = [[str(epoch), fixed(nll[epoch], 4), fixed(kl[epoch], 2)] for epoch in about_ten(len(nll))]
    sheet.report.table([["epoch", "nll, nats per pixel", "kl, nats per image"], *rows])
    sheet.report.curve({"nll": dict(enumerate(nll))}, x_label="epoch", y_label="nats per pixel")
sheet.report.text(f"Test images, drawn from the mean of their codes: {fixed(error, 4)} nats per pixel.")

# %% [markdown]
# ## The same digits, larger
#
# On the left the originals, each pixel a square of 6 × 6; then what the model draws with six times as many rows and columns,
# 168 × 168 of MNIST's.

# %%
sheet.report.heading("Sixteen test images")
after = tile(drawings(poses(sixteen)))
columns = {f"{h} x {w}, enlarged": originals}
first = sheet.out / "after_the_first_epoch.png"
if len(history) > 1 and first.is_file():
    with Image.open(first) as picture:
        columns[f"{size_drawn[0]} x {size_drawn[1]} after 1 epoch"] = np.asarray(picture.convert("L" if grey else "RGB"))
columns[f"{size_drawn[0]} x {size_drawn[1]} after {len(history)} epoch{'s' if len(history) != 1 else ''}"] = after
sheet.report.figure(sheet.picture("renderings", side_by_side(list(columns.items())), "sixteen test images", zoom=1))

# %% [markdown]
# With `--affine` the digits can be drawn without what is particular in how they stand: all sixteen in the average pose of a
# thousand images. What is left is what the code says of their form.

# %%
if affine:
    average = poses(test_images[:1000]).mean(axis=0)
    normalised = [("as they stand", after), ("normalised", tile(drawings(np.tile(average, (16, 1)))))]
    sheet.report.heading("Without scale, rotation and place")
    sheet.report.figure(sheet.picture("normalised", side_by_side(normalised), "the same digits in the average pose", zoom=1))

# %% [markdown]
# ## From one digit to another
#
# Between the codes of two digits lie codes of images that nobody has written. Here are eight steps from the first test image to
# the second.

# %%
codes = model.transform(test_images[:2], backend=sheet.backend)
path = np.linspace(codes[0], codes[1], 9)
stances = np.linspace(*poses(test_images[:2]), 9) if affine else None
steps = model.render(path, (112, round(112 * w / h)), stances, backend=sheet.backend)
walk = np.concatenate(list(steps if grey else steps.transpose(0, 2, 3, 1)), axis=1)
sheet.report.heading("From one digit to another")
sheet.report.figure(sheet.picture("walk", walk, "from the first test image to the second", zoom=1))

# %% [markdown]
# ## Any resolution

# %%
size = sheet.settings.resolution
if size is not None:
    with counting(f"Drawing {size} x {size} pixels") as progress:
        large = model.render(codes[:1], (size, size), poses(test_images[:1]), backend=sheet.backend, progress=progress)[0]
    large = (large if grey else large.transpose(1, 2, 0)) * 255
    large = large.astype("uint8")
    save_png(sheet.out / f"digit_{size}x{size}.png", large)
    sheet.say(f"digit_{size}x{size}.png is the first test image")
    sheet.report.heading(f"{size} × {size}")
    small = np.asarray(Image.fromarray(large).resize((min(size, 672),) * 2, Image.Resampling.LANCZOS))
    sheet.report.figure(sheet.picture("digit", small, f"the first test image, drawn with {size} × {size} pixels", zoom=1))

# %%
every = len(sheet.dataset.training_images())
sheet.finish(
    {
        "model": "affine, 32, 64, 32 units" if affine else "256, 256, 256 units",
        "optimizer": "Adam, rate 0.001",
        "minibatch": batch_size,
        "training images": f"{len(images)} of {every}",
        "epochs": len(history),
    }
)
