"""``theano.scan``: loops as expressions."""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.scan.basic import scan as plain_scan

from symae.rewrites import THEANO, tag
from symae.theano.absent import getter
from symae.theano.compile.mode import resolved
from symae.theano.scan_module.scan_utils import until
from symae.theano.updates import OrderedUpdates
from symae.theano.variables import behind, legacy, mark, plain, unmark

__all__ = ["scan", "until"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.basic"])


def scan(
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: Any = False,
    allow_gc: bool | None = None,
    strict: bool = False,
    return_list: bool = False,
) -> tuple[Any, OrderedUpdates]:
    """Apply `fn` step by step; the arguments are Theano's, in Theano's order.

    Parameters
    ----------
    fn : callable
        Takes slices of `sequences`, previous outputs, and `non_sequences`; returns outputs, updates and `until`, any of them.
    sequences : variable, dict(input=, taps=) or list of them, optional
    outputs_info : None, variable, dict(initial=, taps=) or list of them
    non_sequences : list, optional
    n_steps : int or scalar, optional
        A negative number goes backwards.
    truncate_gradient, go_backwards, mode, name, profile, allow_gc, strict, return_list
        As in Theano; `mode` and `profile` of a single loop are accepted and without effect.

    Returns
    -------
    outputs : variable, list of variables or None
        With one more dimension, the first.
    updates : OrderedUpdates
        To be handed to the function that is compiled of the outputs.
    """
    resolved(mode)  # a name that is none is an error also here
    if isinstance(n_steps, float | np.floating):
        n_steps = int(n_steps)
    if isinstance(n_steps, int | np.integer) and not isinstance(n_steps, bool) and n_steps < 0:
        n_steps, go_backwards = -int(n_steps), not go_backwards
    arguments = (sequences, outputs_info, non_sequences, n_steps)
    outer = behind(arguments)
    inner: dict[Any, None] = {}

    def plain_fn(*inputs: Any) -> Any:
        # Everything that the script could hold on to is Theano's while its function runs, its closure's variables included.
        with legacy(outer, inputs):
            result = fn(*inputs)
        used = behind(_parts(result))
        inner.update(dict.fromkeys(used))
        unmark(used)
        return result

    with plain(arguments), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Scan return signature will change")
        outputs, updates = plain_scan(
            plain_fn,
            _dicts(sequences),
            _dicts(outputs_info),
            non_sequences,
            n_steps,
            truncate_gradient,
            bool(go_backwards),
            name=name,
            allow_gc=allow_gc,
            strict=strict,
            return_list=return_list,
            **_STEPS,
            **_RETURN_UPDATES,
        )
    mark(list(inner))
    return mark(outputs), mark(OrderedUpdates(updates))


# PyTensor 3.0 compiles steps by themselves: so do we, but with Theano's rewrites; backends put their own linkers in the place
# of this one. Later ones rewrite steps with all the rest.
_ALONE = importlib.util.find_spec("pytensor.compile.inner_function") is None
_STEPS = {"mode": Mode("cvm", "fast_run").including(tag(THEANO))} if _ALONE else {}

# Asked for explicitly, so that nothing changes on the day when PyTensor's default does.
_RETURN_UPDATES = {"return_updates": True} if "return_updates" in inspect.signature(plain_scan).parameters else {}


def _dicts(given: Any) -> Any:
    """Copies of the dictionaries in `given`, which scan completes and a script may use again; arrays in them are constants."""
    if isinstance(given, dict):
        return {key: pt.as_tensor_variable(value) if isinstance(value, np.ndarray) else value for key, value in given.items()}
    return [_dicts(g) if isinstance(g, dict) else g for g in given] if isinstance(given, list | tuple) else given


def _parts(result: Any) -> list[Any]:
    """What a step returned, conditions opened."""
    if isinstance(result, until):
        return [result.condition]
    return [_parts(part) for part in result] if isinstance(result, list | tuple) else [result]
