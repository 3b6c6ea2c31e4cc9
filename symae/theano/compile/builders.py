"""``theano.OpFromGraph``: an operation made of a graph, with derivatives that a script may give itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pytensor.compile.builders import OpFromGraph as PlainOpFromGraph
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Constant, Variable
from pytensor.graph.null_type import NullType
from pytensor.graph.op import io_connection_pattern
from pytensor.graph.traversal import graph_inputs

from symae.theano._impl.absent import getter
from symae.theano._impl.variables import behind, called_by_script, is_marked, legacy, mark, plain, unmark, with_test_values
from symae.theano.compile.mode import resolved

__all__ = ["OpFromGraph"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.builders"])

# what Theano hands on to the function that it compiles of the inner graph; here that is compiled with all the rest
_OF_THE_FUNCTION = {"mode", "accept_inplace", "profile", "on_unused_input"}


class OpFromGraph(PlainOpFromGraph):
    """Compute `outputs` of `inputs` in one operation; the arguments are Theano's, in Theano's order.

    Parameters
    ----------
    inputs, outputs : list of variables
        Shared variables that `outputs` depend on are further inputs, after `inputs`; calls bring them in by themselves.
    inline : bool
        Replace the operation by the graph itself when a function is compiled.
    lop_overrides, grad_overrides : "default", callable, OpFromGraph, variable, or list of these
        What replaces the gradient: a function of (inputs, outputs, output gradients), or of (inputs, output gradients), that
        returns a list with the gradient by each input, or an operation on these variables; a variable of DisconnectedType or
        NullType says that there is none. A list has an entry for each input, of which functions return one variable. Only
        one of the two may be given.
    rop_overrides : the same, of (inputs, evaluation points), with an entry for each output
        What replaces the product with the Jacobian that `theano.Rop` makes.
    connection_pattern : list of lists of bool, optional
        For each input whether each output depends on it.
    name : str, optional
    **kwargs
        ``mode``, ``accept_inplace``, ``profile`` and ``on_unused_input`` are accepted and without effect.

    Raises
    ------
    TypeError
        There is no such argument, `outputs` is not a list, or something among them is not a variable.
    ValueError
        Both `lop_overrides` and `grad_overrides` are given.

    Notes
    -----
    As in Theano, overrides are looked at when a gradient is asked for: a TypeError or ValueError says what is wrong with one.
    """

    def __init__(
        self,
        inputs: list[Variable],
        outputs: list[Variable],
        inline: bool = False,
        lop_overrides: Any = "default",
        grad_overrides: Any = "default",
        rop_overrides: Any = "default",
        connection_pattern: list[list[bool]] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        unknown = sorted(set(kwargs) - _OF_THE_FUNCTION)
        if {"updates", "givens"} & set(kwargs):
            raise TypeError("OpFromGraph: updates and givens are not allowed here")
        if unknown:
            raise TypeError(f"OpFromGraph got an unexpected keyword argument '{unknown[0]}'")
        if not isinstance(outputs, list):
            raise TypeError(f"outputs of OpFromGraph must be a list, found {type(outputs).__name__}")
        for v in (*inputs, *outputs):
            if not isinstance(v, Variable):
                raise TypeError(f"inputs and outputs of OpFromGraph must be variables, found {v!r}")
        resolved(kwargs.get("mode"))  # a name that is none is an error also here
        self.inputs, self.outputs = inputs, outputs
        self.shared = [v for v in graph_inputs(outputs, inputs) if isinstance(v, SharedVariable) and v not in inputs]
        with plain(inputs, outputs):
            super().__init__(
                [*inputs, *self.shared],
                outputs,
                inline=inline,
                connection_pattern=connection_pattern,
                name=name,
                on_unused_input="ignore",
            )
        self._given_pattern = connection_pattern
        if _is_default(lop_overrides):
            self.set_grad_overrides(grad_overrides)
        elif _is_default(grad_overrides):
            self.set_lop_overrides(lop_overrides)
        else:
            raise ValueError("lop_overrides and grad_overrides are mutually exclusive")
        self.set_rop_overrides(rop_overrides)

    @property
    def local_inputs(self) -> list[Variable]:
        """The inputs of the inner graph, those for shared variables last."""
        return list(self.fgraph.inputs)

    @property
    def local_outputs(self) -> list[Variable]:
        """The outputs of the inner graph."""
        return list(self.fgraph.outputs)

    def set_grad_overrides(self, grad_overrides: Any) -> None:
        """Replace the gradient; the argument is that of the constructor."""
        self._set_pullback(grad_overrides, "grad")

    def set_lop_overrides(self, lop_overrides: Any) -> None:
        """Replace the gradient; the argument is that of the constructor."""
        self._set_pullback(lop_overrides, "lop")

    def set_rop_overrides(self, rop_overrides: Any) -> None:
        """Replace the product with the Jacobian; the argument is that of the constructor."""
        self.pushforward_overrides = self._as_pytensors(rop_overrides, "rop", len(self.output_types))
        self._rop_op_cache = None

    def _set_pullback(self, overrides: Any, kind: str) -> None:
        self.pullback_overrides = self._as_pytensors(overrides, kind, len(self.input_types))
        self._lop_op_cache: dict[Any, Any] = {}
        self._connection_pattern = self._given_pattern

    def _as_pytensors(self, overrides: Any, kind: str, count: int) -> Any:
        """Return overrides as PyTensor takes them: None for "default", variables, and functions of plain variables."""
        if _is_default(overrides):
            return None
        if isinstance(overrides, list):
            return [e if isinstance(e, Variable) else None if _is_default(e) else _Override(e, kind, None) for e in overrides]
        return _Override(overrides, kind, count)

    @property
    def derivative_op_type(self) -> type:
        """The gradient's class in PyTensor 3.3, whose default refuses overrides that close over shared variables."""
        return OpFromGraph

    @property
    def has_derivatives_of_its_own(self) -> bool:
        """True if the product with the Jacobian is another one than two gradients make."""
        return self.pullback_overrides is not None or self.pushforward_overrides is not None

    def __eq__(self, other: Any) -> bool:
        # PyTensor calls overrides to compare them, and cannot if they close over shared variables.
        if self is other:
            return True
        own = self.has_derivatives_of_its_own or getattr(other, "has_derivatives_of_its_own", False)
        return not own and bool(super().__eq__(other))

    __hash__ = PlainOpFromGraph.__hash__

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        expected = len(self.input_types) - len(self.shared)
        if len(inputs) not in {expected, len(self.input_types)}:
            raise ValueError(f"{self}: expected {expected} inputs, found {len(inputs)}")
        complete = inputs if len(inputs) > expected else (*inputs, *self.shared)
        theirs = called_by_script(inputs)
        marked = [v for v in complete if is_marked(v)]
        unmark(marked)
        try:
            result = super().__call__(*complete, **kwargs)
        finally:
            mark(marked)
        return with_test_values(mark(result)) if theirs else result

    def pullback(self, inputs: Any, outputs: Any, output_grads: Any) -> list[Variable]:
        with _marked_again(self.pullback_overrides):
            gradients: list[Variable] = super().pullback(inputs, outputs, output_grads)
        return gradients

    def pushforward(self, inputs: Any, outputs: Any, tangents: Any) -> list[Variable]:
        with _marked_again(self.pushforward_overrides):
            products: list[Variable] = super().pushforward(inputs, outputs, tangents)
        return products

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Return for each input whether each output depends on it, or its gradient by an override is made of that output."""
        if self._connection_pattern is None:
            pattern = [list(row) for row in io_connection_pattern(self.local_inputs, self.local_outputs)]
            if self.pullback_overrides is not None:
                self._reconnect(pattern)
            self._connection_pattern = pattern
        return self._connection_pattern

    def _reconnect(self, pattern: list[list[bool]]) -> None:
        inputs, outputs, gradients = (
            [t() for t in types] for types in (self.input_types, self.output_types, self.output_types)
        )
        with _marked_again(self.pullback_overrides):
            if isinstance(self.pullback_overrides, list):
                entries = (e(inputs, outputs, gradients) if callable(e) else e for e in self.pullback_overrides)
            else:
                entries = self.pullback_overrides(inputs, outputs, gradients)
            for row, gradient in zip(pattern, entries, strict=False):  # PyTensor says it where there are too few or too many
                if gradient is None:
                    continue
                if isinstance(gradient.type, DisconnectedType):
                    row[:] = [False] * len(row)
                else:
                    made_of = io_connection_pattern(outputs, [gradient])
                    row[:] = [before or own[0] for before, own in zip(row, made_of, strict=True)]


def _is_default(overrides: Any) -> bool:
    return isinstance(overrides, str) and overrides == "default"


class _Override:
    """Call a script's override as PyTensor does: with plain variables, of which the script sees marked ones.

    `count` is the number of variables that it has to return, in a list; None where it is to return one, and no list.
    """

    def __init__(self, theirs: Any, kind: str, count: int | None):
        self.theirs, self.kind, self.count = theirs, kind, count
        self.seen: list[Variable] = []

    def __call__(self, inputs: Sequence[Variable], *more: Sequence[Variable]) -> Any:
        groups = [list(inputs), *map(list, more)]
        if self.kind != "rop":  # an output that nothing depends on has a gradient of zeros, which a script can compute with
            groups[2] = [
                o.zeros_like() if isinstance(g.type, DisconnectedType) else g for o, g in zip(groups[1], groups[2], strict=True)
            ]
        if self.kind == "grad":
            del groups[1]
        if isinstance(self.theirs, Variable):
            if not isinstance(self.theirs.type, DisconnectedType | NullType):
                raise ValueError(
                    f"Overriding Variable instance can only have type of DisconnectedType or NullType, got {self.theirs.type}"
                )
            return [self.theirs.type() for _ in range(self.count or 1)]
        if not callable(self.theirs):
            raise TypeError(
                "L_op/gradient override should be (single or list of) 'default' | OpFromGraph | callable | Variable with "
                f"NullType or DisconnectedType, got {self.theirs}"
            )
        with legacy(groups):
            found = self._asked(groups)
        used = behind(found)
        self.seen += [v for v in used if is_marked(v) and not isinstance(v, Constant)]
        unmark(used)
        return found

    def _asked(self, groups: list[list[Variable]]) -> Any:
        if isinstance(self.theirs, PlainOpFromGraph):
            given = [v for group in groups for v in group]
            expected = len(self.theirs.input_types) - len(getattr(self.theirs, "shared", ()))
            if len(given) != expected:
                raise ValueError(f"expect overrider with {len(given)} inputs, got {expected}")
            found = self.theirs(*given, return_list=True)
            return found if self.count is not None else found[0]
        found = self.theirs(*groups)
        if self.count is None:
            return found
        if not isinstance(found, list):
            raise TypeError(f'Gradient/L_op overriding function should return a list, got "{type(found)}"')
        if len(found) != self.count:
            raise ValueError(f"Gradient/L_op overriding function should return list of {self.count} outputs, got {len(found)}")
        return found


@contextmanager
def _marked_again(overrides: Any) -> Iterator[None]:
    """Give variables that overrides close over back as the script had them, when PyTensor has made its own of what they say."""
    try:
        yield
    finally:
        for override in overrides if isinstance(overrides, list) else [overrides]:
            if isinstance(override, _Override):
                mark(override.seen)
                override.seen.clear()
