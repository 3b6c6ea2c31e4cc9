"""What the page asks for, answered: JSON and PNG by path, a module for each of the page's."""

from symae.inspector.answers.parts import UnknownError
from symae.inspector.answers.paths import Answers

__all__ = ["Answers", "UnknownError"]
