"""What models are made of: activations, costs, penalties, weights and layers, as functions from expressions to expressions."""

from symae.nn.activations import ACTIVATIONS, activation, elu, leaky_relu, linear, relu, sigmoid, softmax, softplus, tanh
from symae.nn.costs import (
    bernoulli_nll,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_kl,
    half_squared_error,
    mean_squared_error,
    root_mean_square_error,
)
from symae.nn.layers import Layer, conv, deconv, dense, flatten, layer_of, layers_of, max_pool, reshape, upsample
from symae.nn.parameters import Parameters
from symae.nn.phases import batch_norm, deterministic, dropout, running_updates
from symae.nn.sparsity import k_sparse, kl_sparsity, l1_sparsity
from symae.nn.weights import check_random_state, glorot_normal, glorot_uniform, he_normal, he_uniform, tutorial_weights

__all__ = [
    "ACTIVATIONS",
    "Layer",
    "Parameters",
    "activation",
    "batch_norm",
    "bernoulli_nll",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_random_state",
    "conv",
    "cross_entropy",
    "deconv",
    "dense",
    "deterministic",
    "dropout",
    "elu",
    "flatten",
    "gaussian_kl",
    "glorot_normal",
    "glorot_uniform",
    "half_squared_error",
    "he_normal",
    "he_uniform",
    "k_sparse",
    "kl_sparsity",
    "l1_sparsity",
    "layer_of",
    "layers_of",
    "leaky_relu",
    "linear",
    "max_pool",
    "mean_squared_error",
    "relu",
    "reshape",
    "root_mean_square_error",
    "running_updates",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
    "tutorial_weights",
    "upsample",
]
