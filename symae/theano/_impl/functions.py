"""``theano.function`` with Theano's arguments, and what it returns."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from pytensor.compile.io import In as PlainIn
from pytensor.compile.io import Out
from pytensor.compile.rebuild import UnusedInputError
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable
from pytensor.link.basic import Container

from symae.compile import function as compiled_function
from symae.compile import options
from symae.compile.locked_function import locked
from symae.rewrites.registry import THEANO
from symae.theano._impl.configuration import config
from symae.theano._impl.inputs import In, Param
from symae.theano._impl.variables import behind as all_behind
from symae.theano._impl.variables import plain
from symae.theano.compile.mode import resolved

__all__ = ["Function", "In", "Out", "Param", "UnusedInputError", "function"]


class Function:
    """Call a compiled function: PyTensor's, with default values of inputs and outputs by name.

    ``f[variable]`` and ``f[name]`` are the values that inputs and shared variables have; ``f.maker.fgraph`` is the graph.
    """

    def __init__(self, compiled: Any, inputs: list[In], keys: list[str] | None, states: list[In]):
        self.fn = compiled
        self._inputs = inputs
        self._keys = keys
        self._states = states
        self._defaults = {i: entry.value for i, entry in enumerate(inputs) if entry.value is not None}

    def __call__(self, *args: Any, output_subset: Any = None, **kwargs: Any) -> Any:
        try:
            return self._called(args, output_subset, kwargs)
        except SystemError as error:
            if _is_interrupt(error):  # scripts catch that one, to stop training early
                raise KeyboardInterrupt from error
            raise

    def _called(self, args: tuple[Any, ...], output_subset: Any, kwargs: dict[str, Any]) -> Any:
        if not self._defaults and self._keys is None and output_subset is None:
            return self.fn(*args, **kwargs)
        with locked(self.fn):
            results = self.fn(*self._completed(args, kwargs), **kwargs)
            if self._states:
                values = results[len(results) - len(self._states) :]
                results = results[: len(results) - len(self._states)]
                for state, value in zip(self._states, values, strict=True):
                    self._defaults[self._inputs.index(state)] = value
                results = results[0] if self._single else results
        if self._keys is not None:
            chosen = self._keys if output_subset is None else output_subset
            return {key: value for key, value in zip(self._keys, results, strict=True) if key in chosen}
        return results if output_subset is None else [results[i] for i in output_subset]

    _single = False
    _made_of: dict[str, Any] = {}  # noqa: RUF012

    def _completed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return `args` with values for inputs that neither they nor `kwargs` have; `kwargs` loses what goes by position."""
        if len(args) > len(self._inputs):
            raise TypeError(f"too many arguments: found {len(args)}, expected {len(self._inputs)}")
        complete = list(args)
        for i, entry in enumerate(self._inputs[len(args) :], start=len(args)):
            if entry.name is not None and entry.name in kwargs:
                complete.append(kwargs.pop(entry.name))
            elif i in self._defaults:
                complete.append(self._defaults[i])
            else:
                raise TypeError(f"Missing input: {entry.variable}")
        return complete

    def _position(self, key: Any) -> int | None:
        for i, entry in enumerate(self._inputs):
            if entry.variable is key or (isinstance(key, str) and entry.name == key) or (type(key) is int and key == i):
                return i
        return None

    def _container(self, key: Any) -> Any:
        """Return what holds the value of an input or a shared variable, by the variable or its name."""
        for entry, container in zip(self.fn.maker.inputs, self.fn.input_storage, strict=True):
            if entry.variable is key or (isinstance(key, str) and entry.name == key):
                return container
        raise KeyError(f"{key} is not an input of this function, nor a shared variable that it uses")

    def __getitem__(self, key: Any) -> Any:
        i = self._position(key)
        return self._defaults[i] if i in self._defaults else self._container(key).value

    def __setitem__(self, key: Any, value: Any) -> None:
        i = self._position(key)
        if i in self._defaults:
            self._defaults[i] = value
        else:
            self._container(key).value = value

    def __contains__(self, key: Any) -> bool:
        try:
            return self._position(key) is not None or self._container(key) is not None
        except KeyError:
            return False

    @property
    def value(self) -> Function:
        """The function itself, so that ``f.value[key]`` is ``f[key]``."""
        return self

    @property
    def trust_input(self) -> bool:
        return bool(self.fn.trust_input)

    @trust_input.setter
    def trust_input(self, trust: bool) -> None:
        self.fn.trust_input = trust

    @property
    def name(self) -> str | None:
        return self.fn.name

    @name.setter
    def name(self, name: str | None) -> None:
        self.fn.name = name

    def copy(self, *args: Any, **kwargs: Any) -> Function:
        """Return another function of the same graph; the arguments are those of Theano's ``Function.copy``.

        As in Theano, it returns a list, even of one output or where this one returns a dict.
        """
        compiled = self.fn.copy(*args, **kwargs)
        compiled.unpack_single = compiled.return_none = False
        twin = Function(compiled, self._inputs, None, self._states)
        twin._made_of = {**self._made_of, "outputs": _list_of(self._made_of.get("outputs"))}
        twin._defaults = copy.deepcopy(self._defaults)
        return twin

    def __copy__(self) -> Function:
        return self.copy()

    def get_shared(self) -> list[Any]:
        """Return the shared variables of the function."""
        return [entry.variable for entry in self.fn.maker.inputs if isinstance(entry.variable, SharedVariable)]

    def __getattr__(self, name: str) -> Any:
        if name == "fn":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.fn, name)

    def __reduce__(self) -> Any:
        # Stored as what it was made of, and compiled again: machine code is of one machine and one version.
        return _made_again, (self._made_of, self._defaults)

    def __repr__(self) -> str:
        return f"<theano function {self.fn.name!r}>" if self.fn.name else "<theano function>"


