"""What the page asks for, answered: JSON and PNG by path, a module for each of the page's."""

from symae.inspector.api.responses import UnknownError
from symae.inspector.api.routes import Answers

__all__ = ["Answers", "UnknownError"]
