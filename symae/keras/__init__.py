"""A door for people who come from Keras: `Model` with ``compile``, ``fit``, ``evaluate``, ``predict`` and ``summary``.

Behind it are the layers of `symae.nn`, which are functions, and `symae.training.fit`. Images have their channels first. What is
between the inputs and the outputs may be any PyTensor expression; the layers among them stand in the summary and are trained.
"""

from symae.keras.history import KerasHistory
from symae.keras.layers import KerasLayer
from symae.keras.model import Input, Model, load_model
from symae.keras.objective import LOSSES, OPTIMIZERS

__all__ = ["LOSSES", "OPTIMIZERS", "Input", "KerasHistory", "KerasLayer", "Model", "load_model"]
