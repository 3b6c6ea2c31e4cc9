"""Theano's convolution ops of the Caffe kind for videos, called with settings first and arrays then."""

from __future__ import annotations

from typing import Any

from symae.theano._impl.absent import getter
from symae.theano._impl.conv3d_frames import AbstractConv3d, AbstractConv3d_gradInputs, AbstractConv3d_gradWeights

__all__ = ["Corr3dMM", "Corr3dMM_gradInputs", "Corr3dMM_gradWeights"]


def Corr3dMM(
    border_mode: Any = "valid", subsample: Any = (1, 1, 1), filter_dilation: Any = (1, 1, 1), num_groups: int = 1
) -> AbstractConv3d:
    """Make (videos, filters) -> maps, without flipping the filters."""
    return AbstractConv3d(None, None, border_mode, subsample, False, filter_dilation, num_groups)


def Corr3dMM_gradWeights(
    border_mode: Any = "valid", subsample: Any = (1, 1, 1), filter_dilation: Any = (1, 1, 1), num_groups: int = 1
) -> AbstractConv3d_gradWeights:
    """Make (videos, gradient of the maps, (depth, rows, columns)) -> gradient of the filters."""
    return AbstractConv3d_gradWeights(None, None, border_mode, subsample, False, filter_dilation, num_groups)


def Corr3dMM_gradInputs(
    border_mode: Any = "valid", subsample: Any = (1, 1, 1), filter_dilation: Any = (1, 1, 1), num_groups: int = 1
) -> AbstractConv3d_gradInputs:
    """Make (filters, gradient of the maps, (depth, rows, columns)) -> gradient of the videos."""
    return AbstractConv3d_gradInputs(None, None, border_mode, subsample, False, filter_dilation, num_groups)


__getattr__ = getter(__name__, pytensor=["symae.ops"])