def function(
    inputs: Any,
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
) -> Function:
    """Compile `outputs` and `updates` as a function of `inputs`; the arguments are Theano's, in Theano's order.

    Parameters
    ----------
    inputs : list of variables and `In`
    outputs : variable, list or dict of variables, or None
        A dict makes a function that returns a dict.
    mode : Mode or str, optional
        ``config.mode`` unless given; see `symae.theano.compile.mode` for what Theano's names mean here.
    updates, givens : dict, OrderedDict or list of pairs, optional
        (shared variable, expression), and (variable, replacement).
    no_default_updates : bool or list of shared variables
        Whose default updates not to make: all if True.
    name, accept_inplace, rebuild_strict, allow_input_downcast, profile
        As in Theano.
    on_unused_input : {"raise", "warn", "ignore"}, optional
        What an input does that nothing depends on; ``config.on_unused_input`` unless given.

    Returns
    -------
    Function

    Raises
    ------
    UnusedInputError
        Nothing depends on an input, or it is there twice.
    TypeError
        An update is of another type than its shared variable, or `inputs` is not a list.
    """
    arguments = dict(locals())
    if isinstance(inputs, Variable | In):
        raise TypeError(f"inputs of theano.function: found {type(inputs).__name__}, expected a list, also for one input")
    entries = [_entry(entry, allow_input_downcast) for entry in inputs]
    _refuse_twice([entry.variable for entry in entries])
    states = [entry for entry in entries if entry.update is not None]
    if not isinstance(outputs, Variable | Out | Mapping | list | tuple | None):
        outputs = list(outputs)
    keys = _keys(outputs)
    listed = [outputs[key] for key in keys] if keys is not None else outputs
    extended = _extended(listed, states)
    pairs = {"updates": _pairs(updates), "givens": _pairs(givens)}
    behind = ([e.variable for e in entries], [getattr(o, "variable", o) for o in _list(extended)], pairs)
    chosen, backend = resolved(mode)
    with plain(*behind), options(include=[THEANO]):
        compiled = compiled_function(
            [_plain_in(entry) for entry in entries],
            extended,
            chosen,
            pairs["updates"],
            pairs["givens"],
            no_default_updates,
            accept_inplace,
            name,
            rebuild_strict,
            allow_input_downcast,
            profile or None,
            _checked(entries, behind, on_unused_input or config.on_unused_input),
            backend=backend,
        )
    made = Function(compiled, entries, keys, states)
    made._single = bool(states) and not isinstance(outputs, list | tuple | dict)
    made._made_of = arguments
    return made


