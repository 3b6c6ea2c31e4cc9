"""``theano.scan_checkpoints``: loops whose gradient needs the memory of some steps only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import as_theano
from symae.theano.scan_module.scan import scan
from symae.theano.updates import OrderedUpdates

__all__ = ["scan_checkpoints"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.checkpoints"])


def scan_checkpoints(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    name: str = "checkpointscan_fn",
    n_steps: Any = None,
    save_every_N: int = 10,
    padding: bool = True,
) -> tuple[Any, OrderedUpdates]:
    """Apply `fn` step by step as `scan` does, and keep the outputs of each `save_every_N`-th step and of the last one.

    A gradient computes what lies between again: it takes a second pass, and memory of n_steps / N + N steps.

    Parameters
    ----------
    fn, sequences, outputs_info, non_sequences, name, n_steps
        As those of `scan`; sequences are arrays of one length, outputs depend on the step before at most.
    save_every_N : int
    padding : bool
        Sequences are filled up with zeros, which no step sees, to a multiple of `save_every_N`. Without, their length is one.

    Returns
    -------
    outputs : variable, or list of variables
    updates : OrderedUpdates

    Raises
    ------
    RuntimeError
        An output has taps.
    """
    inputs, infos, constants = _listed(sequences), _listed(outputs_info), _listed(non_sequences)
    if any(isinstance(info, dict) and "taps" in info for info in infos):
        raise RuntimeError("scan_checkpoints: found taps in outputs_info, expected outputs that depend on one step before")
    folded, lengths = _folded(inputs, inputs[0].shape[0] if n_steps is None else n_steps, save_every_N, padding)

    def block(*arguments: Any) -> Any:
        given = iter(arguments)
        parts = [next(given) for _ in inputs]
        length = next(given)
        previous = [None if info is None else next(given) for info in infos]
        results, updates = scan(fn, parts, previous, list(given), length, name=f"{name}_inner", return_list=True)
        return [result[-1] for result in results], updates

    return scan(block, [*folded, lengths], infos, constants, lengths.shape[0], name=f"{name}_outer")


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [] if given is None else [given]


@as_theano
def _folded(sequences: list[Any], steps: Any, count: int, padding: bool) -> tuple[list[Variable], Variable]:
    """Return the sequences with a new first dimension, the blocks of `count` steps, and the number of steps in each block."""
    blocks = (steps + count - 1) // count
    lengths = pt.minimum(count, steps - count * pt.arange(blocks))
    folded = []
    for s in map(pt.as_tensor_variable, sequences):
        rest = [s.shape[i] for i in range(1, s.type.ndim)]
        whole = pt.join(0, s[:steps], pt.zeros((blocks * count - steps, *rest), s.type.dtype)) if padding else s
        folded.append(whole.reshape((blocks, count, *rest), ndim=s.type.ndim + 1))
    return folded, pt.cast(lengths, "int64")
