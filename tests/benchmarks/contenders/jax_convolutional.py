"""The same models by JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax_minibatches import run
from minibatches import EPSILON, RHO, settings

given = settings()
dimensions = ("NCHW", "OIHW", "NCHW")


def conv(w, name, x, stride=1, padding="SAME"):
    y = lax.conv_general_dilated(x, w[f"{name}_W"], (stride, stride), padding, dimension_numbers=dimensions)
    return y + w[f"{name}_b"][:, None, None]


def deconv(w, name, x, padding="SAME"):
    y = lax.conv_transpose(x, w[f"{name}_W"], (2, 2), padding, dimension_numbers=dimensions, transpose_kernel=True)
    return y + w[f"{name}_b"][:, None, None]


def pooled(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "SAME")


def repeated(x):
    n, c, h, w = x.shape
    return jnp.broadcast_to(x[:, :, :, None, :, None], (n, c, h, 2, w, 2)).reshape(n, c, 2 * h, 2 * w)


def plain(w, x):
    y = x
    for name in given.encoder:
        y = pooled(jax.nn.relu(conv(w, name, y)))
    for name in given.decoder:
        y = repeated(jax.nn.relu(conv(w, name, y, padding="VALID" if name == "conv6" else "SAME")))
    return conv(w, "output", y)


def strided(w, x):
    y = x
    for name, padding in (("conv1", "SAME"), ("conv2", "SAME"), ("conv3", "VALID")):
        y = jax.nn.relu(conv(w, name, y, 2, padding))
    code = y.reshape(len(y), -1) @ w["code_W"] + w["code_b"]
    y = jax.nn.relu(code @ w["dense_W"] + w["dense_b"]).reshape(y.shape)
    y = jax.nn.relu(deconv(w, "deconv1", y, "VALID"))
    y = jax.nn.relu(deconv(w, "deconv2", y))
    return deconv(w, "output", y)


draw = {"ConvolutionalAutoencoder": plain, "StridedAutoencoder": strided}[given.model]


def cost_of(w, x):
    logits = draw(w, x)
    return jnp.mean(jax.nn.softplus(logits) - x * logits)


def step(state, images, batch):
    params, squares, steps = state
    cost, gradients = jax.value_and_grad(cost_of)(params, images[batch])
    squares = jax.tree.map(lambda s, g: RHO * s + (1 - RHO) * g**2, squares, gradients)
    changes = jax.tree.map(lambda g, s, t: g * jnp.sqrt(t + EPSILON) / jnp.sqrt(s + EPSILON), gradients, squares, steps)
    steps = jax.tree.map(lambda t, d: RHO * t + (1 - RHO) * d**2, steps, changes)
    return (jax.tree.map(jnp.subtract, params, changes), squares, steps), cost


params = {name: jnp.asarray(value) for name, value in given.weights.items()}
run(step, (params, *({name: jnp.zeros_like(value) for name, value in params.items()} for _ in range(2))), given)
