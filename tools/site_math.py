"""Formulas as MathML, which browsers draw themselves: the site needs no script of another host for them."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def _mathml(found: re.Match[str]) -> str:
    display = "block" if found[2] == "[" else "inline"
    return f'<span class="formula {display}">{convert(html.unescape(found[3]).strip(), display=display)}</span>'


def on_page_content(text: str, **_: Any) -> str:
    """Replace the formulas of a page."""
    return FORMULA.sub(_mathml, text)
