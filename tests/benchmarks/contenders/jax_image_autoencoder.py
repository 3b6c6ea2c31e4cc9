"""The same epoch by JAX, all of its minibatches in one compiled `lax.scan`."""

import time

import jax
import jax.numpy as jnp
from image_autoencoder_settings import BATCH, LEARNING_RATE, MOMENTUM, settings
from jax import lax
from measured import answer

pool, data, weights, new_order = settings()
images = jnp.asarray(data)
params = {name: jnp.asarray(value) for name, value in weights.items()}
state = params, {name: jnp.zeros_like(value) for name, value in params.items()}
dimensions = ("NCHW", "OIHW", "NCHW")
n, c, side = BATCH, len(weights["b1"]), 28 // pool


def cost_of(params, x):
    conv = lax.conv_general_dilated(x, params["W1"], (1, 1), "SAME", dimension_numbers=dimensions)
    conv = jax.nn.relu(conv + params["b1"][:, None, None])
    windows = conv.reshape(n, c, side, pool, side, pool).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, side, side, pool * pool)
    places = jnp.argmax(windows, axis=-1)
    code = jnp.take_along_axis(windows, places[..., None], axis=-1)
    back = jnp.where(jnp.arange(pool * pool) == places[..., None], code, 0)
    back = back.reshape(n, c, side, side, pool, pool).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 28, 28)
    drawn = lax.conv_transpose(back, params["V1"], (1, 1), "SAME", dimension_numbers=dimensions, transpose_kernel=True)
    return jnp.sqrt(jnp.mean((drawn - x) ** 2, axis=(1, 2, 3))).mean()


def step(state, batch):
    params, velocities = state
    cost, gradients = jax.value_and_grad(cost_of)(params, images[batch].reshape(n, 1, 28, 28))
    velocities = jax.tree.map(lambda v, g: MOMENTUM * v + (1 - MOMENTUM) * g, velocities, gradients)
    return (jax.tree.map(lambda p, v: p - LEARNING_RATE * v, params, velocities), velocities), cost


@jax.jit
def whole_epoch(state, batches):
    return lax.scan(step, state, batches)


def epoch() -> float:
    global state
    order = new_order()
    state, costs = whole_epoch(state, jnp.asarray(order[: len(order) // n * n].reshape(-1, n)))
    return float(costs.mean())


started = time.perf_counter()
whole_epoch.lower(state, jnp.zeros((len(data) // n, n), jnp.int32)).compile()
answer(time.perf_counter() - started, epoch)