def _is_interrupt(error: BaseException | None) -> bool:
    """Return True if Ctrl-C is behind `error`: code that Numba compiled turns that into another error."""
    while isinstance(error, SystemError):
        error = error.__cause__
    return isinstance(error, KeyboardInterrupt)


def _made_again(arguments: dict[str, Any], defaults: dict[int, Any]) -> Function:
    made = function(**arguments)
    made._defaults.update(defaults)
    return made


def _entry(entry: Any, allow_downcast: bool | None) -> In:
    if isinstance(entry, In):
        if entry.allow_downcast is None:
            entry.allow_downcast = allow_downcast
        return entry
    if isinstance(entry, Variable) and not isinstance(entry, Constant):
        return In(entry, allow_downcast=allow_downcast)
    raise TypeError(f"inputs of theano.function: found {entry!r} of type {type(entry).__name__}, expected a variable or In")


def _refuse_twice(variables: list[Any]) -> None:
    for i, variable in enumerate(variables):
        if variable in variables[:i]:
            raise UnusedInputError(
                f"Variable {variable} is used twice in inputs to theano.function, at indices {variables.index(variable)} and "
                f"{i}.  This would result in values provided for it being ignored. Please do not duplicate variables in the "
                "inputs list."
            )


def _plain_in(entry: In) -> PlainIn:
    held = entry.value if isinstance(entry.value, SharedVariable | Container) else None
    mutable = entry.mutable and entry.update is None
    return PlainIn(
        entry.variable,
        name=entry.name,
        value=held,
        mutable=mutable,
        strict=entry.strict,
        allow_downcast=entry.allow_downcast,
        borrow=entry.borrow or mutable,
    )


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values) if isinstance(values, list | tuple) else [values]


def _list_of(outputs: Any) -> list[Any]:
    """Return the outputs of a function in the order in which a copy returns them."""
    return [outputs[key] for key in sorted(outputs)] if isinstance(outputs, Mapping) else _list(outputs)


def _keys(outputs: Any) -> list[str] | None:
    if not isinstance(outputs, Mapping):
        return None
    if not all(isinstance(key, str) for key in outputs):
        raise AssertionError("outputs of theano.function is a dict whose keys are not all strings")
    return sorted(outputs)


def _extended(outputs: Any, states: list[In]) -> Any:
    """Return `outputs`, and what the inputs that are kept become: this module keeps them, on any backend."""
    return [*_list(outputs), *(state.update for state in states)] if states else outputs


def _pairs(given: Any) -> list[tuple[Any, Any]]:
    """Return the pairs of a mapping, or of a list or tuple of pairs, in their order."""
    if given is None:
        return []
    pairs: Iterator[Any] = iter(given.items() if isinstance(given, Mapping) else given)
    return [(key, value) for key, value in pairs]


def _checked(entries: list[In], behind: tuple[Any, ...], on_unused: str) -> str:
    """Say what is to be said about inputs that nothing depends on, in Theano's words; what PyTensor is to do then: nothing."""
    if on_unused == "ignore":
        return "ignore"
    variables, outputs, pairs = behind
    used = set(all_behind((outputs, [new for _, new in pairs["updates"]], [new for _, new in pairs["givens"]])))
    for i, variable in enumerate(variables):
        if variable in used or entries[i].value is not None:
            continue
        text = (
            "theano.function was asked to create a function computing outputs given certain inputs, but the provided input "
            f"variable at index {i} is not part of the computational graph needed to compute the outputs: {variable}.\n"
        )
        if on_unused == "warn":
            warnings.warn(text, stacklevel=4)
        elif on_unused == "raise":
            raise UnusedInputError(
                f"{text}To make this error into a warning, you can pass the parameter on_unused_input='warn' to "
                "theano.function. To disable it completely, use on_unused_input='ignore'."
            )
        else:
            raise ValueError(f"on_unused_input is {on_unused!r}, expected 'raise', 'warn' or 'ignore'")
    return "ignore"
