"""The same epoch by MLX, which has float32 only: each step is one compiled function, and an epoch is evaluated at its end."""

import time
from functools import partial

import mlx.core as mx
from autoencoder_settings import LEARNING_RATE, SEED, settings
from measured import answer

given = settings()
if given.floatX != "float32":
    raise SystemExit("MLX computes in float32 only")
images = mx.array(given.images.reshape(given.n_batches, given.batch, -1))
state = [*map(mx.array, given.parameters())]
mx.random.seed(SEED)


def cost_of(W, b, b_prime, x):
    seen = mx.where(mx.random.bernoulli(1 - given.level, x.shape), x, 0) if given.level else x
    logits = mx.sigmoid(seen @ W + b) @ W.T + b_prime
    return mx.mean(mx.sum(mx.logaddexp(logits, 0) - x * logits, axis=1))


@partial(mx.compile, inputs=[state, mx.random.state], outputs=[state, mx.random.state])
def step(x):
    cost, gradients = mx.value_and_grad(cost_of, argnums=[0, 1, 2])(*state, x)
    state[:] = [p - LEARNING_RATE * g for p, g in zip(state, gradients, strict=True)]
    return cost


def epoch() -> float:
    costs = []
    for i in range(given.n_batches):
        cost = step(images[i])
        mx.async_eval(cost, state)
        costs.append(cost)
    return float(mx.mean(mx.stack(costs)))


started = time.perf_counter()
before = [mx.array(p) for p in state]
mx.eval(step(images[0]), state)
state[:] = before
mx.random.seed(SEED)
answer(time.perf_counter() - started, epoch)
