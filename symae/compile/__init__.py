"""`function`: a graph, compiled on the backend that is asked for, and loops over compiled functions."""

from symae.compile.functions import BACKENDS, COMPILING, CompileTime, compile_time, function, mode_for, options

__all__ = ["BACKENDS", "COMPILING", "CompileTime", "compile_time", "function", "mode_for", "options"]
