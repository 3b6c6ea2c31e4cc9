"""Steps of a model on the devices of this process, or of several: MODEL BATCH MINIBATCHES alone|HOST:PORT,N,I."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pytensor

from symae import DenoisingAutoencoder, function
from symae.compile.communication import all_reduced_bytes
from symae.compile.loops import run_in_bursts
from symae.compile.mesh import Devices
from symae.models import ConvolutionalAutoencoder, CoordinateVAE
from symae.training.data import Examples
from symae.training.devices import ShardedPass
from symae.training.joining import join
from symae.training.processes import processes


def main() -> None:
    pytensor.config.floatX = "float32"
    name, batch, minibatches, address = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if address != "alone":
        join(address)
    rng = np.random.RandomState(0)
    if name == "04":
        model = ConvolutionalAutoencoder(rng, maps=(16, 8, 8))
        cost, updates = model.get_cost_updates()
    elif name == "06":
        model = CoordinateVAE(rng)
        cost, updates = model.get_cost_updates()
    else:
        model = DenoisingAutoencoder(rng, n_visible=784, n_hidden=500)
        cost, updates = model.get_cost_updates(0.3 if name == "denoising" else 0.0, 0.1)
    shape = tuple(n for n in model.x.type.shape[1:] if n) if model.x.ndim > 2 else (784,)
    images = rng.uniform(size=(batch * minibatches, *(shape or (784,)))).astype("float32")
    devices = Devices("all")
    examples = Examples("data", {model.x: images})
    names = {p: p.name for p in model.params}

    def compiled(*arguments, **keywords):
        return function(*arguments, backend="jax", **keywords)

    steps = ShardedPass(devices, names, compiled, examples, batch, [cost], updates, processes=processes())
    steps.run(0, 1)
    ready = {"compile": 0.0}
    if len(devices) > 1:
        begin, end = devices.rows_here(batch)
        ready["bytes"] = all_reduced_bytes(steps._functions[batch].compiled_text([images[begin:end]], batch))
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        begun, cpu = time.perf_counter(), time.process_time()
        rows = [row for burst in run_in_bursts(steps, minibatches) for row in burst]
        answer = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu, "cost": rows[-1][0]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
