"""`function`: a graph, compiled on the backend that is asked for, and loops over compiled functions."""

from symae.compile.backends import BACKENDS
from symae.compile.functions import COMPILING, CompileTime, compile_time, function
from symae.compile.modes import mode_for, options

__all__ = ["BACKENDS", "COMPILING", "CompileTime", "compile_time", "function", "mode_for", "options"]
