"""Many calls of a function that Numba has compiled, in one piece of machine code.

Called from Python, for one index after the other, a function takes some microseconds each time to look at what it is given,
to wrap what it returns, and to put it back into the shared variables. Here the values of its inputs are unwrapped once. Then
machine code calls the function's own machine code, at its address, and hands on what one call returns to the next. So the
results are those of calls from Python by construction, and nothing is compiled but the loop itself.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import cgutils, types
from numba.core.errors import NumbaError
from numba.extending import intrinsic
from pytensor.link.numba.cache import compile_numba_function_src
from pytensor.link.utils import raise_with_op

from symae.compile.locked_function import locked
from symae.compile.loops.base import IndexedStep, say_no_loop
from symae.compile.loops.figures import Figures, Rows
from symae.compile.numba_calls import load_or_compile, takes_tuple
from symae.patches.numba_deferred_codegen import whole_programs


class _Layout(NamedTuple):
    """Hold what a loop has to know of the function that it calls; all of it is in the key of the loop's machine code."""

    inputs: Any  # the tuple of their types, that of the index among them
    outputs: Any
    as_tuple: bool  # the function has one argument, a tuple of the inputs
    position: int  # which input that is
    figures: int  # how many outputs are figures, before those that are new values of inputs
    updates: tuple[tuple[int, int], ...]  # (output, input)


class _Compiled:
    """Hold the loop for inputs of some types, and a place for those that a failing step was given."""

    def __init__(self, layout: _Layout, address: int, size: int):
        self.layout = layout
        self.address = address  # of the function's machine code
        self.loop = _loop(layout)
        self.state = np.zeros(size, np.uint8)
        self.address_of_state: int = self.state.ctypes.data


class NumbaLoop:
    """Loop over calls of a function on Numba's backend: a `symae.compile.loops.base.Loop`.

    Where a call changes the type of something that it updates, say from column to row order, it is made from Python.
    """

    def __init__(self, indexed: IndexedStep):
        self.indexed = indexed
        self._of_kinds: dict[Any, _Compiled | None] = {}
        self._of_types: dict[Any, _Compiled | None] = {}
        self._compiled(indexed.values(0))  # now rather than in the first epoch

    def run(self, first: int, count: int) -> Rows:
        with locked(self.indexed.function):
            return self._run(first, count)

    def _run(self, first: int, count: int) -> Rows:
        indexed = self.indexed
        if not indexed.holds(first + count - 1):
            return indexed.run(first, count)
        values = indexed.values(first)
        compiled = self._compiled(values)
        if compiled is None:
            return indexed.run(first, count)
        rows, done = np.empty((count, indexed.figures)), np.zeros(1, np.int64)
        try:
            values = compiled.loop(compiled.address, compiled.address_of_state, values, first, rows, done)
        except BaseException as error:
            if compiled.state.any():  # the steps before the one that failed are done
                indexed.put(_taken(compiled.layout.inputs)(compiled.address_of_state))
                compiled.state[:] = 0
            if not isinstance(error, Exception):  # Ctrl-C in an op that calls Python
                raise
            raise_with_op(indexed.function.maker.fgraph, indexed.node, indexed.function.vm)
        indexed.put(values)
        return Figures(rows[: done[0]])

    def _compiled(self, values: tuple[Any, ...]) -> _Compiled | None:
        """Return the loop for values of these types; None if there can be none.

        An epoch may take less than Numba does to say what their types are.
        """
        kinds = tuple(map(_kind, values))
        if None in kinds:
            return self._of_types_of(values)
        if kinds not in self._of_kinds:
            self._of_kinds[kinds] = self._of_types_of(values)
        return self._of_kinds[kinds]

    def _of_types_of(self, values: tuple[Any, ...]) -> _Compiled | None:
        try:
            inputs = types.BaseTuple.from_types([numba.typeof(value) for value in values])
        except (ValueError, NumbaError):
            return None  # Numba knows no type of a value
        if not all(isinstance(kind, types.Array | types.NumPyRandomGeneratorType) for kind in inputs):
            return None  # lists, for instance, which Numba copies at each call
        if inputs not in self._of_types:
            try:
                with whole_programs():
                    self._of_types[inputs] = self._compile(inputs)
            except Exception as error:  # a Numba that is not among those tested
                say_no_loop("Numba", error)
                self._of_types[inputs] = None
        return self._of_types[inputs]

    def _compile(self, inputs: Any) -> _Compiled | None:
        indexed, dispatcher = self.indexed, self.indexed.function.vm.jit_fn
        as_tuple = takes_tuple(dispatcher)
        arguments = (inputs,) if as_tuple else tuple(inputs)
        if arguments not in dispatcher.overloads:
            load_or_compile(dispatcher, arguments)
        step = dispatcher.overloads[arguments]
        outputs = step.signature.return_type
        if any(outputs[out] != inputs[into] for out, into in indexed.updates):
            return None
        layout = _Layout(inputs, outputs, as_tuple, indexed.position, indexed.figures, indexed.updates)
        address = step.library.get_pointer_to_function(step.fndesc.llvm_func_name)
        context = dispatcher.targetctx
        return _Compiled(layout, address, context.get_abi_sizeof(context.get_value_type(inputs)))


