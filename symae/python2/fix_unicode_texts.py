"""A fixer for fissix: texts as its own fixer of Unicode has them, but ``u`` before a text stays, and so do names.

``unicode`` and ``unichr`` are there at run time; ``unicode(x)`` asks ``x.__unicode__``, which ``str(x)`` does not.
"""

from __future__ import annotations

from typing import Any

from fissix.fixes.fix_unicode import FixUnicode


class FixUnicodeTexts(FixUnicode):
    """Convert ``ur""`` and the backslashes in texts of bytes."""

    BM_compatible = True
    PATTERN = "STRING"

    def transform(self, node: Any, results: Any) -> Any:
        return None if node.value[:2] in ("u'", 'u"', "U'", 'U"') else super().transform(node, results)
