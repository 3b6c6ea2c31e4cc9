"""Pooling and convolution of images."""

from __future__ import annotations

from symae.theano._impl.absent import getter

__getattr__ = getter(
    __name__,
    submodules=["conv", "downsample", "pool"],
    elsewhere={"conv2d": "tensor.signal.conv:conv2d"},
    pytensor=["symae.ops"],
)
