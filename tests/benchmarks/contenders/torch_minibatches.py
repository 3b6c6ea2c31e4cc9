"""What PyTorch's contenders have in common: a round of minibatches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

import torch
from measured import answer
from minibatches import CHUNK, Settings

Parameters = Mapping[str, torch.Tensor]
DEVICE = os.environ.get("SYMAE_TORCH_DEVICE", "cpu")  # `gpu.py` says which, and whether products are of TF32
CostOf = Callable[[Parameters, torch.Tensor], torch.Tensor]


def train(given: Settings, cost_of: CostOf, optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer]) -> None:
    """Answer with rounds of minibatches; `cost_of` takes the parameters by name and images."""
    device = DEVICE
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = os.environ.get("SYMAE_TORCH_TF32") == "1"
    torch.set_default_device(device)
    images, test = (None if a is None else torch.from_numpy(a).to(device) for a in (given.images, given.test))
    assert images is not None
    params = {name: torch.tensor(value, requires_grad=True) for name, value in given.weights.items()}
    steps = optimizer(list(params.values()))
    compiled, started = cost_of, time.perf_counter()
    if given.compiled:
        # on a GPU it records CUDA graphs
        compiled = torch.compile(cost_of, mode="reduce-overhead") if device == "cuda" else torch.compile(cost_of)
        compiled(params, images[: given.batch]).backward()
    seconds = time.perf_counter() - started

    def step(batch: torch.Tensor) -> torch.Tensor:
        steps.zero_grad()
        cost = compiled(params, images[batch])
        cost.backward()
        steps.step()
        return cost.detach().clone()  # of a CUDA graph the next step overwrites it

    def epoch() -> float:
        trained = torch.stack([step(batch) for batch in torch.from_numpy(given.next_round()).to(device)]).mean()
        if test is None:
            return float(trained)
        with torch.no_grad():
            costs = [float(cost_of(params, chunk)) * len(chunk) for chunk in test.split(CHUNK)]
        return sum(costs) / len(test)

    answer(seconds, epoch)
