"""``theano.scan_module.scan_op``: the Op of a loop."""

from pytensor.scan.op import Scan

from symae.theano._impl.absent import getter

__all__ = ["Scan"]

__getattr__ = getter(__name__, pytensor=["pytensor.scan.op"])