def _kind(value: Any) -> tuple[Any, ...] | None:
    """Return what Numba's type of a value follows from; None if that is not known here."""
    return (value.dtype, value.ndim, value.flags.num) if type(value) is np.ndarray else None


@cache
def _loop(layout: _Layout) -> Any:
    """Compile ``loop(address, state, values, first, rows, done) -> values``.

    Calls what is at `address` with index `first` and the following, once for each of `rows`, into which the figures go,
    and counts the calls in `done`; ends after one whose first figure is not finite. If a call fails, the values that it was
    given are at `state`, for `_taken`.
    """
    loop = _jit("loop", "address, state, values, first, rows, done", _loop_intrinsic(layout), layout)
    arguments = (types.intp, types.intp, layout.inputs, types.int64, types.float64[:, ::1], types.int64[::1])
    load_or_compile(loop, arguments)
    return loop


@cache
def _taken(inputs: Any) -> Any:
    """Compile ``taken(state) -> values``: what a loop has left at `state`, once."""

    @intrinsic
    def intrinsic_(typing: Any, state: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(builder.inttoptr(arguments[0], context.get_value_type(inputs).as_pointer()))

        return inputs(types.intp), codegen

    return _jit("taken", "state", intrinsic_, inputs)


def _jit(name: str, parameters: str, body: Any, key: Any) -> Any:
    """Compile a function of these parameters that does what the intrinsic `body` does, kept on the disk under `key`."""
    digest = hashlib.sha256(f"{Path(__file__).read_text()} {name} {key}".encode()).hexdigest()
    source = f"def {name}({parameters}): return body({parameters})"
    function = compile_numba_function_src(source, name, {"__name__": __name__, "body": body}, cache_key=digest)
    return numba.njit(function, cache=True, no_cfunc_wrapper=True)


def _loop_intrinsic(layout: _Layout) -> Any:
    index_type = layout.inputs[layout.position]

    @intrinsic
    def loop(typing: Any, address: Any, state: Any, values: Any, first: Any, rows: Any, done: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from numba.np.arrayobj import _empty_nd_impl  # what is loaded from the disk does without

            address, state, values, first, rows, done = arguments
            arguments_of_step = (layout.inputs,) if layout.as_tuple else tuple(layout.inputs)
            function_type = context.call_conv.get_function_type(layout.outputs, arguments_of_step)
            function = builder.inttoptr(address, function_type.as_pointer())
            rows = context.make_array(signature.args[4])(context, builder, rows)
            done = context.make_array(signature.args[5])(context, builder, done)
            # the loop owns a reference to each of the values
            context.nrt.incref(builder, layout.inputs, values)
            now = cgutils.alloca_once_value(builder, values)

            with cgutils.for_range(builder, builder.extract_value(rows.shape, 0)) as each:
                values = builder.load(now)
                # an array of its own for each call, because the function may keep it
                number = _empty_nd_impl(context, builder, index_type, [])
                context.pack_value(
                    builder,
                    index_type.dtype,
                    context.cast(builder, builder.add(first, each.index), types.int64, index_type.dtype),
                    number.data,
                )
                context.nrt.decref(builder, index_type, builder.extract_value(values, layout.position))
                values = builder.insert_value(values, number._getvalue(), layout.position)

                given = [values] if layout.as_tuple else [builder.extract_value(values, i) for i in range(len(layout.inputs))]
                status, outputs = context.call_conv.call_function(builder, function, layout.outputs, arguments_of_step, given)
                with cgutils.if_unlikely(builder, status.is_error):
                    builder.store(values, builder.inttoptr(state, values.type.as_pointer()))
                    context.call_conv.return_status_propagate(builder, status)

                figures = []
                for i in range(layout.figures):
                    kind, output = layout.outputs[i], builder.extract_value(outputs, i)
                    data = context.make_array(kind)(context, builder, output).data
                    figure = context.cast(builder, context.unpack_value(builder, kind.dtype, data), kind.dtype, types.float64)
                    where = cgutils.get_item_pointer(
                        context, builder, signature.args[4], rows, [each.index, context.get_constant(types.intp, i)]
                    )
                    builder.store(figure, where)
                    context.nrt.decref(builder, kind, output)
                    figures.append(figure)
                for out, into in layout.updates:
                    context.nrt.decref(builder, layout.inputs[into], builder.extract_value(values, into))
                    values = builder.insert_value(values, builder.extract_value(outputs, out), into)
                builder.store(values, now)
                builder.store(builder.add(each.index, each.index.type(1)), done.data)
                rest = builder.fsub(figures[0], figures[0])
                with cgutils.if_unlikely(builder, builder.fcmp_unordered("!=", rest, rest.type(0.0))):
                    each.do_break()
            return builder.load(now)

        arguments = (types.intp, types.intp, layout.inputs, types.int64, types.float64[:, ::1], types.int64[::1])
        return layout.inputs(*arguments), codegen

    return loop
