"""``train_epochs``: the tutorials' loop over minibatches and epochs, for compiled functions of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytensor.compile.sharedvalue import SharedVariable

from symae._runtime.renamed import renamed_arguments
from symae.training.callbacks import Interrupts, LambdaCallback, LogLines, ProgressBar, Rollback, Validation
from symae.training.early_stopping import EarlyStopping
from symae.training.engine import Callback, Callbacks, Step, check_callbacks, run_training
from symae.training.history import History


@renamed_arguments(every="log_every", say="log", also="metric_names", weights="batch_weights")
def train_epochs(
    train: Step,
    n_batches: int,
    n_epochs: int,
    *,
    log_every: int | None = None,
    on_epoch: Callable[[int, float, float, Mapping[str, float]], None] | None = None,
    before_epoch: Callable[[int], None] | None = None,
    measure: Callable[[], Mapping[str, float]] | None = None,
    params: Sequence[SharedVariable] = (),
    threads: int | None = None,
    log: Callable[[str], None] | None = None,
    metric_names: Sequence[str] = (),
    batch_weights: Sequence[float] | None = None,
    monitor: str = "cost",
    patience: int | None = None,
    history: History | None = None,
    loop: str = "compiled",
    callbacks: Callbacks = (),
    progress: bool = True,
) -> History:
    """Run `n_epochs` times over `n_batches` minibatches, in order.

    Prints ``Training epoch 0, cost 132.518026`` as the tutorials do, shows a progress bar on a terminal, keeps BLAS to one
    thread, and comes back with what was finished when Ctrl-C is pressed.

    Parameters
    ----------
    train : callable
        Takes the index of a minibatch, does one step, returns its cost, or a list of its cost and what `metric_names` names.
    n_batches, n_epochs : int
    log_every : int, optional
        Print every so many epochs, 0 for none. By default each of up to 20 epochs, and every tenth of more.
    on_epoch : callable, optional
        Called with (epoch, cost, seconds, measures) when an epoch has ended and counts; an `EpochLog` for instance.
    before_epoch : callable, optional
        Called with the number of each epoch before it begins, to shuffle for instance.
    measure : callable, optional
        Called as each epoch ends; the figures that it returns are printed beside the cost and kept by their names.
    params : sequence of shared variables
        What `train` changes: after Ctrl-C, and when the cost is not finite, they get back the values they had at the end of the
        last finished epoch.
    threads : int, optional
        Threads of BLAS; see `symae._runtime.blas_threads.blas_threads`.
    log : callable, optional
        Gets the printed lines instead of standard output.
    metric_names : sequence of str
        The names of what `train` returns after the cost; their means over the epoch are measures too.
    batch_weights : sequence of float, optional
        What each minibatch weighs in the means of an epoch, for minibatches of several lengths.
    monitor : str
        What is to become low: ``cost``, or the name of a measure.
    patience : int, optional
        Stop after so many epochs in a row that brought no new best of `monitor`.
    history : History, optional
        Epochs that are finished already: the training goes on after them, and adds to them.
    loop : {"compiled", "python"}
        How to get from one minibatch to the next: within compiled code, where `train` is compiled by `symae.function` on Numba
        or JAX, takes nothing but the index and returns nothing but scalars, and on MLX while it computes the one before; or by
        a call from Python for each, as everywhere else. On Numba and MLX the results are the same to the last bit.
    callbacks : sequence of `symae.training.Callback` or functions
        What else happens at the turning points of the training. They are called before `on_epoch`, and before the line of an
        epoch is printed. A function is called with the `symae.training.TrainingState` as each epoch ends; if it returns True
        the training ends.
    progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    History
        Of the finished epochs; on Ctrl-C the rest is missing and ``interrupted`` is true.

    Raises
    ------
    InputError
        There are no minibatches, `monitor` is not the name of a figure, `loop` not a kind of loop, or one of `callbacks` not a
        callback.
    DivergedError
        A minibatch's cost is infinite or not a number. Says which, at once.
    """
    check_callbacks(callbacks)
    standard: list[Callback] = [Interrupts(), *([ProgressBar()] if progress else [])]
    if measure is not None:
        standard.append(Validation(measure))
    if patience is not None:
        standard.append(EarlyStopping(patience))
    last = [LambdaCallback(before_epoch, on_epoch), LogLines(log, log_every, monitor)]
    return run_training(
        train,
        n_batches,
        n_epochs,
        [*standard, Rollback(params), *callbacks, *last],
        metric_names=metric_names,
        batch_weights=batch_weights,
        monitor=monitor,
        history=history,
        threads=threads,
        loop=loop,
    )
