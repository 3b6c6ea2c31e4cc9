"""What the package's page shows of README.md: its pictures lie beside it in the repository, where no link from there leads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)[^)]*\)")


def without_pictures(text: str) -> str:
    """Return a Markdown text with the words for each picture of the repository in its place."""
    return PICTURE.sub(r"*(A picture, in the repository's README.md: \1.)*", text)


class PackagePage(MetadataHookInterface):
    """Hatchling's hook for dynamic metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Make the readme of README.md."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_pictures(text)}
