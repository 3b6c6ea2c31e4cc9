"""``theano.compile.function_module``: compiled functions."""

from pytensor.compile.executor import AliasedMemoryError
from pytensor.compile.maker import FunctionMaker

from symae.theano._impl.absent import getter
from symae.theano._impl.functions import Function, In, UnusedInputError

__all__ = ["AliasedMemoryError", "Function", "FunctionMaker", "In", "UnusedInputError"]

__getattr__ = getter(__name__, pytensor=["pytensor.compile.maker", "pytensor.compile.executor"])
