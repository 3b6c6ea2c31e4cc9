"""Connectionist temporal classification, which Theano took from a library of Baidu's."""

from __future__ import annotations

from symae.theano._impl.absent import getter

_USE = "it needs the library warp-ctc; write the forward recursion with theano.scan, or use optax.ctc_loss of JAX"

__getattr__ = getter(__name__, instead={"ctc": _USE, "ConnectionistTemporalClassification": _USE, "ctc_available": _USE})
