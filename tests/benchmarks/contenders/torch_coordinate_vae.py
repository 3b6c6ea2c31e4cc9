"""Worksheet 06's training by PyTorch: the decoder's first layer as a sum of two terms, or of (u, v, z) at every pixel."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from minibatches import settings
from torch_minibatches import DEVICE, Parameters, train


def dense(w: Parameters, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.addmm(w[f"{name}_b"], x, w[f"{name}_W"])


def first_layer(w: Parameters, z: torch.Tensor) -> torch.Tensor:
    """Return what the decoder's first layer gives at each pixel of each image, before it is rectified: (n * pixels, 256)."""
    if given.way == "concatenated":
        n, m = len(z), len(places)
        seen = torch.cat([places.expand(n, m, 2), z[:, None].expand(n, m, z.shape[1])], dim=2)
        return dense(w, "decoder1", seen.flatten(0, 1))
    W, b = w["decoder1_W"], w["decoder1_b"]
    return (torch.addmm(b, places, W[:2]) + (z @ W[2:])[:, None]).flatten(0, 1)


def cost_of(w: Parameters, x: torch.Tensor) -> torch.Tensor:
    h = (torch.rand_like(x) < x).to(x.dtype)
    for name in ("encoder1", "encoder2"):
        h = F.relu(dense(w, name, h), inplace=True)
    mean, log_variance = dense(w, "mean", h), dense(w, "log_variance", h)
    h = F.relu(first_layer(w, mean + torch.exp(log_variance / 2) * torch.randn_like(mean)), inplace=True)
    for name in ("decoder2", "decoder3"):
        h = F.relu(dense(w, name, h), inplace=True)
    nll = F.binary_cross_entropy_with_logits(dense(w, "decoder4", h).reshape(x.shape), x)
    kl = 0.5 * (mean.square() + torch.expm1(log_variance) - log_variance).sum(1).mean()
    return (nll + kl / x.shape[1]) / mean.shape[1]


given = settings()
torch.set_num_threads(given.threads)
torch.manual_seed(0)
v, u = np.meshgrid(*[np.linspace(-1, 1, 28, dtype="float32")] * 2, indexing="ij")
places = torch.from_numpy(np.stack([u.ravel(), v.ravel()], axis=1)).to(DEVICE)
train(given, cost_of, lambda params: torch.optim.Adam(params, lr=0.001))
