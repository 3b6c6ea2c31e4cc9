"""What ``compile`` takes: optimizers, losses and metrics, by Keras's names or as functions."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import DisconnectedInputError
from pytensor.graph.basic import Variable

from symae import nn
from symae.errors import InputError
from symae.optimizers import adadelta, adagrad, adam, adamw, momentum, rmsprop, sgd

Loss = Callable[[Variable, Variable], Variable]
Optimizer = Callable[[Variable, Sequence[SharedVariable]], Any]

OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": partial(sgd, learning_rate=0.01),
    "momentum": partial(momentum, learning_rate=0.01),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": partial(adamw, weight_decay=0.004),
}
LOSSES: dict[str, Loss] = {
    "binary_crossentropy": nn.binary_cross_entropy,
    "mean_squared_error": nn.mean_squared_error,
    "mse": nn.mean_squared_error,
}


@dataclass(frozen=True)
class Objective:
    """Hold what a model is trained for."""

    targets: list[Variable]  # one for each output, of its type
    figures: dict[str, Variable]  # the loss, called cost as in symae.training, and what else is measured
    updates: Any  # pairs (shared variable, new value)


def objective(
    outputs: Sequence[Variable],
    params: Sequence[SharedVariable],
    optimizer: str | Optimizer,
    loss: str | Loss | Sequence[str | Loss],
    metrics: str | Loss | Sequence[str | Loss],
) -> Objective:
    """Build what `symae.keras.Model.compile` describes, or raise InputError as it says."""
    make_updates = _chosen("optimizer", optimizer, OPTIMIZERS)
    losses = [loss] * len(outputs) if isinstance(loss, str) or not isinstance(loss, Sequence) else list(loss)
    measured = [metrics] if isinstance(metrics, str) or not isinstance(metrics, Sequence) else list(metrics)
    if len(losses) != len(outputs):
        raise InputError("loss", f"{len(losses)} losses", f"one, or one for each of {len(outputs)} outputs")
    targets: list[Variable] = []
    costs: list[Variable] = []
    figures: dict[str, Variable] = {}
    for number, (output, chosen) in enumerate(zip(outputs, losses, strict=True), 1):
        prefix = f"{output.name or f'output{number}'}_" if len(outputs) > 1 else ""
        target = pt.tensor(f"{prefix}y", dtype=output.type.dtype, shape=output.type.shape)
        targets.append(target)
        costs.append(_mean("loss", chosen, target, output))
        wanted = [("loss", costs[-1])] if prefix else []
        wanted += [(_name_of(metric), _mean("metrics", metric, target, output)) for metric in measured]
        for name, figure in wanted:
            if prefix + name in {"loss", "cost", *figures}:
                raise InputError("metrics", f"a second {prefix}{name}", "a name for each")
            figures[prefix + name] = figure
    cost = pt.add(*costs) if len(costs) > 1 else costs[0]
    try:
        updates = make_updates(cost, params)
    except DisconnectedInputError as error:
        raise InputError("loss", "one that parameters do not change", "a function of the target and the output") from error
    return Objective(targets, {"cost": cost, **figures}, updates)


def named_settings(**settings: Any) -> dict[str, Any] | None:
    """Return what was given to ``compile``, if it is all names, which can be kept in a file; else None."""
    kept = {
        name: value if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else None
        for name, value in settings.items()
    }
    return kept if all(map(_is_named, kept.values())) else None


def checked_settings(saved: Any) -> dict[str, Any]:
    """Return what `named_settings` has kept, or raise InputError."""
    if (
        not isinstance(saved, dict)
        or saved.keys() != {"optimizer", "loss", "metrics"}
        or not all(map(_is_named, saved.values()))
    ):
        raise InputError("compile", reprlib.repr(saved), "names of an optimizer, losses and metrics")
    return dict(saved)


def _is_named(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(entry, str) for entry in value))


def _chosen(where: str, given: Any, known: Mapping[str, Any]) -> Any:
    if callable(given):
        return given
    if not isinstance(given, str) or given.lower() not in known:
        raise InputError(where, repr(given), f"a function, or one of {', '.join(known)}")
    return known[given.lower()]


def _name_of(metric: str | Loss) -> str:
    return metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)


def _mean(where: str, chosen: Any, target: Variable, output: Variable) -> Variable:
    costs = _chosen(where, chosen, LOSSES)(target, output)
    if not isinstance(costs, Variable):
        raise InputError(where, f"a function that gives a {type(costs).__name__}", "one that gives symbolic costs")
    return pt.mean(costs)
