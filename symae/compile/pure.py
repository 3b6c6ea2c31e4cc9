"""Graphs as pure functions that JAX transforms: steps of a training for loops of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.type import TensorType

from symae._runtime.jax_64_bits import in_64_bits
from symae.compile.functions import function
from symae.compile.state_names import shared_variables, unique_names
from symae.errors import InputError
from symae.nn.phases import with_running_updates
from symae.ops.runtime_errors import judged

Updates = Mapping[SharedVariable, Variable] | Sequence[tuple[SharedVariable, Variable]]
State = dict[str, Any]


def pure_step(
    cost: Variable, updates: Updates, inputs: Any, *, measures: Mapping[str, Variable] | None = None
) -> tuple[Callable[[State, Any], tuple[State, dict[str, Any]]], State]:
    """Return a training step as a pure function of JAX's arrays, and the state to begin with.

    The step can be transformed: ``jax.jit`` (with ``donate_argnums=0`` and with shardings), ``jax.grad`` of a figure with
    respect to a part of the state, ``jax.vmap`` over states or minibatches, ``jax.lax.scan`` over steps. It draws from the
    streams of `symae.RandomStreams` and ``MRG_RandomStreams`` the numbers that every other backend draws.

    Parameters
    ----------
    cost : symbolic scalar
    updates : list of (shared variable, new value)
        Those of `symae.optimizers`, or others. Random streams and the running averages of `symae.nn.batch_norm` move on by
        themselves, as in `symae.training.fit`; of `symae.nn.deterministic` of a cost neither is left to move.
    inputs : symbolic variable, or a list or dict of them
        What a minibatch consists of.
    measures : mapping from name to symbolic scalar, optional
        More figures of a minibatch.

    Returns
    -------
    step : callable
        ``step(state, batch) -> (state, figures)``. `batch` has arrays where `inputs` has variables; `figures` are the scalars
        ``cost`` and `measures`, by name, before the update.
    state : dict of str to jax.Array
        The present values of all shared variables that a step changes, then of those that it only reads, by their names: later
        ones of a name get a number, as in checkpoints. A random stream is its 628 words of uint32. These are copies: training
        changes no shared variable, and ``model.set_parameters`` takes what was learned back.

    Raises
    ------
    InputError
        Something in the graph is float64, and JAX has no 64-bit numbers; a figure is no scalar. From `step`: an array has
        another dtype or shape than its variable, or an entry of the state is missing.
    BackendError
        JAX is not installed.

    Notes
    -----
    JAX cannot raise errors from what it has traced. Where a compiled function would raise one, for a label beyond the classes
    for instance, all figures of the step are NaN.

    Examples
    --------
    >>> import jax, numpy as np, pytensor.tensor as pt
    >>> from symae import DenoisingAutoencoder
    >>> model = DenoisingAutoencoder(np.random.RandomState(123), n_visible=4, n_hidden=2)
    >>> step, state = pure_step(*model.get_cost_updates(corruption_level=0.3, learning_rate=0.1), model.x)
    >>> step = jax.jit(step, donate_argnums=0)
    >>> for images in np.random.RandomState(0).uniform(size=(3, 20, 4)):
    ...     state, figures = step(state, images)
    >>> model.set_parameters({name: state[name] for name in model.parameters()})
    >>> list(state)
    ['W', 'b', 'b_prime', 'random_state_0']
    """
    outputs = {"cost": cost, **(measures or {})}
    if measures and "cost" in measures:
        raise InputError("measures", "'cost'", "another name: the cost has this one")
    for name, output in outputs.items():
        if not isinstance(output, Variable) or getattr(output.type, "ndim", None) != 0:
            found = f"a {output.type}" if isinstance(output, Variable) else f"a {type(output).__name__}"
            raise InputError(name, found, "a symbolic scalar: the mean over a minibatch")
    names, variables = _leaves(inputs)
    pure = PureFunction(variables, outputs, with_running_updates(outputs.values(), updates), names)

    def step(state: State, batch: Any) -> tuple[State, dict[str, Any]]:
        """Make one step: (state, batch) -> (state, figures)."""
        state, figures = pure(state, _arrays(inputs, batch))
        return state, dict(zip(outputs, figures, strict=True))

    return step, pure.first_state()


class PureFunction:
    """Compute ``outputs`` and the new values of shared variables from arrays: (state, inputs) -> (state, outputs).

    `names` are those of `inputs` in errors; `outputs` have theirs as keys. Outputs that are floats are NaN where kernels refuse
    something.
    """

    def __init__(self, inputs: Sequence[Variable], outputs: Mapping[str, Variable], updates: Updates, names: Sequence[str]):
        steps = list(updates.items()) if isinstance(updates, Mapping) else list(updates)
        compiled = function(list(inputs), list(outputs.values()), updates=steps, backend="jax", on_unused_input="ignore")
        fgraph, changed = compiled.maker.fgraph, [v for v, _ in steps]
        graphs = [*outputs.values(), *(new for _, new in steps)]
        read = shared_variables(graphs, inputs)
        moved = [v for v in read if v.default_update is not None]
        self.variables = unique_names([*changed, *moved, *read])
        storages = [container.storage for container in compiled.input_storage]
        self._positions = {
            name: next(i for i, storage in enumerate(storages) if storage is v.container.storage)
            for name, v in self.variables.items()
            if any(storage is v.container.storage for storage in storages)
        }
        self.variables = {name: self.variables[name] for name in self._positions}
        into = {position: out for out, position in (fgraph.update_mapping or {}).items()}
        self._updated = {name: into[i] for name, i in self._positions.items() if i in into}
        given = [i for i, entry in enumerate(compiled.maker.expanded_inputs) if not entry.implicit]
        self._given = list(zip(given, names, [v.type for v in inputs], strict=True))
        self._n_outputs = len(outputs)
        self._traceable = judged(compiled.vm.jit_fn.traceable)
        self._check_64_bits([*self.variables.items(), *zip(names, inputs, strict=True), *outputs.items()])

    def _check_64_bits(self, named: Iterable[tuple[str, Variable]]) -> None:
        import jax

        wide = [name for name, v in named if getattr(v.type, "dtype", None) in ("float64", "complex128")]
        if wide and not jax.config.jax_enable_x64:
            expected = (
                "float32, because JAX has no 64-bit numbers here: set jax_enable_x64, or floatX to float32 before the model"
            )
            raise InputError(wide[0], "float64", expected)

    def first_state(self) -> State:
        """Return copies of what the shared variables hold."""
        return to_jax_arrays({name: v.container.storage[0] for name, v in self.variables.items()})

    def __call__(self, state: Mapping[str, Any], inputs: Sequence[Any]) -> tuple[State, list[Any]]:
        import jax

        if not isinstance(state, Mapping) or state.keys() != self.variables.keys():
            found = ", ".join(map(str, state)) if isinstance(state, Mapping) else f"a {type(state).__name__}"
            raise InputError("state", found or "nothing", f"the entries {', '.join(self.variables)}")
        values: list[Any] = [None] * (len(self._positions) + len(self._given))
        with in_64_bits():
            for name, i in self._positions.items():
                values[i] = _fitting(f"state[{name!r}]", state[name], self.variables[name].type, exactly=True)
            for (i, name, type_), array in zip(self._given, inputs, strict=True):
                values[i] = _fitting(name, array, type_)
            results, conditions = self._traceable(*values)
            new = dict(state)
            for name, out in self._updated.items():
                dtype = self.variables[name].type.dtype
                # no weak type: what comes out can go in again
                new[name] = jax.lax.convert_element_type(jax.numpy.asarray(results[out]), dtype)
            outputs = [jax.numpy.asarray(output) for output in results[: self._n_outputs]]
            if conditions:
                fine = jax.numpy.stack(conditions).all()
                outputs = [jax.numpy.where(fine, x, np.nan).astype(x.dtype) if x.dtype.kind == "f" else x for x in outputs]
        return new, outputs


def to_jax_arrays(values: Mapping[str, Any]) -> State:
    """Return copies of arrays, as JAX's, with all their bits."""
    import jax

    with in_64_bits():
        return {name: jax.numpy.array(value, copy=True) for name, value in values.items()}


