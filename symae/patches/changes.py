"""How patches change things: one way for attributes, one for conversions, and all of it can be undone."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from llvmlite import binding

from symae.kernels.fingerprint import fingerprint

# (function or anything that Numba compiles, key of its machine code on the disk or None)
Converted = tuple[Any, str | None]


class Changes:
    """Hold the changes of one patch."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Any]] = []

    def replace(self, owner: Any, name: str, new: Any) -> None:
        """Let `owner`, a module or class, have `new` under that name, whether it has something there or not."""
        there = name in vars(owner)
        self._undo.append(functools.partial(setattr, owner, name, vars(owner)[name]) if there else lambda: delattr(owner, name))
        setattr(owner, name, new)

    def link(self, symbol: str, address: int) -> None:
        """Let machine code that is linked from now on call what is at `address` by the name of `symbol`, which there is."""
        self._undo.append(functools.partial(binding.add_symbol, symbol, binding.address_of_symbol(symbol)))
        binding.add_symbol(symbol, address)

    def convert(self, dispatcher: Any, *kinds: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register the decorated function with `dispatcher`, such as ``dispatch.jax_funcify``, for ops of these kinds."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            for kind in kinds:
                self._undo.append(functools.partial(dispatcher.register, kind, dispatcher.dispatch(kind)))
                dispatcher.register(kind, function)
            return function

        return register

    def compute_by(self, dispatcher: Any, functions: Mapping[type, Callable[..., Any]]) -> None:
        """Let ops of each kind be computed by a function, whatever else the op says."""
        for kind, function in functions.items():
            self.convert(dispatcher, kind)(lambda op, function=function, **_: function)

    def adapt(self, dispatcher: Any, conversions: Mapping[type, Callable[..., Any]]) -> None:
        """Register ``conversion(stock, op, node, **keywords)`` for each kind of op; `stock` is what there was."""
        for kind, conversion in conversions.items():
            self.convert(dispatcher, kind)(functools.partial(conversion, dispatcher.dispatch(kind)))

    def convert_numba(self, kind: type) -> Callable[[Callable[..., Converted]], Callable[..., Converted]]:
        """Register the decorated ``conversion(stock, op, node, **keywords) -> (function, key)`` with Numba for ops of a kind.

        `stock` is the conversion that there was, which gives a function and a key too. The key gets what Numba's disk cache
        does not look at: the source of kernels and patches, and which patches are applied. A key of None, for what cannot be
        kept on the disk, stays None.
        """
        from pytensor.link.numba.dispatch import basic

        def register(conversion: Callable[..., Converted]) -> Callable[..., Converted]:
            stock = basic.numba_funcify_and_cache_key.dispatch(kind)
            for dispatcher in (basic.numba_funcify_and_cache_key, basic.numba_funcify):
                self._undo.append(functools.partial(dispatcher.register, kind, dispatcher.dispatch(kind)))

            def keyed(op: Any, node: Any = None, **keywords: Any) -> Converted:
                function, key = conversion(stock, op, node=node, **keywords)
                if key is None:
                    return function, None
                return function, hashlib.sha256(f"{fingerprint()} {conversion.__qualname__} {key}".encode()).hexdigest()

            basic.register_funcify_and_cache_key(kind)(keyed)
            return conversion

        return register

    def undo(self) -> None:
        """Put back what there was, the last change first."""
        while self._undo:
            self._undo.pop()()
