"""The same epoch by JAX: each step in one compiled function, or all of an epoch's in one `lax.scan`."""

import time
from functools import partial

import jax
import jax.numpy as jnp
from autoencoder_settings import LEARNING_RATE, SEED, settings
from jax import lax
from measured import answer

given = settings()
jax.config.update("jax_enable_x64", given.floatX == "float64")
images = jnp.asarray(given.images.reshape(given.n_batches, given.batch, -1))
rate = images.dtype.type(LEARNING_RATE)


def cost_of(params, x, key):
    W, b, b_prime = params
    seen = jnp.where(jax.random.bernoulli(key, 1 - given.level, x.shape), x, 0) if given.level else x
    logits = jax.nn.sigmoid(seen @ W + b) @ W.T + b_prime
    return jnp.mean(jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1))


def step(state, x):
    params, key = state
    key, drawn = jax.random.split(key)
    cost, gradients = jax.value_and_grad(cost_of)(params, x, drawn)
    return (tuple(p - rate * g for p, g in zip(params, gradients, strict=True)), key), cost


@partial(jax.jit, donate_argnums=0)
def one_step(state, images, i):
    return step(state, lax.dynamic_index_in_dim(images, i, keepdims=False))


@partial(jax.jit, donate_argnums=0)
def whole_epoch(state, images):
    return lax.scan(step, state, images)


def epoch() -> float:
    global state
    if given.way == "scan":
        state, costs = compiled(state, images)
        return float(costs.mean())
    costs = []
    for i in places:
        state, cost = compiled(state, images, i)
        costs.append(cost)
    return float(jnp.stack(costs).mean())


state = tuple(map(jnp.asarray, given.parameters())), jax.random.key(SEED)
places = list(jnp.arange(given.n_batches, dtype="int32"))
started = time.perf_counter()
lowered = whole_epoch.lower(state, images) if given.way == "scan" else one_step.lower(state, images, places[0])
compiled = lowered.compile()
answer(time.perf_counter() - started, epoch)
