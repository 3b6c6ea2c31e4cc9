"""Theano's convolution ops of the Caffe kind, called with settings first and arrays then."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano.tensor.nnet.abstract_conv import AbstractConv2d, AbstractConv2d_gradInputs, AbstractConv2d_gradWeights

__all__ = ["CorrMM", "CorrMM_gradInputs", "CorrMM_gradWeights"]


def CorrMM(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> AbstractConv2d:
    """Make (images, filters) -> maps, without flipping the filters."""
    return AbstractConv2d(None, None, border_mode, subsample, False, filter_dilation, num_groups, unshared)


def CorrMM_gradWeights(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> AbstractConv2d_gradWeights:
    """Make (images, gradient of the maps, (rows, columns)) -> gradient of the filters."""
    return AbstractConv2d_gradWeights(None, None, border_mode, subsample, False, filter_dilation, num_groups, unshared)


def CorrMM_gradInputs(
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> AbstractConv2d_gradInputs:
    """Make (filters, gradient of the maps, (rows, columns)) -> gradient of the images."""
    return AbstractConv2d_gradInputs(None, None, border_mode, subsample, False, filter_dilation, num_groups, unshared)


__getattr__ = getter(__name__, pytensor=["symae.ops"])
