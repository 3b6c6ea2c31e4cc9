"""A fixer for fissix: texts and ``unichr`` as its own fixer has them, but the name ``unicode`` stays, and ``u`` before a text.

``unicode(x)`` asks ``x.__unicode__`` where ``str(x)`` does not.
"""

from __future__ import annotations

from typing import Any

from fissix.fixes.fix_unicode import FixUnicode


class FixUnicodeNames(FixUnicode):
    """Convert ``unichr``, ``ur""`` and the backslashes of texts of bytes."""

    BM_compatible = True
    PATTERN = "STRING | 'unichr'"

    def transform(self, node: Any, results: Any) -> Any:
        return None if node.value[:2] in ("u'", 'u"', "U'", 'U"') else super().transform(node, results)
