"""``theano.compile``: functions, modes and shared variables."""

from pytensor.compile.debug.profiling import ProfileStats
from pytensor.compile.io import SymbolicInput, SymbolicOutput
from pytensor.compile.maker import FunctionMaker

from symae.theano._impl.absent import getter
from symae.theano._impl.configuration import config
from symae.theano._impl.functions import Function, In, Out, Param, UnusedInputError, function
from symae.theano.compile.builders import OpFromGraph
from symae.theano.compile.mode import (
    AddDestroyHandler,
    DebugMode,
    Mode,
    ProfileMode,
    get_default_mode,
    get_mode,
    optdb,
    predefined_linkers,
    predefined_modes,
    predefined_optimizers,
    register_linker,
    register_mode,
    register_optimizer,
)
from symae.theano.compile.ops import DeepCopyOp, FromFunctionOp, ViewOp, as_op, deep_copy_op, view_op
from symae.theano.compile.pfunc import pfunc
from symae.theano.shared import SharedVariable, shared, shared_constructor

__all__ = [
    "AddDestroyHandler",
    "DebugMode",
    "DeepCopyOp",
    "FromFunctionOp",
    "Function",
    "FunctionMaker",
    "In",
    "Mode",
    "OpFromGraph",
    "Out",
    "Param",
    "ProfileMode",
    "ProfileStats",
    "SharedVariable",
    "SymbolicInput",
    "SymbolicOutput",
    "UnusedInputError",
    "ViewOp",
    "as_op",
    "config",
    "deep_copy_op",
    "function",
    "get_default_mode",
    "get_mode",
    "optdb",
    "pfunc",
    "predefined_linkers",
    "predefined_modes",
    "predefined_optimizers",
    "register_linker",
    "register_mode",
    "register_optimizer",
    "shared",
    "shared_constructor",
    "view_op",
]

__getattr__ = getter(
    __name__,
    submodules=["builders", "debugmode", "function_module", "io", "monitormode", "nanguardmode", "profiling", "sharedvalue"],
    elsewhere={
        "FAST_COMPILE": "compile.mode",
        "FAST_RUN": "compile.mode",
        "MonitorMode": "compile.monitormode",
        "NanGuardMode": "compile.nanguardmode",
        "AliasedMemoryError": "compile.function_module",
        "Rebroadcast": "tensor",
        "Shape": "compile.ops",
        "Shape_i": "compile.ops",
        "SpecifyShape": "compile.ops",
        "shape": "tensor",
        "specify_shape": "tensor",
    },
    instead={
        "register_shape_c_code": "leave it out: PyTensor's Ops of shapes have code for all arrays",
        "register_view_op_c_code": "leave it out: there is code for all arrays",
        "register_deep_copy_op_c_code": "leave it out: there is code for all arrays",
        "orig_function": "use theano.function",
        "rebuild_collect_shared": "use theano.clone",
    },
    pytensor=["pytensor.compile", "pytensor.compile.mode"],
)
