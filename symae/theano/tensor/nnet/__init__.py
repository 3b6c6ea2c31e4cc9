"""Theano's functions for neural networks."""

from __future__ import annotations

import warnings
from typing import Any

from pytensor.graph.basic import Variable

from symae.errors import InputError
from symae.theano._impl.absent import getter
from symae.theano.tensor.nnet import abstract_conv, bn, conv, neighbours, nnet, opt, sigm
from symae.theano.tensor.nnet.abstract_conv import conv2d as abstract_conv2d
from symae.theano.tensor.nnet.abstract_conv import conv2d_grad_wrt_inputs, separable_conv2d
from symae.theano.tensor.nnet.bn import batch_normalization
from symae.theano.tensor.nnet.conv import ConvOp

__all__ = [
    "ConvOp",
    "abstract_conv",
    "abstract_conv2d",
    "batch_normalization",
    "bn",
    "conv",
    "conv2d",
    "conv2d_grad_wrt_inputs",
    "conv2d_transpose",
    "neighbours",
    "nnet",
    "opt",
    "separable_conv2d",
    "sigm",
]
# of these two modules all that they have stands here too
__all__ += nnet.__all__
__all__ += sigm.__all__
globals().update({name: getattr(module, name) for module in (nnet, sigm) for name in module.__all__})


def conv2d(
    input: Any,
    filters: Any,
    input_shape: Any = None,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    subsample: Any = (1, 1),
    filter_flip: bool = True,
    image_shape: Any = None,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
    **kwargs: Any,
) -> Variable:
    """Convolve images with filters; `symae.ops.conv2d` says what that is.

    Parameters
    ----------
    input : (n, c, h, w)
    filters : (m, c / num_groups, kh, kw)
    input_shape, filter_shape, image_shape : optional, sizes and None
        They made Theano's code faster; here they are compared when the graph runs, with ``config.conv.assert_shape``.
    border_mode : "valid", "full", "half", int, (int, int) or ((int, int), (int, int))
    subsample, filter_dilation : (int, int)
    filter_flip : bool
        False is cross-correlation.
    num_groups : int
    unshared : False
    kwargs : hints for Theano's code, such as ``unroll_batch``, ignored with a warning

    Returns
    -------
    (n, m, i, j)

    Raises
    ------
    InputError
        ``imshp_logical`` or ``kshp_logical``, ``unshared=True``, symbolic shapes, or as in `symae.ops.conv2d`.
    """
    for name in ("imshp_logical", "kshp_logical"):
        if name in kwargs:
            raise InputError(
                f"conv2d: {name}", str(kwargs[name]), "nothing: enlarge the images first, by T.repeat or upsampling"
            )
    if kwargs:
        warnings.warn(f"conv2d ignores {', '.join(sorted(kwargs))}", stacklevel=2)
    if image_shape is not None and input_shape is not None:
        raise InputError("conv2d", "input_shape and image_shape", "one of them")
    return abstract_conv2d(
        input, filters, input_shape, filter_shape, border_mode, subsample, filter_flip, filter_dilation, num_groups, unshared
    )


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    filter_shape: Any = None,
    border_mode: Any = "valid",
    input_dilation: Any = (1, 1),
    filter_flip: bool = True,
    filter_dilation: Any = (1, 1),
    num_groups: int = 1,
    unshared: bool = False,
) -> Variable:
    """Compute the transposed convolution: `conv2d_grad_wrt_inputs` with names that say how it is used.

    Parameters
    ----------
    input : (n, m, i, j)
    filters : (m, c / num_groups, kh, kw)
    output_shape : (n, c, h, w), of which h and w may be symbolic
    filter_shape : ignored
    border_mode, filter_flip, filter_dilation, num_groups
        The convolution's that goes the other way.
    input_dilation : (int, int)
        Its subsample.
    unshared : False

    Returns
    -------
    (n, c, h, w)
    """
    return conv2d_grad_wrt_inputs(
        input,
        filters,
        output_shape,
        filter_shape,
        border_mode,
        input_dilation,
        filter_flip,
        filter_dilation,
        num_groups,
        unshared,
    )


_ALSO = {
    "conv3d": "_impl.conv3d_frames:conv3d",
    "sparse_block_dot": "tensor.nnet.blocksparse:sparse_block_dot",
}

__getattr__ = getter(
    __name__,
    submodules=["Conv3D", "ConvGrad3D", "ConvTransp3D", "blocksparse", "conv3d2d", "corr", "corr3d", "ctc"],
    elsewhere=_ALSO,
    instead=sigm._INSTEAD,
    pytensor=["pytensor.tensor.special", "symae.ops"],
    ops="tensor.nnet.nnet",
)
