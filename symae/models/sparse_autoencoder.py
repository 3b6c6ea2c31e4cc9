"""An autoencoder most of whose hidden units are silent.

Source: Ng (2011), "Sparse autoencoder", CS294A, for the divergence from a target; Makhzani and Frey (2014), "k-sparse
autoencoders".
"""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Variable
from pytensor.tensor.variable import TensorVariable

from symae.errors import InputError
from symae.models.autoencoder import ADAM_RATE, Autoencoder
from symae.models.fitting import FitDefaults
from symae.nn import k_sparse, kl_sparsity, l1_sparsity
from symae.nn.weights import Seed
from symae.optimizers import Updates, adam
from symae.random import RandomStreams

WEIGHTS = {"kl": 3.0, "l1": 0.1, "k": 0.0}


class SparseAutoencoder(Autoencoder):
    """Learn an `Autoencoder` whose code is sparse: for each input few hidden units are active.

    The cost is that of `Autoencoder` plus ``sparsity_weight`` times a penalty, and training is by Adam. Of a minibatch of n
    examples x with codes y and reconstructions z it is

    .. math:: \\frac1n \\sum_i L(x_i, z_i) + \\beta P, \\qquad
        P_{kl} = \\sum_j \\rho \\log\\frac{\\rho}{\\hat\\rho_j} + (1 - \\rho) \\log\\frac{1 - \\rho}{1 - \\hat\\rho_j}, \\quad
        \\hat\\rho_j = \\frac1n \\sum_i y_{ij}, \\qquad
        P_{l1} = \\frac1n \\sum_{ij} |y_{ij}|, \\qquad P_k = 0

    where L is `Autoencoder`'s: the cross-entropy of an example, or half its squared error where the output is linear.

    Parameters
    ----------
    numpy_rng, theano_rng, input, n_visible, n_hidden, W, bhid, bvis, output
        As in `Autoencoder`.
    sparsity : "kl", "l1" or "k"
        "kl": the penalty is `symae.nn.kl_sparsity`, the divergence of the units' mean activations in a minibatch from
        `sparsity_target`. "l1": it is `symae.nn.l1_sparsity`, the sum of an example's activations, minibatch mean. "k": there
        is none, but `symae.nn.k_sparse` leaves ``sparsity_target * n_hidden`` units of each example active, at least one.
    sparsity_target : float in (0, 1)
        ρ, the share of the time for which a unit should be active, or the share of the units that are; of no use for "l1".
    sparsity_weight : float >= 0, optional
        β; by default 3 for "kl" and 0.1 for "l1"; of no use for "k".

    Attributes
    ----------
    Those of `Autoencoder`.

    Raises
    ------
    InputError
        As `Autoencoder`, and where an option of sparsity is not as above.

    Examples
    --------
    >>> from symae.models import SparseAutoencoder
    >>> patches = SparseAutoencoder(0, n_visible=64, n_hidden=100, output="linear", sparsity_target=0.035)
    """

    fit_defaults = FitDefaults(epochs=15, batch_size=100, learning_rate=ADAM_RATE, static=False)
    sparsity, sparsity_target, sparsity_weight = "kl", 0.05, WEIGHTS["kl"]
    _options: ClassVar[dict[str, str]] = {
        **Autoencoder._options,
        **{name: name for name in ("sparsity", "sparsity_target", "sparsity_weight")},
    }

    def __init__(
        self,
        numpy_rng: Seed,
        theano_rng: RandomStreams | None = None,
        input: Variable | None = None,
        n_visible: int = 784,
        n_hidden: int = 500,
        W: SharedVariable | None = None,
        bhid: SharedVariable | None = None,
        bvis: SharedVariable | None = None,
        *,
        output: str = "sigmoid",
        sparsity: str = "kl",
        sparsity_target: float = 0.05,
        sparsity_weight: float | None = None,
    ):
        super().__init__(numpy_rng, theano_rng, input, n_visible, n_hidden, W, bhid, bvis, output=output)
        if sparsity not in WEIGHTS:
            raise InputError("sparsity", repr(sparsity), f"one of {', '.join(map(repr, WEIGHTS))}")
        if not (isinstance(sparsity_target, Real) and 0 < sparsity_target < 1):
            raise InputError("sparsity_target", repr(sparsity_target), "a number between 0 and 1")
        weight = WEIGHTS[sparsity] if sparsity_weight is None else sparsity_weight
        if not (isinstance(weight, Real) and 0 <= weight < float("inf")):
            raise InputError("sparsity_weight", repr(weight), "a number of at least 0")
        self.sparsity, self.sparsity_target, self.sparsity_weight = sparsity, float(sparsity_target), float(weight)

    def get_hidden_values(self, input: Variable) -> TensorVariable:
        """Compute the code s(input W + b), (n, n_hidden), in (0, 1); with ``sparsity="k"`` all but the largest are zero."""
        y = super().get_hidden_values(input)
        return k_sparse(y, max(1, round(self.sparsity_target * self.n_hidden))) if self.sparsity == "k" else y

    def get_cost_updates(self, corruption_level: Any, learning_rate: Any) -> tuple[TensorVariable, Updates]:
        """Return the cost of a minibatch and the updates of one step of Adam on it.

        Returns
        -------
        cost : symbolic scalar
            That of `Autoencoder`, plus ``sparsity_weight`` times the penalty.
        updates : list of (variable, new value)
        """
        hidden = self.get_hidden_values(self.get_corrupted_input(self.x, corruption_level))
        cost = pt.mean(self._example_costs(self.get_reconstructed_input(hidden)))
        if self.sparsity == "kl":
            cost += self.sparsity_weight * kl_sparsity(hidden, self.sparsity_target)
        elif self.sparsity == "l1":
            cost += self.sparsity_weight * pt.mean(l1_sparsity(hidden))
        return cost, adam(cost, self.params, learning_rate)
