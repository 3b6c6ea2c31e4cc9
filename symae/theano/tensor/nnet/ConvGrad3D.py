"""Theano's ``convGrad3D`` with the channels last left it in version 0.9; `conv3d` takes its place."""

from __future__ import annotations

from symae.theano._impl.absent import getter

_USE = "it left Theano in version 0.9, use theano.tensor.nnet.conv3d, which takes (n, c, depth, h, w), and T.grad"

__getattr__ = getter(__name__, instead={"ConvGrad3D": _USE, "convGrad3D": _USE, "computeH": _USE})
