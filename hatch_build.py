"""What the package has beside `symae/`, and what its page shows of README.md.

README's pictures lie beside the worksheets in the repository: they are in no wheel, and no link from the page leads there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)[^)]*\)")
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)[^)]*\)")


def without_pictures(text: str) -> str:
    """Return a Markdown text with the words for each picture and link of the repository in their place."""
    return LINK.sub(r"\1", PICTURE.sub(r"*(A picture, in the repository's README.md: \1.)*", text))


class PackagePage(MetadataHookInterface):
    """Hatchling's hook for dynamic metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Make the readme of README.md."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_pictures(text)}


class PackagedWorksheets(BuildHookInterface[Any]):
    """Hatchling's hook for the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put each worksheet into the package."""
        for path in sorted((Path(self.root) / "worksheets").glob("[0-9][0-9]_*.py")):
            build_data["force_include"][str(path)] = f"symae/worksheets/{path.name}"
