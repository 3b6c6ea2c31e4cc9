"""The same epoch by PyTorch, eagerly or with `torch.compile`."""

import time

import torch
import torch.nn.functional as F
from autoencoder_settings import LEARNING_RATE, SEED, settings
from measured import answer

given = settings()
torch.set_num_threads(given.threads)
torch.manual_seed(SEED)
minibatches = torch.from_numpy(given.images).split(given.batch)
params = [torch.tensor(value, requires_grad=True) for value in given.parameters()]


def cost_of(W: torch.Tensor, b: torch.Tensor, b_prime: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    seen = x * (torch.rand_like(x) < 1 - given.level) if given.level else x
    logits = torch.addmm(b_prime, torch.sigmoid(torch.addmm(b, seen, W)), W.T)
    return F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)


def step(x: torch.Tensor) -> torch.Tensor:
    cost = compiled(*params, x)
    gradients = torch.autograd.grad(cost, params)
    with torch.no_grad():
        for p, g in zip(params, gradients, strict=True):
            p.sub_(g, alpha=LEARNING_RATE)
    return cost.detach()


started = time.perf_counter()
compiled = cost_of
if given.way == "compiled":
    compiled = torch.compile(cost_of)
    torch.autograd.grad(compiled(*params, minibatches[0]), params)
seconds = time.perf_counter() - started
answer(seconds, lambda: float(torch.stack([step(x) for x in minibatches]).mean()))
