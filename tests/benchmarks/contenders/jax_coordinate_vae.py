"""Worksheet 06's training by JAX; the decoder's first layer is a sum of two terms."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax_minibatches import run
from minibatches import settings

RATE, BETA1, BETA2, EPSILON = 0.001, 0.9, 0.999, 1e-8

given = settings()
v, u = np.meshgrid(*[np.linspace(-1, 1, 28, dtype="float32")] * 2, indexing="ij")
places = jnp.asarray(np.stack([u.ravel(), v.ravel()], axis=1))


def dense(w, name, x):
    return x @ w[f"{name}_W"] + w[f"{name}_b"]


def cost_of(w, x, key):
    binary, normal = jax.random.split(key)
    h = jax.random.bernoulli(binary, x).astype(x.dtype)
    for name in ("encoder1", "encoder2"):
        h = jax.nn.relu(dense(w, name, h))
    mean, log_variance = dense(w, "mean", h), dense(w, "log_variance", h)
    z = mean + jnp.exp(log_variance / 2) * jax.random.normal(normal, mean.shape, mean.dtype)
    W, b = w["decoder1_W"], w["decoder1_b"]
    h = jax.nn.relu(((places @ W[:2] + b) + (z @ W[2:])[:, None]).reshape(-1, len(b)))
    for name in ("decoder2", "decoder3"):
        h = jax.nn.relu(dense(w, name, h))
    logits = dense(w, "decoder4", h).reshape(x.shape)
    nll = jnp.mean(jax.nn.softplus(logits) - x * logits)
    kl = 0.5 * (mean**2 + jnp.expm1(log_variance) - log_variance).sum(axis=1).mean()
    return (nll + kl / x.shape[1]) / mean.shape[1]


def step(state, images, batch):
    params, means, squares, t, key = state
    key, drawn = jax.random.split(key)
    cost, gradients = jax.value_and_grad(cost_of)(params, images[batch], drawn)
    t = t + 1
    means = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, means, gradients)
    squares = jax.tree.map(lambda s, g: BETA2 * s + (1 - BETA2) * g**2, squares, gradients)
    first, second = 1 - BETA1**t, 1 - BETA2**t
    change = jax.tree.map(lambda m, s: RATE * (m / first) / (jnp.sqrt(s / second) + EPSILON), means, squares)
    return (jax.tree.map(jnp.subtract, params, change), means, squares, t, key), cost


params = {name: jnp.asarray(value) for name, value in given.weights.items()}
zeros = [{name: jnp.zeros_like(value) for name, value in params.items()} for _ in range(2)]
run(step, (params, *zeros, jnp.float32(0), jax.random.key(0)), given)
