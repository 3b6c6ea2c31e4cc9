"""``theano.scan``: loops as expressions."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import ancestors
from pytensor.scan.basic import get_updates_and_outputs
from pytensor.scan.basic import scan as plain_scan

from symae._runtime.checks import is_integer
from symae._runtime.quiet import without_warnings
from symae.rewrites.registry import THEANO, tag
from symae.theano._impl.absent import getter
from symae.theano._impl.values import without_test_values
from symae.theano._impl.variables import behind, legacy, mark, plain, unmark, with_test_values
from symae.theano.compile.mode import resolved
from symae.theano.scan_module.scan_utils import until
from symae.theano.updates import OrderedUpdates

__all__ = ["default_updates", "scan", "until"]

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

    Notes
    -----
    As in Theano, what `fn` returns is computed again in each step, down to the arguments of `fn`, and shared variables with a
    default update are updated after each step: random draws and counters that `fn` closes over are drawn and counted in each
    step, those among `sequences` and `non_sequences` once. `updates` holds what they are after the last step. A function that
    is compiled without it makes their default updates, once in a call.
    """
    resolved(mode)  # a name that is none is an error also here
    if isinstance(n_steps, float | np.floating):
        n_steps = int(n_steps)
    if is_integer(n_steps) and n_steps < 0:
        n_steps, go_backwards = -int(n_steps), not go_backwards
    arguments = (sequences, outputs_info, non_sequences, n_steps)
    outer = behind(arguments)
    inner: dict[Any, None] = {}
    added: dict[SharedVariable, Variable] = {}
    theirs: dict[SharedVariable, Variable | None] = {}

    def plain_fn(*inputs: Any) -> Any:
        # Everything that the script could hold on to is Theano's while its function runs, its closure's variables included.
        with legacy(outer, inputs), without_test_values():
            result = fn(*inputs)
        used = behind(_parts(result))
        inner.update(dict.fromkeys(used))
        unmark(used)
        condition, outputs, own = get_updates_and_outputs(result)
        added.update(default_updates([*outputs, condition], own, inputs))
        for variable in (*own, *added):
            # PyTensor would take them, for good, from those that `fn` has made.
            theirs[variable], variable._default_update = variable.default_update, None
        complete = (outputs, {**own, **added})
        return complete if condition is None else (*complete, until(condition))

    try:
        with plain(arguments), without_warnings("Scan return signature will change"):
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
    finally:
        for variable, update in theirs.items():
            variable._default_update = update
        mark(list(inner))
    # A loop of one step is none: its updates are made by whoever compiles the function.
    kept = [(variable, update) for variable, update in updates.items() if update is not added.get(variable)]
    return with_test_values(mark(outputs)), mark(OrderedUpdates(kept))


def default_updates(
    results: Iterable[Any], updates: Mapping[SharedVariable, Any], inputs: Iterable[Variable]
) -> dict[SharedVariable, Variable]:
    """Return the default updates of the shared variables that `results` and `updates` of a step depend on.

    What `inputs`, the arguments of the step, are computed from belongs to no step. Variables that `updates` has a value for are
    left out; those that only a default update depends on are there.
    """
    arguments = [v for v in inputs if not isinstance(v, SharedVariable | Constant)]
    found: dict[SharedVariable, Variable] = {}
    rest = [v for v in (*results, *updates.values()) if isinstance(v, Variable)]
    while rest:
        shared = [v for v in ancestors(rest, blockers=arguments) if isinstance(v, SharedVariable)]
        new = {v: v.default_update for v in shared if v not in found and v not in updates and v.default_update is not None}
        found |= new
        rest = list(new.values())
    return found


# PyTensor 3.0 compiles steps by themselves: so do we, but with Theano's rewrites; backends put their own linkers in the place
# of this one. Later ones rewrite steps with all the rest.
_ALONE = importlib.util.find_spec("pytensor.compile.inner_function") is None
_STEPS = {"mode": Mode("cvm", "fast_run").including(tag(THEANO))} if _ALONE else {}

# Asked for explicitly, so that nothing changes on the day when PyTensor's default does.
_RETURN_UPDATES = {"return_updates": True} if "return_updates" in inspect.signature(plain_scan).parameters else {}


def _dicts(given: Any) -> Any:
    """Copy the dictionaries in `given`, which scan completes and a script may use again; arrays in them are constants."""
    if isinstance(given, dict):
        return {key: pt.as_tensor_variable(value) if isinstance(value, np.ndarray) else value for key, value in given.items()}
    return [_dicts(g) if isinstance(g, dict) else g for g in given] if isinstance(given, list | tuple) else given


def _parts(result: Any) -> list[Any]:
    """Return what a step returned, conditions opened."""
    if isinstance(result, until):
        return [result.condition]
    return [_parts(part) for part in result] if isinstance(result, list | tuple) else [result]
