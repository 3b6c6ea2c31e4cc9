"""Worksheet 06's training by MLX; the decoder's first layer is a sum of two terms."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from minibatches import settings
from mlx_minibatches import run

RATE, BETA1, BETA2, EPSILON = 0.001, 0.9, 0.999, 1e-8

given = settings()
v, u = np.meshgrid(*[np.linspace(-1, 1, 28, dtype="float32")] * 2, indexing="ij")
places = mx.array(np.stack([u.ravel(), v.ravel()], axis=1))


def dense(w, name, x):
    return x @ w[f"{name}_W"] + w[f"{name}_b"]


def cost_of(w, x):
    h = mx.random.bernoulli(x).astype(x.dtype)
    for name in ("encoder1", "encoder2"):
        h = nn.relu(dense(w, name, h))
    mean, log_variance = dense(w, "mean", h), dense(w, "log_variance", h)
    z = mean + mx.exp(log_variance / 2) * mx.random.normal(mean.shape)
    W, b = w["decoder1_W"], w["decoder1_b"]
    h = nn.relu(((places @ W[:2] + b) + (z @ W[2:])[:, None]).reshape(-1, len(b)))
    for name in ("decoder2", "decoder3"):
        h = nn.relu(dense(w, name, h))
    logits = dense(w, "decoder4", h).reshape(x.shape)
    nll = mx.mean(mx.logaddexp(logits, 0) - x * logits)
    kl = 0.5 * (mean**2 + mx.expm1(log_variance) - log_variance).sum(axis=1).mean()
    return (nll + kl / x.shape[1]) / mean.shape[1]


def updated(state, gradients):
    params = state["params"]
    if not gradients:
        return (
            state
            | {kind: {name: mx.zeros_like(p) for name, p in params.items()} for kind in ("means", "squares")}
            | {"t": mx.array(0.0)}
        )
    t = state["t"] + 1
    means = {name: BETA1 * m + (1 - BETA1) * gradients[name] for name, m in state["means"].items()}
    squares = {name: BETA2 * s + (1 - BETA2) * gradients[name] ** 2 for name, s in state["squares"].items()}
    first, second = 1 - BETA1**t, 1 - BETA2**t
    params = {
        name: p - RATE * (means[name] / first) / (mx.sqrt(squares[name] / second) + EPSILON) for name, p in params.items()
    }
    return {"params": params, "means": means, "squares": squares, "t": t}


run(cost_of, updated, given)
