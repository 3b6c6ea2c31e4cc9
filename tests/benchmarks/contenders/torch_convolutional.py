"""Keras's convolutional autoencoders, the plain and the strided one, by PyTorch.

PyTorch pads both sides alike. With a stride of 2, Keras's "same" pads a row at the top and two at the bottom, so that PyTorch
has to copy the image into a padded one, and to cut a row off what it draws. PyTorch's own way, padding=2, is the same with two
rows at the top and one at the bottom: of pictures and filters that are turned by 180 degrees it computes what the others
compute of those that are not. That is the way "turned".
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from minibatches import EPSILON, RHO, settings
from torch_minibatches import Parameters, train


def plain(w: Parameters, x: torch.Tensor) -> torch.Tensor:
    y = x
    for name in given.encoder:
        y = F.relu(F.conv2d(y, w[f"{name}_W"], w[f"{name}_b"], padding=1), inplace=True)
        y = F.max_pool2d(y, 2, ceil_mode=True)
    for name in given.decoder:
        y = F.relu(F.conv2d(y, w[f"{name}_W"], w[f"{name}_b"], padding=0 if name == "conv6" else 1), inplace=True)
        y = F.interpolate(y, scale_factor=2)
    return F.conv2d(y, w["output_W"], w["output_b"], padding=1)


def halved(w: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    W, b = w[f"{name}_W"], w[f"{name}_b"]
    return F.conv2d(x, W, b, 2, padding=2) if turned else F.conv2d(F.pad(x, (1, 2, 1, 2)), W, b, 2)


def doubled(w: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    W, b = w[f"{name}_W"], w[f"{name}_b"]
    if turned:
        return F.conv_transpose2d(x, W, b, 2, padding=2, output_padding=1)
    return F.conv_transpose2d(x, W, b, 2, padding=1)[:, :, :-1, :-1]


def strided(w: Parameters, x: torch.Tensor) -> torch.Tensor:
    y = F.relu(halved(w, "conv1", x))
    y = F.relu(halved(w, "conv2", y))
    y = F.relu(F.conv2d(y, w["conv3_W"], w["conv3_b"], 2))
    code = torch.addmm(w["code_b"], y.flatten(1), w["code_W"])
    y = F.relu(torch.addmm(w["dense_b"], code, w["dense_W"])).reshape(y.shape)
    y = F.relu(F.conv_transpose2d(y, w["deconv1_W"], w["deconv1_b"], 2))
    y = F.relu(doubled(w, "deconv2", y))
    return doubled(w, "output", y)


def turn(name: str, value: np.ndarray) -> np.ndarray:
    """Turn filters by 180 degrees, and with them the numbers that the maps of 3 x 3 become."""
    if value.ndim == 4:
        return value[:, :, ::-1, ::-1].copy()
    if name == "code_W":
        return turn("dense_W", value.T).T.copy()
    return value.reshape(-1, 3, 3)[:, ::-1, ::-1].reshape(value.shape) if name in ("dense_W", "dense_b") else value


given = settings()
torch.set_num_threads(given.threads)
draw, turned = {"ConvolutionalAutoencoder": plain, "StridedAutoencoder": strided}[given.model], given.way == "turned"
if turned:
    given.images[:] = given.images[:, :, ::-1, ::-1].copy()
    given.weights.update({name: turn(name, value) for name, value in given.weights.items()})
train(
    given,
    lambda w, x: F.binary_cross_entropy_with_logits(draw(w, x), x),
    lambda params: torch.optim.Adadelta(params, lr=1.0, rho=RHO, eps=EPSILON),
)
