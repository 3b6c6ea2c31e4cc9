"""``theano.scan_module``."""

from symae.theano._impl.absent import getter
from symae.theano.scan_module import scan_op
from symae.theano.scan_module.scan import scan
from symae.theano.scan_module.scan_checkpoints import scan_checkpoints
from symae.theano.scan_module.scan_utils import clone, until
from symae.theano.scan_module.scan_views import foldl, foldr, map, reduce

__all__ = ["clone", "foldl", "foldr", "map", "reduce", "scan", "scan_checkpoints", "scan_op", "until"]

__getattr__ = getter(
    __name__,
    submodules=["scan_opt", "scan_utils", "scan_views"],
    pytensor=["pytensor.scan"],
)
