"""``theano.function`` with Theano's arguments, and what it returns."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
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
from symae.theano._impl.clients import with_clients
from symae.theano._impl.configuration import config
from symae.theano._impl.inputs import In, Param
from symae.theano._impl.variables import behind as all_behind
from symae.theano._impl.variables import plain
from symae.theano.compile.mode import resolved

__all__ = ["Function", "In", "Out", "Param", "UnusedInputError", "function", "function_dump"]


class Function:
    """Call a compiled function: PyTensor's, with default values of inputs and outputs by name.

    ``f[variable]`` and ``f[name]`` are the values that inputs and shared variables have; ``f.maker.fgraph`` is the graph.
    """

    def __init__(self, compiled: Any, inputs: list[In], keys: list[str] | None, states: list[In]):
        self._compiled = compiled
        self._inputs = inputs
        self._keys = keys
        self._states = states
        self._cells = {i: _cell(entry) for i, entry in enumerate(inputs) if entry.value is not None}
        # those that a call may give by position; the others' values are another function's, or a shared variable's
        self._explicit = [i for i, entry in enumerate(inputs) if not entry.implicit]

    def __call__(self, *args: Any, output_subset: Any = None, **kwargs: Any) -> Any:
        try:
            return self._called(args, output_subset, kwargs)
        except SystemError as error:
            if _is_interrupt(error):  # scripts catch that one, to stop training early
                raise KeyboardInterrupt from error
            raise
        except AssertionError as error:
            if "Could not broadcast dimensions" in str(error):  # lengths that do not fit
                raise ValueError(*error.args) from error
            raise
        except OverflowError as error:
            if any("Invalid argument" in note for note in getattr(error, "__notes__", ())):  # 312 for an int8, of today's NumPy
                raise TypeError(*error.args) from error
            raise

    def _called(self, args: tuple[Any, ...], output_subset: Any, kwargs: dict[str, Any]) -> Any:
        if not self._cells and self._keys is None and output_subset is None:
            return self._compiled(*args, **kwargs)
        with locked(self._compiled):
            results = self._compiled(*self._completed(args, kwargs), **kwargs)
            if self._states:
                values = results[len(results) - len(self._states) :]
                results = results[: len(results) - len(self._states)]
                for state, value in zip(self._states, values, strict=True):
                    self._cells[self._inputs.index(state)].storage[0] = value
                results = results[0] if self._single else results
        if self._keys is not None:
            chosen = self._keys if output_subset is None else output_subset
            return {key: value for key, value in zip(self._keys, results, strict=True) if key in chosen}
        return results if output_subset is None else [results[i] for i in output_subset]

    _single = False
    _made_of: dict[str, Any] = {}  # noqa: RUF012

    def _completed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """Return `args` with values for inputs that neither they nor `kwargs` have; `kwargs` loses what goes by position."""
        if len(args) > len(self._explicit):
            raise TypeError(f"too many arguments: found {len(args)}, expected {len(self._explicit)}")
        given = dict(zip(self._explicit, args, strict=False))
        complete = []
        for i, entry in enumerate(self._inputs):
            if i in given:
                complete.append(given[i])
            elif entry.name is not None and entry.name in kwargs:
                complete.append(kwargs.pop(entry.name))
            elif i in self._cells:
                complete.append(self._cells[i].storage[0])
            else:
                raise TypeError(f"Missing input: {entry.variable}")
        return complete

    @functools.cached_property
    def finder(self) -> dict[Any, Container]:
        """What holds the values of inputs and of shared variables, by the variable, its name or the position."""
        found: dict[Any, Container] = {}
        pairs = zip(self._compiled.maker.inputs, self._compiled.input_storage, strict=True)
        for i, (entry, container) in enumerate(pairs):
            cell = self._cells.get(i, container)
            found |= {i: cell, entry.variable: cell} | ({entry.name: cell} if entry.name is not None else {})
        return found

    @property
    def container(self) -> dict[Any, Container]:
        """Theano's other name of `finder`."""
        return self.finder

    @property
    def defaults(self) -> list[tuple[bool, bool, Any]]:
        """For each input: has it to be given, is it put back after a call that gave it, and its value."""
        cells = [self._cells.get(i) for i in range(len(self._inputs))]
        return [
            (cell is None, cell is not None and entry.update is None, None if cell is None else cell.storage[0])
            for entry, cell in zip(self._inputs, cells, strict=True)
        ]

    @property
    def fn(self) -> Any:
        """What runs the nodes of the compiled graph, on the values that the last call has left."""
        return self._compiled.vm

    @property
    def maker(self) -> Any:
        """What has made the function; the variables of its graph have ``clients`` as in Theano, and its nodes ``fgraph``."""
        maker = self._compiled.maker
        with_clients(maker.fgraph)
        return maker

    @property
    def _check_for_aliased_inputs(self) -> bool:
        return any(entry.borrow or entry.mutable for entry in self._inputs)

    @_check_for_aliased_inputs.setter
    def _check_for_aliased_inputs(self, check: bool) -> None:
        """Accept what scripts set for speed; inputs are looked at nevertheless."""

    def __getitem__(self, key: Any) -> Any:
        return self._holding(key).storage[0]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._holding(key).value = value

    def _holding(self, key: Any) -> Container:
        if key not in self.finder:
            raise KeyError(f"{key} is not an input of this function, nor a shared variable that it uses")
        return self.finder[key]

    def __contains__(self, key: Any) -> bool:
        return key in self.finder

    @property
    def value(self) -> Function:
        """The function itself, so that ``f.value[key]`` is ``f[key]``."""
        return self

    @property
    def trust_input(self) -> bool:
        return bool(self._compiled.trust_input)

    @trust_input.setter
    def trust_input(self, trust: bool) -> None:
        self._compiled.trust_input = trust

    @property
    def name(self) -> str | None:
        return self._compiled.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._compiled.name = name

    def copy(
        self,
        share_memory: bool = False,
        swap: Mapping[Any, Any] | None = None,
        delete_updates: bool = False,
        name: str | None = None,
        profile: Any = None,
    ) -> Function:
        """Return another function of the same graph, with other shared variables by `swap`; the arguments are Theano's.

        As in Theano, it returns a list, even of one output or where this one returns a dict.
        """
        compiled = self._compiled
        if delete_updates:  # compiled again: this one's nodes may overwrite what it updates
            without = {"updates": None, "no_default_updates": True, "on_unused_input": "ignore"}
            compiled = function(**(self._made_of | without))._compiled
            used = compiled.maker.inputs
            swap = {old: new for old, new in (swap or {}).items() if any(entry.variable is old for entry in used)}
        compiled = compiled.copy(share_memory, dict(swap) if swap else None, False, name, profile)
        compiled.unpack_single = compiled.return_none = False
        twin = Function(compiled, self._inputs, None, self._states)
        twin._made_of = {**self._made_of, "outputs": _list_of(self._made_of.get("outputs"))}
        twin._cells = {i: _copied(self._inputs[i], cell) for i, cell in self._cells.items()}
        return twin

    def __copy__(self) -> Function:
        return self.copy()

    def get_shared(self) -> list[Any]:
        """Return the shared variables of the function."""
        return [entry.variable for entry in self._compiled.maker.inputs if isinstance(entry.variable, SharedVariable)]

    def __getattr__(self, name: str) -> Any:
        if name == "_compiled":  # while it is unpickled
            raise AttributeError(name)
        return getattr(self._compiled, name)

    def __reduce__(self) -> Any:
        # Stored as what it was made of, and compiled again: machine code is of one machine and one version.
        return _made_again, (self._made_of, self._cells, self.trust_input)

    def __repr__(self) -> str:
        return f"<theano function {self._compiled.name!r}>" if self._compiled.name else "<theano function>"


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
    name : str, optional
        The file and the line of the call unless given, "script.py:12".
    accept_inplace, rebuild_strict, allow_input_downcast, profile
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
    name = name if name is not None else _where_called()
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


