"""The parameters of a model, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
import pytensor
from pytensor.compile.sharedvalue import SharedVariable

from symae.errors import InputError
from symae.nn.weights import Seed, check_random_state


class Parameters(Sequence[SharedVariable]):
    """Collect shared variables in the order in which layers make them; each has a unique name, its key in files.

    Parameters
    ----------
    numpy_rng : RandomState, Generator or int
        Draws initial weights; see `symae.nn.check_random_state`.

    Attributes
    ----------
    names : tuple of str
    state : list of shared variables
        What training changes beside the parameters, the running averages of `symae.nn.batch_norm`; an optimizer gets them not.

    Examples
    --------
    >>> import numpy as np, pytensor.tensor as pt
    >>> from symae import nn
    >>> params = nn.Parameters(np.random.RandomState(0))
    >>> x = pt.tensor("x", shape=(None, 784))
    >>> code = nn.dense(params, "code", x, 10, activation="sigmoid")
    >>> params.names
    ('code_W', 'code_b')
    """

    def __init__(self, numpy_rng: Seed):
        self.numpy_rng = check_random_state(numpy_rng)
        self._variables: dict[str, SharedVariable] = {}
        self._state: dict[str, SharedVariable] = {}

    def add(self, name: str, value: np.ndarray) -> SharedVariable:
        """Add a parameter that begins with `value`.

        Raises
        ------
        InputError
            There is one of that name.
        """
        return self._added(self._variables, name, value)

    def add_state(self, name: str, value: np.ndarray) -> SharedVariable:
        """Add something that training changes and that is no parameter, as `add` does."""
        return self._added(self._state, name, value)

    def _added(self, variables: dict[str, SharedVariable], name: str, value: np.ndarray) -> SharedVariable:
        if name in self._variables or name in self._state:
            raise InputError("parameter", f"a second {name}", "a name for each")
        variables[name] = pytensor.shared(value, name=name, borrow=True, shape=value.shape)
        return variables[name]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep what is added inside the block only if nothing is refused there: it can be built again under its name."""
        before = dict(self._variables), dict(self._state)
        try:
            yield
        except BaseException:
            self._variables, self._state = before
            raise

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._variables)

    @property
    def state(self) -> list[SharedVariable]:
        return list(self._state.values())

    @overload
    def __getitem__(self, key: int | str) -> SharedVariable: ...
    @overload
    def __getitem__(self, key: slice) -> list[SharedVariable]: ...
    def __getitem__(self, key: Any) -> Any:
        """Return a parameter by its name or position; by name, what is in `state` too.

        Raises
        ------
        InputError
            There is none of that name; the message lists those there are.
        """
        if not isinstance(key, str):
            return list(self._variables.values())[key]
        known = self._variables | self._state
        if key not in known:
            raise InputError("parameter", repr(key), f"one of {', '.join(known)}")
        return known[key]

    def __iter__(self) -> Iterator[SharedVariable]:
        return iter(self._variables.values())

    def __len__(self) -> int:
        return len(self._variables)

    def __contains__(self, key: object) -> bool:
        return key in self._variables if isinstance(key, str) else any(p is key for p in self)
