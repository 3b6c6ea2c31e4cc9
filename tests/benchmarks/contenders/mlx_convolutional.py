"""Keras's convolutional autoencoders by MLX, whose images have their channels last."""

from __future__ import annotations

import mlx.core as mx
import mlx.nn as nn
from minibatches import EPSILON, RHO, settings
from mlx_minibatches import run

given = settings()


def conv(w, name, x, stride=1, padding=1):
    return mx.conv2d(x, w[f"{name}_W"].transpose(0, 2, 3, 1), stride, padding) + w[f"{name}_b"]


def deconv(w, name, x, padding=0):
    return mx.conv_transpose2d(x, w[f"{name}_W"].transpose(1, 2, 3, 0), 2, padding) + w[f"{name}_b"]


def pooled(x):
    n, height, width, c = x.shape
    odd = height % 2, width % 2
    x = mx.pad(x, ((0, 0), (0, odd[0]), (0, odd[1]), (0, 0)), constant_values=-mx.inf) if any(odd) else x
    return x.reshape(n, (height + 1) // 2, 2, (width + 1) // 2, 2, c).max((2, 4))


def repeated(x):
    n, h, w, c = x.shape
    return mx.broadcast_to(x[:, :, None, :, None, :], (n, h, 2, w, 2, c)).reshape(n, 2 * h, 2 * w, c)


def plain(w, x):
    y = x
    for name in given.encoder:
        y = pooled(nn.relu(conv(w, name, y)))
    for name in given.decoder:
        y = repeated(nn.relu(conv(w, name, y, padding=0 if name == "conv6" else 1)))
    return conv(w, "output", y)


def strided(w, x):
    y = x
    for name in ("conv1", "conv2"):  # "same" is a row at the top and two at the bottom
        y = nn.relu(conv(w, name, mx.pad(y, ((0, 0), (1, 2), (1, 2), (0, 0))), 2, 0))
    y = nn.relu(conv(w, "conv3", y, 2, 0)).transpose(0, 3, 1, 2)
    code = y.reshape(len(y), -1) @ w["code_W"] + w["code_b"]
    y = nn.relu(code @ w["dense_W"] + w["dense_b"]).reshape(y.shape).transpose(0, 2, 3, 1)
    y = nn.relu(deconv(w, "deconv1", y))
    y = nn.relu(deconv(w, "deconv2", y, 1)[:, :-1, :-1])
    return deconv(w, "output", y, 1)[:, :-1, :-1]


draw = {"ConvolutionalAutoencoder": plain, "StridedAutoencoder": strided}[given.model]


def cost_of(w, x):
    x = x.reshape(-1, 28, 28, 1)
    logits = draw(w, x)
    return mx.mean(mx.logaddexp(logits, 0) - x * logits)


def updated(state, gradients):
    params = state["params"]
    if not gradients:
        return state | {kind: {name: mx.zeros_like(p) for name, p in params.items()} for kind in ("squares", "steps")}
    squares = {name: RHO * s + (1 - RHO) * gradients[name] ** 2 for name, s in state["squares"].items()}
    changes = {
        name: gradients[name] * mx.sqrt(t + EPSILON) / mx.sqrt(squares[name] + EPSILON) for name, t in state["steps"].items()
    }
    steps = {name: RHO * t + (1 - RHO) * changes[name] ** 2 for name, t in state["steps"].items()}
    return {"params": {name: p - changes[name] for name, p in params.items()}, "squares": squares, "steps": steps}


run(cost_of, updated, given)
