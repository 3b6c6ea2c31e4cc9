"""How MLX's contenders of worksheets 04 to 06 run their rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
from measured import answer
from minibatches import Settings

__all__ = ["run"]


State = dict[str, Any]


def run(cost_of: Callable[..., Any], updated: Callable[[State, dict[str, Any]], State], given: Settings) -> None:
    """Answer with rounds: `cost_of` takes parameters by name and images, `updated` the state and gradients.

    Each minibatch is a compiled function, and a round is evaluated at its end. The state has the parameters under ``"params"``;
    without gradients `updated` adds what else the optimizer has.
    """
    images = mx.array(given.images)
    state: State = updated({"params": {name: mx.array(value) for name, value in given.weights.items()}}, {})
    mx.random.seed(0)

    @partial(mx.compile, inputs=[state, mx.random.state], outputs=[state, mx.random.state])
    def step(batch: Any) -> Any:
        cost, gradients = mx.value_and_grad(cost_of)(state["params"], images[batch])
        state.update(updated(state, gradients))
        return cost

    def one_round() -> float:
        costs = []
        for batch in given.next_round():
            costs.append(step(mx.array(batch)))
            mx.async_eval(costs[-1], state)
        return float(mx.mean(mx.stack(costs)))

    started = time.perf_counter()
    mx.eval(state)
    answer(time.perf_counter() - started, one_round)
