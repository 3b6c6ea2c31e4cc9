"""Convolutions: `conv2d`, `deconv2d`, their ops, and how each backend computes them."""

from symae.ops.conv.convolution import Convolution, FilterGradient, InputGradient, conv2d, deconv2d

__all__ = ["Convolution", "FilterGradient", "InputGradient", "conv2d", "deconv2d"]
