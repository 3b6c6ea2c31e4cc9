"""``theano.gof.optdb``: collections of rewrites."""

from pytensor.graph.rewriting.db import (
    EquilibriumDB,
    LocalGroupDB,
    ProxyDB,
    SequenceDB,
)
from pytensor.graph.rewriting.db import RewriteDatabase as DB
from pytensor.graph.rewriting.db import RewriteDatabaseQuery as Query

from symae.theano._impl.absent import getter

__all__ = ["DB", "EquilibriumDB", "LocalGroupDB", "ProxyDB", "Query", "SequenceDB"]

__getattr__ = getter(__name__, pytensor=["pytensor.graph.rewriting.db"])
