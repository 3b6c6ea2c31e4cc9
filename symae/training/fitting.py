"""``fit``: from a cost, its updates and arrays to a trained model, in one call that can be interrupted and resumed.

The loop alone, for compiled functions of one's own, is `train_epochs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.traversal import graph_inputs

from symae._runtime.checks import integer
from symae._runtime.folder_lock import locked
from symae._runtime.renamed import renamed_arguments
from symae.compile import function as symae_function
from symae.compile.loops import check_loop
from symae.compile.mesh import Devices
from symae.errors import InputError
from symae.nn import deterministic, running_updates
from symae.nn.phases import with_running_updates
from symae.ops.random.draws import random_state, state_words
from symae.training.callbacks import Shuffling, print_line
from symae.training.checkpoints import Checkpoint, COrder, in_c_order, named_state, put, values
from symae.training.data import Examples, Pass, evaluation_batch_size
from symae.training.devices import ShardedPass, devices_for
from symae.training.early_stopping import BestParameters
from symae.training.engine import Callback, Callbacks, check_callbacks
from symae.training.epochs import train_epochs
from symae.training.history import History
from symae.training.identity import Identity
from symae.training.joining import join
from symae.training.parameter_averages import Averages
from symae.training.processes import Processes, processes_of
from symae.training.streams import examples_of, pass_over
from symae.training.together import Together, callbacks_here, compared, no_line
from symae.training.training_folder import Checkpoints, TrainingFolder

Updates = Mapping[SharedVariable, Variable] | Sequence[tuple[SharedVariable, Variable]]

# what a line of the history has besides measures
RESERVED = ("model", "epoch", "seconds")


@renamed_arguments(every="log_every", say="log")
def fit(
    cost: Variable,
    updates: Updates,
    data: Mapping[Variable, Any],
    *,
    batch_size: int,
    n_epochs: int,
    params: Sequence[SharedVariable],
    seed: int = 0,
    shuffle: bool = True,
    drop_last: bool = True,
    validation: Mapping[Variable, Any] | None = None,
    measures: Mapping[str, Variable] | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    patience: int | None = None,
    monitor: str | None = None,
    restore_best: bool = False,
    average: float | None = None,
    on_epoch: Callable[[int, float, float, Mapping[str, float]], None] | None = None,
    log_every: int | None = None,
    backend: str | None = None,
    threads: int | None = None,
    log: Callable[[str], None] | None = None,
    name: str | None = None,
    function: Callable[..., Any] = symae_function,
    loop: str = "compiled",
    callbacks: Callbacks = (),
    devices: Any = None,
    shard: Mapping[str, Any] | None = None,
    distributed: bool | str | None = None,
) -> History:
    """Train by minibatches that are drawn from `data` in a new order in each epoch.

    With a `folder`, each epoch leaves a line in ``history.jsonl`` and a checkpoint in ``last.safetensors``, the best one in
    ``best.safetensors`` too. A process may be killed at any moment: with ``resume=True`` the next one goes on after the last
    finished epoch and gets, on the same machine and backend, the same numbers to the last bit.

    Parameters
    ----------
    cost : symbolic scalar
        The mean over a minibatch, in any units.
    updates : list of (shared variable, new value)
        A step: those of `symae.optimizers`, or others. Random streams and the running averages of `symae.nn.batch_norm` move on
        by themselves.
    data : mapping from symbolic input to array
        Each array's first axis counts examples. Shared variables are taken too, and expressions of them. Of arrays that are not
        in memory, NumPy's memmaps of more than 64 MiB, datasets of h5py and zarr, columns of Hugging Face's datasets, and
        everything else that has a length and is indexed by a vector of whole numbers, only the minibatch at hand is read; a
        resumed training compares their sizes and some examples then, not all values.
    batch_size, n_epochs : int
        Examples in a minibatch, and how many times to go over all of them; those of resumed epochs count.
    params : list of shared variables
        The model, each with a name of its own.
    seed : int in [0, 2**32)
        Seeds the order of the examples.
    shuffle : bool
        False: always in the order of `data`.
    drop_last : bool
        Leave out what remains after the last full minibatch, other examples in each epoch when they are shuffled. False, or if
        there are fewer examples than that: it is a smaller minibatch.
    validation : mapping from symbolic input to array, optional
        Has the inputs of `data`. After each epoch the mean of the cost over all of it is the measure ``val_cost``, of the model
        without dropout and with the running averages of batch normalisation, as `symae.nn.deterministic` says.
    measures : mapping from name to symbolic scalar, optional
        Means over a minibatch, of which the history gets those over the epoch, while the model learns; and, as ``val_<name>``,
        those over the validation data.
    folder : path, optional
    resume : bool
        Go on from the checkpoint in `folder`, if there is one. Cost, updates and what they read have to be the same, also the
        numbers in them; variables that training changes take the checkpoint's values. False: begin again. Old checkpoints can
        not be resumed then; until the first epoch is finished they are kept as ``last.safetensors.old`` and
        ``best.safetensors.old``.
    patience : int, optional
        Stop after so many epochs in a row that brought no new best.
    monitor : str, optional
        What is best when it is lowest: ``cost`` or the name of a measure. ``val_cost`` unless there is no validation data.
    restore_best : bool
        Leave the best epoch's values in `params`; otherwise those of the last one.
    average : float in [0, 1), optional
        Average the parameters over the steps with this decay, as `symae.training.parameter_averages` says, and what batch
        normalisation keeps; 0.99 reaches back about 100 steps. The averages are what is measured with the validation data, and
        what is in `params` when the training has ended. The steps and their cost are the same as without.
    on_epoch, log_every, threads, log
        As in `train_epochs`.
    backend : str, optional
        As in `symae.function`.
    name : str, optional
        The model's, in each line of the history and before the names of checkpoints, for folders of several models.
    function : callable, optional
        Compiles, in place of `symae.function`: called as ``function([index], outputs, updates=…, givens=…)``.
    loop : {"compiled", "python"}
        As in `train_epochs`.
    callbacks : sequence of `symae.training.Callback` or functions
        As in `train_epochs`; they are called when the checkpoint of an epoch is written.
    devices : "all", int, or jax.sharding.Mesh, optional
        Divide each minibatch among all devices of JAX, the first so many, or along the axis ``data`` of a mesh; `batch_size` is
        that of all together. The backend is JAX. Costs, masks and checkpoints are those of one device, but for rounding, and
        a training may be resumed with any number of devices.
    shard : mapping from name to jax.sharding.PartitionSpec, optional
        Divide parameters too: with ``{"W": PartitionSpec(None, "model")}`` the columns of W along the axis ``model`` of a mesh,
        and with W what an optimizer remembers of it. Names are those in checkpoints. Other variables are on each device.
    distributed : True or str, optional
        Train together with other processes, on this machine or others, all of whose devices are those of `devices`. True: JAX
        finds them under SLURM, Open MPI and on Kubernetes. ``"HOST:PORT,N,I"``: process I of N, of which number 0 listens
        there. Each runs the same program with the same data, of which it reads its rows of each minibatch; the first one
        writes, and `folder` is one that all see. Callbacks are called in each. See ``docs/scaling.md``.

    Returns
    -------
    History
        Of the finished epochs, also those before it was resumed. After Ctrl-C the rest is missing.

    Raises
    ------
    InputError
        Arrays do not fit their inputs or each other; a setting is out of its range; the checkpoint is damaged, or of another
        model, other data, other settings or another cost or updates; another training goes on in `folder`. Says which; nothing
        is changed then.
    UnwritableError
        `folder` cannot be written, or has no room for checkpoints.
    LostProcessError
        Another process of the training is gone; says which.
    DivergedError
        The cost of a minibatch is not finite: says which, and where the last good checkpoint is. All variables get back the
        values they had at the end of the last finished epoch.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import nn
    >>> from symae.optimizers import adam
    >>> params, x = nn.Parameters(np.random.RandomState(0)), pt.tensor("x", shape=(None, 4))
    >>> cost = ((nn.dense(params, "drawn", nn.dense(params, "code", x, 2), 4) - x) ** 2).mean()
    >>> images = np.random.RandomState(0).uniform(size=(60, 4))
    >>> history = fit(cost, adam(cost, params), {x: images}, batch_size=20, n_epochs=10, params=params, log_every=0)
    >>> history.costs[-1] < history.costs[0]
    True
    """
    integer("batch_size", batch_size, 1)
    integer("n_epochs", n_epochs, 0)
    integer("seed", seed, 0, 2**32 - 1)
    integer("patience", 1 if patience is None else patience, 1)
    if distributed is not None and distributed is not False:  # "" is a launcher, as where a command says --distributed
        join(distributed)
        devices = "all" if devices is None else devices
    if devices is None and shard is not None:
        raise InputError("shard", "no devices", 'devices="all", their number or a mesh')
    with ExitStack() as held:
        group = None if devices is None else processes_of(devices)
        writes = group is None or group.writes
        if group is not None:
            held.enter_context(group.together(checkpoints=folder is not None))
            group.compare_versions()
            callbacks, log = callbacks_here(callbacks, writes), log if writes else no_line
        sharing = None
        if devices is not None:
            if backend is None and function is symae_function:
                backend = "jax"
            sharing = devices_for(devices, shard, batch_size, backend)
        check_loop(loop)
        check_callbacks(callbacks)
        _by_name(params)
        if "cost" in (measures or {}):
            raise InputError("measures", "'cost'", "another name: the cost has this one")
        outputs = _scalars({"cost": cost, **(measures or {})})
        if resume and folder is None:
            raise InputError("resume", "no folder", "the folder of the training to go on with")
        examples = examples_of("data", data)
        held_out = None if validation is None else examples_of("validation", validation, examples)
        figures = [*outputs, *(f"val_{figure}" for figure in outputs if held_out is not None)]
        monitor = monitor or figures[-len(outputs)]
        if monitor not in figures:
            raise InputError("monitor", repr(monitor), f"one of {', '.join(figures)}")
        if group is not None and len(examples) < group.count:
            raise InputError("data", f"{len(examples)} examples", f"at least {group.count}, one for each process")
        steps = with_running_updates(outputs.values(), updates)
        averages_of_layers = [v for v, _ in running_updates(list(outputs.values())) if v not in params]
        model = _by_name([*params, *averages_of_layers])
        kept, checked = model, deterministic(list(outputs.values()), list(data))
        ending: list[Callback] = []
        if average is not None:
            averages = Averages(model, steps, average)
            kept, checked = averages.variables, averages.in_place_of_params(checked)
            steps += averages.updates
            ending.append(averages)
        state = named_state(params, what_steps_change(outputs.values(), steps, data))
        if sharing is not None:
            sharing.share_like(params, state)

        shuffling = Shuffling(len(examples), np.random.RandomState(seed))
        history, resumed, best = History(), None, None
        identity = Identity(outputs, steps, list(data), state)
        settings: dict[str, Any] = {}

        def described(history: History) -> Checkpoint:
            return Checkpoint(history, values(state), settings, state_words(shuffling.rng), identity.description())

        files = None
        if folder is not None or group is not None:
            settings = {
                "batch_size": int(batch_size),
                "seed": int(seed),
                "shuffle": bool(shuffle),
                "drop_last": bool(drop_last),
                "data": examples.fingerprint(),
                "validation": None if held_out is None else held_out.fingerprint(),
                "measures": list(outputs)[1:],
                "monitor": monitor,
                **({} if average is None else {"average": float(average)}),
            }
        if folder is not None and (writes or resume):
            files = TrainingFolder(folder, settings, name, writes=writes)
            if writes:
                held.enter_context(locked(files.folder))
            if resume:
                resumed = files.resumed(state, identity)
                if resumed is not None and restore_best:
                    names = {v: name for name, v in state.items()}
                    arrays = files.best_arrays(resumed, {names[v]: v for v in kept.values()})
                    best = {name: arrays[names[v]] for name, v in kept.items()}
            if writes:
                files.check_room(described(history))
        if group is not None:
            group.compare(compared(settings, n_epochs, devices, shard, identity, resumed))

        in_c_order(state.values())
        compiler = function if backend is None else partial(function, backend=backend)
        order = shuffling.order if shuffle else None
        train = _pass(sharing, state, loop, group)(
            compiler, examples, batch_size, list(outputs.values()), steps, order=order, drop_last=drop_last
        )
        held.callback(train.close)  # whatever ends the training: files of data may be closed after it
        check = None
        if held_out is not None:
            length = evaluation_batch_size(len(held_out), batch_size, 1 if sharing is None else len(sharing))
            check = _pass(sharing, state, loop, group)(compiler, held_out, length, checked)
            held.callback(check.close)

        if resumed is not None:
            history, shuffling.rng = resumed.history, random_state(resumed.shuffling)
            put(resumed.arrays, state)
            if len(history) < n_epochs:
                for line in (f"Training goes on after {len(history)} of {n_epochs} epochs", *identity.lines):
                    (log or print_line)(line)
        beginning: list[Callback] = [COrder(list(state.values()))]
        if shuffle:
            beginning.append(shuffling)
        if restore_best:
            ending.append(BestParameters(model, kept, best))
        if files is not None and writes:
            files.begin(resumed)
            ending.append(Checkpoints(files, described))
        return train_epochs(
            train,
            len(train),
            n_epochs,
            log_every=log_every,
            on_epoch=on_epoch,
            measure=None if check is None else lambda: dict(zip(figures[len(outputs) :], check.means(), strict=True)),
            params=list(state.values()),
            threads=threads,
            log=log,
            metric_names=list(outputs)[1:],
            batch_weights=train.lengths,
            monitor=monitor,
            patience=patience,
            history=history,
            loop=loop,
            callbacks=[*beginning, *ending, *callbacks, *([] if group is None else [Together(group)])],
            progress=writes,
        )


def _pass(
    sharing: Devices | None, state: Mapping[str, SharedVariable], loop: str, group: Processes | None
) -> Callable[..., Pass | ShardedPass]:
    """Return what makes steps of examples: (function, examples, length, outputs, …) -> a pass."""

    def make(function: Callable[..., Any], examples: Examples, *arguments: Any, **settings: Any) -> Pass | ShardedPass:
        if sharing is None:
            return pass_over(examples)(function, examples, *arguments, loop=loop, **settings)
        names = {v: name for name, v in state.items()}
        return ShardedPass(sharing, names, function, examples, *arguments, loop=loop, processes=group, **settings)

    return make


def _by_name(params: Sequence[SharedVariable]) -> dict[str, SharedVariable]:
    names = [p.name for p in params]
    if not names or None in names or len(set(names)) < len(names):
        raise InputError("params", f"parameters named {', '.join(map(str, names))}", "a name for each: checkpoints have them")
    return dict(zip(names, params, strict=True))


def _scalars(outputs: Mapping[str, Variable]) -> dict[str, Variable]:
    """Return the cost and the measures, if they are scalars and the history can have figures of these names."""
    for name, output in outputs.items():
        if name in RESERVED or name.startswith("val_"):
            raise InputError("measures", repr(name), f"other names than {', '.join(RESERVED)}, and than those with val_ before")
        if not isinstance(output, Variable) or getattr(output.type, "ndim", None) != 0:
            found = output.type if isinstance(output, Variable) else type(output).__name__
            raise InputError(name, f"a {found}", "a symbolic scalar: the mean over a minibatch")
    return dict(outputs)


def what_steps_change(
    outputs: Iterable[Variable], steps: Sequence[tuple[SharedVariable, Variable]], data: Mapping[Variable, Any]
) -> list[SharedVariable]:
    """Return what a step changes: what `steps` say, and the random streams that it draws from.

    Something that it reads and that is not in `data` is an InputError.
    """
    updated = [v for v, _ in steps]
    graphs = [*outputs, *(new for _, new in steps)]
    while graphs:
        found = list(graph_inputs(graphs, blockers=list(data)))
        for v in found:
            if v not in data and not isinstance(v, SharedVariable | Constant):
                raise InputError("data", f"nothing for {v}", f"an array for it, beside {', '.join(map(str, data))}")
        streams = [v for v in found if isinstance(v, SharedVariable) and v.default_update is not None and v not in updated]
        updated += streams
        graphs = [v.default_update for v in streams]
    return updated