def _where_called() -> str:
    """Return the file and the line of the script's that asks for a function."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("symae.theano", "contextlib")):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def function_dump(filename: str, *args: Any, **kwargs: Any) -> None:
    """Pickle the arguments of `function` into a file, as the dict to call it with: ``function(**pickle.load(file))``."""
    arguments = inspect.signature(function).bind(*args, **kwargs).arguments
    Path(filename).write_bytes(pickle.dumps(arguments, protocol=-1))


def _is_interrupt(error: BaseException | None) -> bool:
    """Return True if Ctrl-C is behind `error`: code that Numba compiled turns that into another error."""
    while isinstance(error, SystemError):
        error = error.__cause__
    return isinstance(error, KeyboardInterrupt)


def _made_again(arguments: dict[str, Any], cells: dict[int, Any], trust_input: bool = False) -> Function:
    made = function(**arguments)
    for i, cell in cells.items():
        if isinstance(cell, Container):
            made._cells[i] = cell
        else:  # a value, as pickles had it first
            made._cells[i].value = cell
    made.trust_input = trust_input
    return made


def _cell(entry: In) -> Container:
    """Return what holds the value of an input: its own, or that of another function or a shared variable."""
    if isinstance(entry.value, Container):
        return entry.value
    if isinstance(entry.value, SharedVariable):
        return entry.value.container
    cell = Container(entry.variable, [None], strict=entry.strict, allow_downcast=entry.allow_downcast, name=entry.name)
    cell.value = copy.deepcopy(entry.value) if entry.mutable else entry.value
    return cell


def _copied(entry: In, cell: Container) -> Container:
    """Return what holds the value of an input of a function's copy: a value that calls change is copied too."""
    storage = [copy.deepcopy(cell.storage[0]) if entry.mutable else cell.storage[0]]
    return Container(entry.variable, storage, strict=entry.strict, allow_downcast=entry.allow_downcast, name=entry.name)


