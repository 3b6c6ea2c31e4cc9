"""``theano.gof.vm``: what runs the nodes of a compiled graph one after the other."""

from pytensor.link.vm import VM, Loop, Stack
from pytensor.link.vm import VMLinker as VM_Linker

from symae.theano._impl.absent import getter

__all__ = ["VM", "Loop", "Stack", "VM_Linker"]

__getattr__ = getter(__name__, pytensor=["pytensor.link.vm"])
