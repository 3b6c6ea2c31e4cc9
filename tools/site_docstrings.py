"""What docstrings have of reStructuredText, in Markdown: formulas, double backticks, code after a double colon."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe

MATH = re.compile(r"^( *)\.\. math::(.*)\n((?:(?:\1 +.*)?\n)*)", re.MULTILINE)
LITERAL = re.compile(r"::\n\n((?:(?: {4}.*)?\n)+)")


def in_markdown(text: str) -> str:
    """Return a docstring with its directives in Markdown."""

    def formula(found: re.Match[str]) -> str:
        body = f"{found[2].strip()}\n{textwrap.dedent(found[3])}".strip()
        return f"{found[1]}$$\n{textwrap.indent(body, found[1])}\n{found[1]}$$\n\n"

    text = MATH.sub(formula, text + "\n")
    text = LITERAL.sub(lambda found: ":\n\n" + found[1], text)
    return re.sub(r"``([^`\n]+)``", r"`\1`", text).rstrip("\n")


class Directives(griffe.Extension):
    """Griffe's extension, which mkdocstrings calls for each object that it finds."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite an object's docstring before its sections are parsed."""
        if obj.docstring is not None:
            obj.docstring.value = in_markdown(obj.docstring.value)