def _entry(entry: Any, allow_downcast: bool | None) -> In:
    if isinstance(entry, In):
        if entry.allow_downcast is None:
            entry.allow_downcast = allow_downcast
        return entry
    if isinstance(entry, Variable) and not isinstance(entry, Constant):
        return In(entry, allow_downcast=allow_downcast)
    if isinstance(entry, list | tuple) and entry:
        return _of_tuple(entry, allow_downcast)
    raise TypeError(f"inputs of theano.function: found {entry!r} of type {type(entry).__name__}, expected a variable or In")


def _of_tuple(entry: Any, allow_downcast: bool | None) -> In:
    """Return the input that Theano's first years wrote ``(variable, value)`` or ``((variable, update), value)``.

    A name may stand before, and without a value it is ``(variable,)``.
    """
    name, parts = (entry[0], entry[1:]) if isinstance(entry[0], str) else (None, entry)
    if len(parts) in (1, 2) and isinstance(parts[0], In):
        made: In = parts[0]
        made.name, made.value = name or made.name, parts[1] if len(parts) == 2 else made.value
        return made
    pair = parts[0] if len(parts) == 2 and isinstance(parts[0], list | tuple) else [*parts[:1], None]
    if not (1 <= len(parts) <= 2 and len(pair) == 2 and isinstance(pair[0], Variable)):
        raise TypeError(
            f"inputs of theano.function: found {entry!r}, expected (variable, value) or ((variable, update), value)"
        )
    value = parts[1] if len(parts) == 2 else None
    return In(pair[0], name, value, pair[1], allow_downcast=allow_downcast)


def _refuse_twice(variables: list[Any]) -> None:
    for i, variable in enumerate(variables):
        if variable in variables[:i]:
            raise UnusedInputError(
                f"Variable {variable} is used twice in inputs to theano.function, at indices {variables.index(variable)} and "
                f"{i}.  This would result in values provided for it being ignored. Please do not duplicate variables in the "
                "inputs list."
            )


def _plain_in(entry: In) -> PlainIn:
    mutable = entry.mutable and entry.update is None
    return PlainIn(
        entry.variable,
        name=entry.name,
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
    used = set(all_behind((outputs, [new for _, new in pairs["updates"]], [new for _, new in pairs["givens"]]), variables))
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