def _fitting(where: str, value: Any, type_: Any, *, exactly: bool = False) -> Any:
    """Return `value` as an array of the dtype of the type, of which it has the shape, or raise InputError."""
    import jax

    if not isinstance(type_, TensorType):
        return value
    array = jax.numpy.asarray(value)
    if array.ndim != type_.ndim or any(n not in (None, m) for n, m in zip(type_.shape, array.shape, strict=True)):
        expected = f"({', '.join('n' if n is None else str(n) for n in type_.shape)}{',' * (type_.ndim == 1)})"
        raise InputError(where, f"shape {array.shape}", expected)
    if array.dtype != type_.dtype and (exactly or not np.can_cast(array.dtype, type_.dtype, "same_kind")):
        raise InputError(where, f"dtype {array.dtype}", type_.dtype)
    return array.astype(type_.dtype)


def _leaves(inputs: Any) -> tuple[list[str], list[Variable]]:
    """Return what the variables among `inputs` are called in errors, and the variables."""
    if isinstance(inputs, Mapping):
        found = {f"batch[{key!r}]": v for key, v in inputs.items()}
    elif isinstance(inputs, list | tuple):
        found = {f"batch[{i}]": v for i, v in enumerate(inputs)}
    else:
        found = {"batch": inputs}
    for v in found.values():
        if not isinstance(v, Variable):
            raise InputError("inputs", f"a {type(v).__name__}", "a symbolic variable, or a list or dict of them")
    return list(found), list(found.values())


def _arrays(inputs: Any, batch: Any) -> list[Any]:
    """Return the arrays of a batch in the order of `_leaves`."""
    if isinstance(inputs, Mapping):
        if not isinstance(batch, Mapping) or batch.keys() != inputs.keys():
            found = ", ".join(map(str, batch)) if isinstance(batch, Mapping) else f"a {type(batch).__name__}"
            raise InputError("batch", found or "nothing", f"arrays called {', '.join(map(str, inputs))}")
        return [batch[key] for key in inputs]
    if not isinstance(inputs, list | tuple):
        return [batch]
    if not isinstance(batch, list | tuple) or len(batch) != len(inputs):
        found = f"{len(batch)} arrays" if isinstance(batch, list | tuple) else f"a {type(batch).__name__}"
        raise InputError("batch", found, f"a list of {len(inputs)} arrays")
    return list(batch)
