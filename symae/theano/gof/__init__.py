"""``theano.gof``: graphs, Ops and rewrites."""

from pytensor.graph.basic import Constant
from pytensor.graph.destroyhandler import DestroyHandler
from pytensor.graph.features import (
    Bookkeeper,
    Feature,
    History,
    NoOutputFromInplace,
    ReplaceValidate,
    Validator,
)
from pytensor.graph.utils import InconsistencyError, MethodNotDefined, MissingInputError
from pytensor.link.basic import Container, Linker, LocalLinker, PerformLinker
from pytensor.link.c.basic import CLinker, DualLinker, OpWiseCLinker

from symae.theano._impl.absent import getter
from symae.theano._impl.nodes import Apply, FunctionGraph
from symae.theano._impl.variable_classes import Variable
from symae.theano.gof.op import Op, PureOp
from symae.theano.gof.opt import (
    EquilibriumOptimizer,
    LocalOptGroup,
    LocalOptimizer,
    MergeOptimizer,
    OpRemove,
    OpSub,
    Optimizer,
    PatternSub,
    SeqOptimizer,
    TopoOptimizer,
    local_optimizer,
    optimizer,
)
from symae.theano.gof.optdb import DB, EquilibriumDB, LocalGroupDB, ProxyDB, Query, SequenceDB
from symae.theano.gof.type import Generic, PureType, Type, generic

__all__ = [
    "DB",
    "Apply",
    "Bookkeeper",
    "CLinker",
    "Constant",
    "Container",
    "DestroyHandler",
    "DualLinker",
    "EquilibriumDB",
    "EquilibriumOptimizer",
    "Feature",
    "FunctionGraph",
    "Generic",
    "History",
    "InconsistencyError",
    "Linker",
    "LocalGroupDB",
    "LocalLinker",
    "LocalOptGroup",
    "LocalOptimizer",
    "MergeOptimizer",
    "MethodNotDefined",
    "MissingInputError",
    "NoOutputFromInplace",
    "Op",
    "OpRemove",
    "OpSub",
    "OpWiseCLinker",
    "Optimizer",
    "PatternSub",
    "PerformLinker",
    "ProxyDB",
    "PureOp",
    "PureType",
    "Query",
    "ReplaceValidate",
    "SeqOptimizer",
    "SequenceDB",
    "TopoOptimizer",
    "Type",
    "Validator",
    "Variable",
    "generic",
    "local_optimizer",
    "optimizer",
]

__getattr__ = getter(
    __name__,
    submodules=["compilelock", "destroyhandler", "fg", "graph", "link", "null_type", "toolbox", "type", "utils", "vm"],
    elsewhere={"WrapLinker": "gof.link", "WrapLinkerMany": "gof.link", "VM_Linker": "gof.vm", "hashtype": "gof.utils"},
    instead={
        "COp": "use theano.Op with perform: C code for Theano's own C interface does not compile against PyTensor's",
        "OpenMPOp": "use theano.Op: Numba makes parallel code by itself",
        "Env": "use theano.gof.FunctionGraph",
    },
    pytensor=["pytensor.graph.basic", "pytensor.graph.features", "pytensor.graph.rewriting.basic", "pytensor.link.basic"],
)
