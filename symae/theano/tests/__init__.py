"""``theano.tests``: what tests of Theano's programs use."""

from symae.theano._impl.absent import getter

__all__: list[str] = []

__getattr__ = getter(__name__, submodules=["unittest_tools"])
