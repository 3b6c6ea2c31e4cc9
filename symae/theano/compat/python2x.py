"""``theano.compat.python2x``: what Python 2.4 lacked and every Python has by now."""

from collections import Counter, OrderedDict, defaultdict
from functools import partial
from itertools import combinations, product

from symae.theano._impl.absent import getter

__all__ = ["Counter", "OrderedDict", "all", "any", "combinations", "defaultdict", "next", "partial", "product"]

next, all, any = next, all, any

__getattr__ = getter(__name__)
