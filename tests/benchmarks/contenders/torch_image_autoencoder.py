"""The same epoch by PyTorch, eagerly or with `torch.compile`."""

import sys
import time

import torch
import torch.nn.functional as F
from image_autoencoder_settings import BATCH, LEARNING_RATE, MOMENTUM, settings
from measured import answer

torch.set_num_threads(int(sys.argv[4]))
pool, data, weights, new_order = settings()
images = torch.from_numpy(data)
W, b, V = params = [torch.tensor(weights[name], requires_grad=True) for name in ("W1", "b1", "V1")]
velocities = [torch.zeros_like(p) for p in params]


def cost_of(x: torch.Tensor, W: torch.Tensor, b: torch.Tensor, V: torch.Tensor) -> torch.Tensor:
    conv = F.relu(F.conv2d(x, W, b, padding=2))
    code, switches = F.max_pool2d(conv, pool, return_indices=True)
    drawn = F.conv_transpose2d(F.max_unpool2d(code, switches, pool), V, padding=2)
    return (drawn - x).square().mean(dim=(1, 2, 3)).sqrt().mean()


def step(x: torch.Tensor) -> torch.Tensor:
    cost = compiled(x, *params)
    gradients = torch.autograd.grad(cost, params)
    with torch.no_grad():
        for p, v, g in zip(params, velocities, gradients, strict=True):
            v.mul_(MOMENTUM).add_(g, alpha=1 - MOMENTUM)
            p.sub_(v, alpha=LEARNING_RATE)
    return cost.detach()


def epoch() -> float:
    order = torch.from_numpy(new_order())
    batches = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
    return float(torch.stack([step(images[batch].reshape(BATCH, 1, 28, 28)) for batch in batches]).mean())


compiled, started = cost_of, time.perf_counter()
if sys.argv[5] == "compiled":
    compiled = torch.compile(cost_of)
    torch.autograd.grad(compiled(images[:BATCH].reshape(BATCH, 1, 28, 28), *params), params)
answer(time.perf_counter() - started, epoch)
