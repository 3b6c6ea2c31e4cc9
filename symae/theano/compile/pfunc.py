"""``theano.compile.pfunc``: where functions were compiled."""

from symae.theano._impl.absent import getter
from symae.theano._impl.functions import In, Out, Param, function
from symae.theano.shared import SharedVariable, shared

__all__ = ["In", "Out", "Param", "SharedVariable", "function", "pfunc", "shared"]

pfunc = function

__getattr__ = getter(__name__, instead={"rebuild_collect_shared": "use theano.clone"}, pytensor=["pytensor.compile.rebuild"])
