"""`function`: a graph, compiled on the backend that is asked for; loops over compiled functions; steps for JAX's own."""

from symae.compile.backends import BACKENDS
from symae.compile.functions import COMPILING, CompileTime, compile_time, function
from symae.compile.modes import mode_for, options
from symae.compile.pure import pure_step

__all__ = ["BACKENDS", "COMPILING", "CompileTime", "compile_time", "function", "mode_for", "options", "pure_step"]
