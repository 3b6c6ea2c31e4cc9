"""How JAX's contenders of worksheets 04 to 06 run their rounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from measured import answer
from minibatches import Settings

__all__ = ["run"]


def run(step: Callable[..., Any], state: Any, given: Settings) -> None:
    """Answer with rounds of `step`, (state, images, batch) -> (state, cost).

    Each minibatch is a compiled function of its own, or all those of a round are one, by ``lax.scan``, if the way is "scan".
    """
    images = jnp.asarray(given.images)
    started = time.perf_counter()
    if given.way == "scan":

        def round_(state: Any, images: Any, batches: Any) -> Any:
            return lax.scan(lambda state, batch: step(state, images, batch), state, batches)

        shape = jnp.zeros((given.minibatches, given.batch), jnp.int32)
        compiled = jax.jit(round_, donate_argnums=0).lower(state, images, shape).compile()
    else:
        compiled = jax.jit(step, donate_argnums=0).lower(state, images, jnp.zeros(given.batch, jnp.int32)).compile()

    def one_round() -> float:
        nonlocal state
        batches = given.next_round().astype("int32")
        if given.way == "scan":
            state, costs = compiled(state, images, batches)
        else:
            each = []
            for batch in batches:
                state, cost = compiled(state, images, batch)
                each.append(cost)
            costs = jnp.stack(each)
        return float(costs.mean())

    answer(time.perf_counter() - started, one_round)
