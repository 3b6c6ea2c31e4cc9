"""Models and graphs for other programs: ONNX, PyTorch and Keras, and a card that tells people what a run's model is."""

from symae.export.card import write_card
from symae.export.conversion import converts
from symae.export.keras_model import export_keras, to_keras
from symae.export.onnx_file import export_onnx, to_onnx
from symae.export.torch_source import export_torch

__all__ = ["converts", "export_keras", "export_onnx", "export_torch", "to_keras", "to_onnx", "write_card"]
