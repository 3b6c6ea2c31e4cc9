"""The same by PyTorch."""

import sys

import numpy as np
import torch
from measured import answer

what, threads = sys.argv[1], int(sys.argv[2])
n, c, m, k, side = map(int, sys.argv[3:8])
torch.set_num_threads(threads)
rng = np.random.RandomState(0)
shapes = ((n, c, side, side), (m, c, k, k), (n, m, side, side))
x, W, g = (torch.from_numpy(rng.normal(size=shape).astype("float32")) for shape in shapes)
calls = {
    "forward": lambda: torch.nn.functional.conv2d(x, W, padding=k // 2),
    "input gradient": lambda: torch.nn.grad.conv2d_input(x.shape, W, g, padding=k // 2),
    "filter gradient": lambda: torch.nn.grad.conv2d_weight(x, W.shape, g, padding=k // 2),
}
answer(0.0, lambda: float(calls[what]().flatten()[0]))
